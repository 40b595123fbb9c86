"""Two image files pixel by pixel: figures that are right, other sizes and alpha told, hostile files refused."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_sdpipe.images import difference as room
from lib_sdpipe.images.difference import IncomparableError, PixelDifference, compare_pixels
from tests.images.pictures import chunk
from tests.images.test_digest import noise


@pytest.fixture
def compare(tmp_path: Path) -> Any:
    def do(one: Image.Image | bytes, other: Image.Image | bytes) -> PixelDifference:
        paths = []
        for name, picture in (("one.png", one), ("other.png", other)):
            paths.append(str(tmp_path / name))
            if isinstance(picture, bytes):
                Path(paths[-1]).write_bytes(picture)
            else:
                picture.save(paths[-1])
        return compare_pixels(*paths)

    return do


def _map(found: PixelDifference) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(found.map_png)))


def test_equal_pictures_do_not_differ(compare: Any) -> None:
    found = compare(noise(), noise())
    assert (found.differing, found.share, found.largest, found.mean, found.box) == (0, 0, 0, 0, None)
    assert _map(found).max() == 0


def test_the_figures_are_those_of_a_plain_count(compare: Any) -> None:
    one = np.asarray(noise().convert("RGB")).copy()
    other = one.copy()
    other[5:9, 7:20] ^= 0b1000001
    found = compare(Image.fromarray(one), Image.fromarray(other))
    apart = np.abs(one.astype(int) - other.astype(int))
    assert found.differing == (apart.max(axis=2) > 0).sum() == 4 * 13
    assert found.largest == apart.max() and found.mean == pytest.approx(apart.mean())
    assert found.box == (7, 5, 20, 9)
    assert (_map(found) == apart.max(axis=2)).all()


def test_one_pixel_of_a_large_picture_is_seen_on_the_map(compare: Any) -> None:
    one = Image.new("RGB", (3001, 2003), "white")
    other = one.copy()
    other.putpixel((2999, 2002), (255, 255, 254))
    found = compare(one, other)
    assert (found.differing, found.largest, found.box) == (1, 1, (2999, 2002, 3000, 2003))
    shown = _map(found)
    assert max(shown.shape) <= room.MAP_EDGE and shown.sum() == 1 and shown[2002 // found.map_step, 2999 // found.map_step] == 1


def test_the_smaller_of_one_shape_is_enlarged(compare: Any) -> None:
    small = Image.new("RGB", (64, 48), (10, 20, 30))
    found = compare(small, small.resize((128, 96)))
    assert (found.width, found.height, found.sizes) == (128, 96, ((64, 48), (128, 96)))
    assert found.differing == 0


def test_other_shapes_have_no_common_pixels(compare: Any) -> None:
    with pytest.raises(IncomparableError, match="different shapes"):
        compare(Image.new("RGB", (64, 48)), Image.new("RGB", (48, 64)))


def test_transparency_counts_and_the_hosts_hidden_text_does_not(compare: Any) -> None:
    opaque = noise().convert("RGBA")
    stealth, clear = opaque.copy(), opaque.copy()
    stealth.putalpha(Image.fromarray(np.random.default_rng(1).integers(254, 256, (opaque.height, opaque.width), np.uint8)))
    assert compare(opaque, stealth).differing == 0
    clear.putpixel((3, 4), (*clear.getpixel((3, 4))[:3], 100))
    found = compare(opaque, clear)
    assert (found.differing, found.largest, found.mean, found.has_alpha) == (1, 155, 0, (False, True))


def test_files_of_other_kinds_are_compared_by_what_they_show(compare: Any) -> None:
    grey = Image.new("L", (20, 20), 100)
    assert compare(grey, Image.new("RGB", (20, 20), (100, 100, 100))).differing == 0
    assert compare(Image.new("I;16", (20, 20), 100 << 8), grey).differing == 0


def test_files_that_are_no_pictures_are_told(compare: Any, tmp_path: Path) -> None:
    with pytest.raises(IncomparableError, match="cannot be read as an image"):
        compare(noise(), b"not an image")
    broken = io.BytesIO()
    noise().save(broken, "PNG")
    with pytest.raises(IncomparableError, match="cannot be read as an image"):
        compare(noise(), broken.getvalue()[:-200])
    with pytest.raises(OSError):
        compare_pixels(str(tmp_path / "nowhere.png"), str(tmp_path / "nowhere.png"))


@pytest.mark.parametrize("size", [(20_000, 15_000), (60_000, 60_000), (7_000, 6_000)])
def test_a_giant_is_refused_before_it_is_decoded(compare: Any, size: tuple[int, int]) -> None:
    giant = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with pytest.raises(IncomparableError, match="pixels"):
        compare(giant, giant)
