"""Images in full size: by a record's id, confined to the roots, told to the browser as what they are and nothing else."""

from __future__ import annotations

import io
import os
from pathlib import Path
from urllib.parse import unquote

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lib_sdpipe.images.inputs import encode_input
from lib_sdpipe.workspace.page_address import build_input_address, build_picture_address, build_thumbnail_address
from tests.api.conftest import Serve
from tests.ui.sample_library import SampleLibrary


def test_the_file_comes_as_it_is_and_once(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7, (900, 600))
    answer = client.get(f"pictures/{run_id}/txt2img_001")
    assert answer.content == (library.outputs / manifest.path).read_bytes()
    assert answer.headers["content-type"] == "image/png" and answer.headers["content-length"] == str(len(answer.content))
    assert answer.headers["x-content-type-options"] == "nosniff" and "sandbox" in answer.headers["content-security-policy"]
    again = client.get(f"pictures/{run_id}/txt2img_001", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    (library.outputs / manifest.path).write_bytes(answer.content + b" ")
    assert client.get(f"pictures/{run_id}/txt2img_001", headers={"If-None-Match": answer.headers["etag"]}).status_code == 200


def test_the_kind_is_what_the_bytes_say_not_the_name(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    for kind, media_type in (("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif"), ("BMP", "image/bmp")):
        data = io.BytesIO()
        Image.new("RGB", (8, 8), (200, 30, 60)).save(data, kind)
        (library.outputs / manifest.path).write_bytes(data.getvalue())
        assert client.get(f"pictures/{run_id}/txt2img_001").headers["content-type"] == media_type


@pytest.mark.parametrize("data", [
    b"", b"password", b"<html><script>alert(1)</script>", b"\x89PNG", b"GIF8", b"%PDF-1.4", b"<svg xmlns='x'/>",
])
def test_what_is_no_picture_is_never_sent(client: TestClient, library: SampleLibrary, data: bytes) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    (library.outputs / manifest.path).write_bytes(data)
    assert client.get(f"pictures/{run_id}/txt2img_001").status_code == 404


def test_no_file_outside_the_roots_is_sent(client: TestClient, library: SampleLibrary, tmp_path: Path) -> None:
    run_id = library.add_run("sly", ago=60)
    secret = tmp_path / "secret.png"
    Image.new("RGB", (8, 8)).save(secret)
    os.symlink(secret, library.outputs / "link.png")
    os.symlink(tmp_path, library.outputs / "folder")
    private = library.layout.private / "secret.png"
    private.parent.mkdir(parents=True, exist_ok=True)
    private.write_bytes(secret.read_bytes())
    places = [
        (None, str(secret)), ("outputs", "../../secret.png"), ("outputs", "link.png"), ("outputs", "folder/secret.png"),
        ("runs", ".sdpipe/secret.png"), ("nowhere", "secret.png"), ("outputs", str(secret)), ("outputs", "a\0.png"), ("outputs", ""),
        ("outputs", "x" * 5000), ("outputs", "."),
    ]
    for number, (root, path) in enumerate(places, start=1):
        library.add_image(run_id, f"txt2img_{number:03}", number, file=False, root=root, path=path)
        assert client.get(f"pictures/{run_id}/txt2img_{number:03}").status_code == 404, (root, path)


def test_a_file_that_a_record_names_by_its_absolute_path_is_sent_where_a_root_holds_it(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("absolute", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    library.add_image(run_id, "txt2img_002", 8, file=False, root=None, path=str(library.outputs / manifest.path))
    assert client.get(f"pictures/{run_id}/txt2img_002").status_code == 200


def test_the_copy_in_the_run_folder_stands_in(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("kept", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7, kept=f"{run_id}/txt2img/txt2img_001.png")
    kept = library.layout.runs / manifest.kept
    kept.parent.mkdir()
    os.replace(library.outputs / manifest.path, kept)
    assert client.get(f"pictures/{run_id}/txt2img_001").content == kept.read_bytes()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such files")
def test_a_pipe_among_the_pictures_is_not_waited_for(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("pipe", ago=60)
    library.add_image(run_id, "txt2img_001", 7, file=False, path="pipe.png")
    os.mkfifo(library.outputs / "pipe.png")
    assert client.get(f"pictures/{run_id}/txt2img_001").status_code == 404


def test_input_pictures_are_sent_by_their_digest(client: TestClient, library: SampleLibrary) -> None:
    sha256, data = encode_input(Image.new("RGB", (700, 500), (10, 90, 200)))
    library.store.write_input(sha256, data)
    assert client.get(f"inputs/{sha256}").content == data
    with Image.open(io.BytesIO(client.get(f"input-thumbnails/{sha256}").content)) as small:
        assert small.format == "WEBP" and small.width == 320
    for wrong in ("0" * 64, sha256[:-1], sha256.upper(), "..%2f..%2flibrary", "%00"):
        assert client.get(f"inputs/{wrong}").status_code == 404
        assert client.get(f"input-thumbnails/{wrong}").status_code == 404


def test_the_pages_address_of_a_picture_opens_this_one_only(serve: Serve, library: SampleLibrary) -> None:
    run_id = library.add_run("夕暮れ の/灯台", ago=60)
    library.add_image(run_id, "txt2img_001", 7)
    library.add_image(run_id, "txt2img_002", 8)
    client = serve(users={"ann": "secret"})
    address = build_picture_address(run_id, "txt2img_001")
    answer = client.get(f"http://host/{address}")
    assert answer.status_code == 200 and f"{run_id}-txt2img_001.png" in unquote(answer.headers["content-disposition"])
    key = address.partition("?")[2]
    for other in (f"pictures/{run_id}/txt2img_002?{key}", f"thumbnails/{run_id}/txt2img_001?{key}", f"runs/{run_id}?{key}"):
        assert client.get(other).status_code == 401
    small = build_thumbnail_address(run_id, "txt2img_001").partition("?")[2]
    assert client.get(f"pictures/{run_id}/txt2img_001?{small}").status_code == 401
    sha256, data = encode_input(Image.new("RGB", (8, 8)))
    library.store.write_input(sha256, data)
    assert client.get(f"http://host/{build_input_address(sha256)}").status_code == 200
    assert client.get(f"http://host/{build_input_address(sha256, is_small=True)}").status_code == 200
    assert client.get(f"inputs/{sha256}").status_code == 401
