"""What somebody could try over HTTP: names that are paths, links out of the library, pictures and requests that are too much."""

from __future__ import annotations

import base64
import json
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from tests.images.pictures import chunk
from tests.pace import assert_quick
from tests.ui.sample_library import SampleLibrary, draw_picture

SECRET = "the secret words of another folder"
OUT = [
    "..", "../{run}", "..%2f{run}", "%2e%2e%2f{run}", "%2e%2e/{run}", "..%252f{run}", "%252e%252e%252f{run}", "..%5c{run}", "%2f{top}",
    "{top}", "%2f%2f{top}", "{run}%00", "{run}%2f..%2f{run}", "file:%2f%2f{top}", "~", "%7e%2fx", "C:%5cWindows", "{run}%2e%2e", "{run}.",
    "{run}%20", "%ef%bc%8e%ef%bc%8e%ef%bc%8f{run}",
]


@pytest.fixture
def run_id(library: SampleLibrary) -> str:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 7, (64, 64))
    return run_id


@pytest.fixture
def top(library: SampleLibrary, run_id: str) -> Path:
    """The folder above the library, with what nobody may read in it: a run, a manifest, a picture."""
    top = library.layout.runs.parent.parent
    stolen = top / "20250101_000000_stolen"
    (stolen / "manifests").mkdir(parents=True)
    (stolen / "run_metadata.json").write_text(f'{{"schema": "sdpipe.run/1", "run_id": "{stolen.name}", "label": "{SECRET}"}}')
    (stolen / "marks.json").write_text(f'{{"schema": "sdpipe.marks/1", "marks": {{"txt2img_001": {{"note": "{SECRET}"}}}}}}')
    (stolen / "manifests" / "txt2img_001.json").write_text(f'{{"schema": "sdpipe.manifest/1", "prompt": "{SECRET}"}}')
    (top / "secret.png").write_bytes(draw_picture(5, (64, 64)) + SECRET.encode())
    return top


def names_out(top: Path, run_id: str) -> Iterator[str]:
    for name in OUT:
        yield name.format(run=run_id, top=str(top)[1:].replace("/", "%2f"))
    yield "..%2f..%2f20250101_000000_stolen"
    yield "x" * 3000


def test_no_name_leads_out_of_the_library(client: TestClient, run_id: str, top: Path) -> None:
    for name in names_out(top, run_id):
        for path in (
            f"runs/{name}", f"runs/{name}/images/txt2img_001", f"runs/{run_id}/images/{name}", f"runs/{name}/zip", f"thumbnails/{name}/a",
            f"thumbnails/{run_id}/{name}", f"pictures/{name}/txt2img_001", f"pictures/{run_id}/{name}", f"marks/{name}", f"inputs/{name}",
            f"input-thumbnails/{name}", f"downloads/{name}", f"image?root={name}&path=a.png", f"image?root=outputs&path={name}/a.png",
        ):
            answer = client.get(path)
            is_run_itself = name.endswith(("%2e%2e", ".", "%20", "..")) or path.startswith(f"runs/{run_id}/images/..")
            assert answer.status_code in (400, 404, 307, 405) or is_run_itself, path
            assert SECRET not in answer.text and "root:" not in answer.text, path
        answer = client.post(f"marks/{name}", json={"marks": {"txt2img_001": {"rating": 1}}})
        assert answer.status_code in (400, 404, 405), name
    assert SECRET in (top / "20250101_000000_stolen" / "marks.json").read_text()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_no_link_leads_out_of_the_library(client: TestClient, library: SampleLibrary, run_id: str, top: Path) -> None:
    library.outputs.joinpath("door").symlink_to(top, target_is_directory=True)
    library.outputs.joinpath("one.png").symlink_to(top / "secret.png")
    for number, path in enumerate(("door/secret.png", "one.png"), start=2):
        name = f"txt2img_{number:03d}"
        library.add_image(run_id, name, number, (64, 64), file=False, path=path)
        for route in (f"thumbnails/{run_id}/{name}", f"pictures/{run_id}/{name}", f"image?root=outputs&path={path}"):
            assert client.get(route).status_code == 404, route
        assert client.post("trace", json={"root": "outputs", "path": path}).status_code == 404
    assert SECRET.encode() not in client.get(f"runs/{run_id}/zip").content


# --- pictures ---

