"""Pictures as the hosts and other programs write them, made by Pillow and by hand."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, features
from PIL.PngImagePlugin import PngInfo

from tests.images.test_digest import noise

NEEDS_AVIF = pytest.mark.skipif("avif" not in features.modules or not features.check("avif"), reason="this Pillow has no AVIF")
TEXT = "a café 夜\nSteps: 2, Seed: 1, Size: 64x48"


def as_file(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def comment_exif(text: str, comment: bytes | None = None) -> bytes:
    """A block with nothing but the user comment, byte for byte as piexif makes it for the hosts: no link behind its last directory."""
    comment = b"UNICODE\0" + text.encode("utf-16-be") if comment is None else comment
    first = struct.pack(">HHHLLL", 1, 0x8769, 4, 1, 26, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">L", 8) + first + struct.pack(">HHHLL", 1, 0x9286, 7, len(comment), 40) + comment


def host_file(image_format: str, text: str | None, image: Image.Image | None = None) -> bytes:
    """As the hosts save it: PNG text, else the user comment."""
    image = image or noise()
    if text is None:
        return as_file(image, image_format)
    if image_format == "PNG":
        info = PngInfo()
        info.add_text("parameters", text)
        return as_file(image, "PNG", pnginfo=info)
    return as_file(image, image_format, exif=comment_exif(text))


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def png_chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    chunks, offset = [], 8
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        chunks.append((data[offset + 4:offset + 8], data[offset + 8:offset + 8 + length]))
        offset += 12 + length
    return chunks


def chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
