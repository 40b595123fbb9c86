"""Forge's stealth infotext: the text once more in the lowest bits of the pixels, column by column, in alpha or in R, G, B."""

from __future__ import annotations

import zlib

import numpy as np
from PIL import Image

from lib_sdpipe.images.exif import INFOTEXT_LIMIT

# 15 bytes of signature, 32 bits that count the bits of the text, the text: UTF-8, plain or as gzip.
_SIGNATURES = {"A": {b"stealth_pnginfo": False, b"stealth_pngcomp": True}, "RGB": {b"stealth_rgbinfo": False, b"stealth_rgbcomp": True}}
_SIGNATURE_BYTES = 15
_START_BYTES = _SIGNATURE_BYTES + 4


def read_stealth_infotext(image: Image.Image) -> str | None:
    """The hidden text of a decoded picture; None without the signature, or where the text is damaged, empty or cut off."""
    if image.mode == "RGB":
        return _read(image, "RGB")
    if image.mode == "RGBA":
        return _read(image, "RGB") or _read(image, "A")
    return None


def has_hidden_alpha(image: Image.Image) -> bool:
    """Whether its alpha is none: Forge hides the text in the lowest bit of 254 and 255. The hosts reckon with it, by 1 here and there."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() == (254, 255)


def find_stealth_channels(image: Image.Image) -> str | None:
    """`RGB` or `A`: where a signature says that a text is hidden, readable or not; None without one."""
    for channels in {"RGB": ("RGB",), "RGBA": ("RGB", "A")}.get(image.mode, ()):
        if _lowest_bits(image, channels, 0, _SIGNATURE_BYTES) in _SIGNATURES[channels]:
            return channels
    return None


def _read(image: Image.Image, channels: str) -> str | None:
    start = _lowest_bits(image, channels, 0, _START_BYTES)
    is_packed = _SIGNATURES[channels].get(start[:_SIGNATURE_BYTES])
    if is_packed is None:
        return None
    length, rest = divmod(int.from_bytes(start[_SIGNATURE_BYTES:], "big"), 8)
    if rest or not 0 < length <= INFOTEXT_LIMIT:
        return None
    data = _lowest_bits(image, channels, _START_BYTES, length)
    if len(data) < length:
        return None
    text = _unpack(data) if is_packed else data.decode("utf-8", "ignore")
    return text or None


def _lowest_bits(image: Image.Image, channels: str, skip: int, length: int) -> bytes:
    """`length` bytes behind the first `skip`; fewer where the picture ends. Only the columns that hold them are looked at."""
    bits_per_column = image.height * len(channels)
    first = skip * 8 // bits_per_column
    last = min(-(-(skip + length) * 8 // bits_per_column), image.width)
    if last <= first:
        return b""
    columns = image.crop((first, 0, last, image.height))
    pixels = np.asarray(columns.getchannel("A") if channels == "A" else columns.convert("RGB"))
    bits = (pixels.swapaxes(0, 1).reshape(-1) & 1)[skip * 8 - first * bits_per_column:]
    return np.packbits(bits[:length * 8]).tobytes()[:min(length, len(bits) // 8)]


def _unpack(data: bytes) -> str | None:
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)  # gzip
    try:
        text = unpacker.decompress(data, INFOTEXT_LIMIT)
        is_cut = bool(unpacker.unconsumed_tail)
        return text.decode("utf-8", "ignore" if is_cut else "strict") if unpacker.eof or is_cut else None
    except (zlib.error, UnicodeDecodeError):
        return None
