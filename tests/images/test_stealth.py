from __future__ import annotations

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_sdpipe.images.exif import INFOTEXT_LIMIT
from lib_sdpipe.images.stealth import read_stealth_infotext
from tests.images.pictures import TEXT
from tests.images.test_digest import noise


def hide(image: Image.Image, message: bytes, channels: str) -> Image.Image:
    """`message` in the lowest bits, column by column; what does not fit is lost."""
    picture = image.convert("RGBA" if channels == "A" else image.mode)
    pixels = np.array(picture)
    planes = pixels[:, :, 3:] if channels == "A" else pixels[:, :, :3]
    columns = planes.swapaxes(0, 1).reshape(-1).copy()
    bits = np.unpackbits(np.frombuffer(message, np.uint8))[:columns.size]
    columns[:bits.size] = columns[:bits.size] & 254 | bits
    planes[:] = columns.reshape(planes.shape[1], planes.shape[0], planes.shape[2]).swapaxes(0, 1)
    return Image.fromarray(pixels)


def message(signature: str, data: bytes, bits: int | None = None) -> bytes:
    return signature.encode() + struct.pack(">I", len(data) * 8 if bits is None else bits) + data


@pytest.mark.parametrize(("signature", "channels"), [
    ("stealth_pnginfo", "A"), ("stealth_pngcomp", "A"), ("stealth_rgbinfo", "RGB"), ("stealth_rgbcomp", "RGB"),
])
@given(st.integers(7, 80), st.integers(0, 200))
@settings(max_examples=15, deadline=None)
def test_forges_hidden_text_is_read_from_pictures_of_any_height(signature: str, channels: str, height: int, more: int) -> None:
    text = TEXT + "y" * more
    data = gzip.compress(text.encode()) if signature.endswith("comp") else text.encode()
    picture = hide(noise(5000 // height, height), message(signature, data), channels)
    assert read_stealth_infotext(picture) == text


def test_a_transparent_picture_may_carry_it_in_its_colours() -> None:
    assert read_stealth_infotext(hide(noise().convert("RGBA"), message("stealth_rgbinfo", b"hi"), "RGB")) == "hi"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "1", "I;16"])
def test_a_picture_without_the_signature_has_none(mode: str) -> None:
    assert read_stealth_infotext(Image.new("I;16", (99, 99)) if mode == "I;16" else noise(99, 99).convert(mode)) is None
    assert read_stealth_infotext(noise(1, 1)) is None


@pytest.mark.parametrize("bits", [0, 7, 8 * 4000, 8 * INFOTEXT_LIMIT + 8, 0xFFFFFFFF])
def test_a_length_that_cannot_be_is_no_text(bits: int) -> None:
    assert read_stealth_infotext(hide(noise(60, 60), message("stealth_pnginfo", b"text", bits), "A")) is None


@pytest.mark.parametrize("data", [b"no gzip", gzip.compress(b"text" * 40, mtime=0)[:-9], gzip.compress(b"\xff\xfe", mtime=0)])
def test_damaged_hidden_text_is_no_text(data: bytes) -> None:
    assert read_stealth_infotext(hide(noise(), message("stealth_pngcomp", data), "A")) is None


def test_a_hidden_bomb_does_not_go_off() -> None:
    bomb = gzip.compress(b"x" * (20 * INFOTEXT_LIMIT))
    assert read_stealth_infotext(hide(noise(512, 512), message("stealth_pngcomp", bomb), "A")) == "x" * INFOTEXT_LIMIT


@given(st.binary(max_size=200), st.sampled_from(["stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp"]))
@settings(max_examples=60, deadline=None)
def test_any_hidden_bytes_are_read_or_not(data: bytes, signature: str) -> None:
    channels = "A" if "png" in signature else "RGB"
    assert read_stealth_infotext(hide(noise(40, 40), signature.encode() + data, channels)) != ""
