"""Thumbnails: by a record's id, small, kept by the browser."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from lib_sdpipe.workspace.page_address import API_PREFIX, build_thumbnail_address
from tests.ui.sample_library import SampleLibrary


def test_a_thumbnail_is_small_and_is_asked_for_once(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 7, (900, 600))
    answer = client.get(f"thumbnails/{run_id}/txt2img_001")
    assert answer.headers["content-type"] == "image/webp" and "max-age" in answer.headers["cache-control"]
    assert "private" in answer.headers["cache-control"]
    assert int(answer.headers["cache-control"].partition("max-age=")[2]) <= 60, "of a changed file the old picture stands for so long"
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (320, 213)
    again = client.get(f"thumbnails/{run_id}/txt2img_001", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def png_head(width: int, height: int) -> bytes:
    """What a viewer believes to be a picture of that size, in a hundred bytes."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in (header, data)
    )


@pytest.mark.parametrize("data", [b"", b"no picture", png_head(60_000, 60_000), png_head(20_000, 15_000), b"GIF89a" + b"\xff" * 50])
def test_where_no_picture_can_be_shown_there_is_none(client: TestClient, library: SampleLibrary, data: bytes) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    (library.outputs / manifest.path).write_bytes(data)
    assert client.get(f"thumbnails/{run_id}/txt2img_001").status_code == 404
    page = client.get(build_thumbnail_address(run_id, "txt2img_001").removeprefix(f"{API_PREFIX[1:]}/"))
    assert (page.status_code, page.headers["content-type"]) == (200, "image/svg+xml") and b"script" not in page.content


def test_ids_never_become_paths(client: TestClient, library: SampleLibrary, tmp_path: Path) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 7)
    (tmp_path / "txt2img_001.json").write_bytes(library.layout.manifest_file(run_id, "txt2img_001").read_bytes())
    for place in (
        f"{run_id}/..%2f..%2f..%2f..%2ftxt2img_001", f"..%2f{run_id}/txt2img_001", f"{run_id}/%2e%2e", f"{run_id}/..%5ctxt2img_001",
        f"{run_id}/%00", f"{run_id}/txt2img_001.json", f"{run_id}/" + "a" * 5000, "%2fetc/passwd", f"{run_id}/gone_001",
    ):
        assert client.get(f"thumbnails/{place}").status_code == 404, place