def bomb(width: int, height: int) -> bytes:
    """A whole PNG of one bit a pixel, all white: it unpacks to a thousand times its size."""
    row = b"\0" + b"\xff" * (width // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


@pytest.fixture(scope="module")
def megapixels() -> bytes:
    return bomb(20_000, 15_000)


@pytest.mark.parametrize("has_pillows_limit", [True, False])
def test_a_picture_of_300_megapixels_is_not_unpacked(
    client: TestClient, library: SampleLibrary, run_id: str, megapixels: bytes, has_pillows_limit: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not has_pillows_limit:  # as the hosts' X/Y/Z plot leaves it
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    library.add_image(run_id, "txt2img_002", 8, (64, 64), file=False, path="large.png")
    (library.outputs / "large.png").write_bytes(megapixels)

    def ask_for_it() -> None:
        assert client.get(f"thumbnails/{run_id}/txt2img_002").status_code == 404
        for body in ({"image": base64.b64encode(megapixels).decode("ascii")}, {"root": "outputs", "path": "large.png"}):
            assert client.post("trace", json=body).status_code in (400, 404)
        answer = client.get("image?root=outputs&path=large.png")
        assert answer.status_code == 200 and "pixels are too many" in answer.text

    assert_quick(ask_for_it, seconds=3)  # a decoder takes half a second for each
    assert client.get(f"pictures/{run_id}/txt2img_002").content == megapixels  # the browser's own limits are its own


def postscript() -> bytes:
    return b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n(x) run\nshowpage\n%%EOF\n"


@pytest.mark.parametrize("data", [
    postscript(), b"GIF89a" + b"\xff" * 50, b"RIFF\xff\xff\xff\xffWEBPVP8 " + b"\0" * 100, b"\xff\xd8\xff\xe0" + b"\0" * 5000,
    draw_picture(1, (64, 64))[:200], b"", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
], ids=lambda data: repr(data[:12]))
def test_what_is_no_picture_of_the_usual_kinds_reaches_no_decoder_and_no_page(
    client: TestClient, library: SampleLibrary, run_id: str, data: bytes, monkeypatch: pytest.MonkeyPatch,
) -> None:
    import subprocess

    monkeypatch.setattr(subprocess, "check_call", lambda *_, **__: pytest.fail("a program was started for a picture"))
    library.add_image(run_id, "txt2img_002", 8, (64, 64), file=False, path="odd.png")
    (library.outputs / "odd.png").write_bytes(data)
    assert client.get(f"thumbnails/{run_id}/txt2img_002").status_code == 404
    answer = client.get(f"pictures/{run_id}/txt2img_002")
    assert answer.status_code == 404 or answer.headers["content-type"] in ("image/gif", "image/webp", "image/jpeg", "image/png")
    assert client.post("trace", json={"image": base64.b64encode(data).decode("ascii")}).status_code == 400


def test_a_picture_whose_text_unpacks_without_end_is_read_in_bounds(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    data = draw_picture(3, (64, 64))
    text = chunk(b"zTXt", b"parameters\0\0" + zlib.compress(bytes(200 << 20), 9))
    sent = {"image": base64.b64encode(data[:33] + text + data[33:]).decode("ascii")}
    assert assert_quick(lambda: client.post("trace", json=sent), seconds=5).status_code in (200, 400)


# --- requests ---

@pytest.mark.parametrize("body", [
    {"marks": {f"txt2img_{number:06d}": {"rating": 1} for number in range(200_000)}},
    {"marks": {"txt2img_001": {"tags": ["x" * 90] * 200}}},
    {"marks": {"txt2img_001": {"note": "x" * 5_000_000}}}, {"marks": {"txt2img_001": {"rating": 10 ** 4000}}},
    {"marks": {"txt2img_001\u0000": {"rating": 1}}}, {"marks": {"\ud800": {"rating": 1}}}, {"marks": [{"a": 1}] * 100_000},
], ids=["many names", "many tags", "a long note", "a long number", "a NUL", "half a character", "a list"])
def test_a_request_for_marks_that_is_too_much_changes_nothing_and_is_answered_soon(
    client: TestClient, library: SampleLibrary, run_id: str, body: Any,
) -> None:
    sent = json.dumps(body)
    answer = assert_quick(lambda: client.post(f"marks/{run_id}", content=sent, headers={"Content-Type": "application/json"}), seconds=5)
    assert answer.status_code in (400, 404, 413)
    assert not library.layout.marks_file(run_id).exists()


@pytest.mark.parametrize(("path", "body"), [
    ("check", {"only": ["x"] * 200_000}), ("plan", {"choose": {f"code{n}": "op" for n in range(100_000)}}),
    ("apply", {"plan": {"schema": "sdpipe.plan/1", "operations": [{}] * 200_000}}), ("undo", {"which": "../" * 100_000}),
    ("undo", {"which": "..\\..\\secret"}), ("apply", {"plan": {"schema": "sdpipe.plan/1", "plan_id": "../../x", "operations": []}}),
])
def test_a_request_for_a_repair_that_makes_no_sense_is_refused_soon(client: TestClient, run_id: str, path: str, body: Any) -> None:
    assert assert_quick(lambda: client.post(path, json=body), seconds=5).status_code in (400, 404)


@pytest.mark.parametrize("q", [
    "(" * 5000, "NOT " * 5000 + "x", "a OR " * 5000 + "b", "x" * 60_000, '"' * 999, "' OR 1=1 --", "model:%'; DROP TABLE pictures; --",
    "seed:" + "9" * 500, "\0", "date:9999-12-31..0001-01-01", "*" * 2000, "prompt_grams:x NEAR y", "size:0x0 recorded:no",
], ids=lambda q: repr(q[:16]))
def test_no_search_takes_long_or_reaches_the_index(client: TestClient, run_id: str, q: str) -> None:
    answer = assert_quick(lambda: client.get("images", params={"q": q}), seconds=3)
    assert answer.status_code in (200, 400), answer.text[:300]
    assert client.get("images").json()["total"] == 1
