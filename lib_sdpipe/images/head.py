"""What a check reads of a picture file: format, size, texts, and whether it is whole. No Pillow, no pixels: this is the hot path."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from lib_sdpipe.images.avif import read_avif
from lib_sdpipe.images.exif import INFOTEXT_LIMIT, read_exif_texts
from lib_sdpipe.images.jpeg import START as JPEG_START
from lib_sdpipe.images.jpeg import read_jpeg
from lib_sdpipe.images.png import SIGNATURE as PNG_SIGNATURE
from lib_sdpipe.images.png import read_png
from lib_sdpipe.images.source import START_BYTES, FileSource, MemorySource, Notes, Source
from lib_sdpipe.images.webp import read_webp

# A pipe that lies among the pictures must not be waited for; Windows would translate line ends.
_FLAGS = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
_BMP_HEADERS = tuple(bytes((size, 0, 0, 0)) for size in (12, 40, 52, 56, 64, 108, 124))
_AVIF_BRANDS = (b"avif", b"avis")
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


@dataclass(frozen=True, slots=True)
class Head:
    """`format` as Pillow names it, None for what is no picture. Width and height in pixels, None where they were not read.

    `texts`: PNG texts by keyword, `exif:NAME`, `xmp`, `comment`; together at most some MB. `infotext` as read_infotext says it.
    `problem`: None, or what is wrong in a word or two: `empty`, `not an image`, `truncated`, `damaged`. Pixels are not looked at:
    a file with no problem here may still be damaged inside.
    """

    format: str | None
    width: int | None
    height: int | None
    texts: dict[str, str]
    infotext: str | None
    problem: str | None


def read_head(path: str, bytes_on_disk: int | None = None) -> Head:
    """The head of a file; `bytes_on_disk` spares asking for its size. Raises OSError only."""
    descriptor = os.open(path, _FLAGS)
    try:
        start = os.read(descriptor, START_BYTES)
        size = os.fstat(descriptor).st_size if bytes_on_disk is None else bytes_on_disk
        head = _read(FileSource(descriptor, size, start))
        if head.problem and bytes_on_disk is not None and (now := os.fstat(descriptor).st_size) != size:
            head = _read(FileSource(descriptor, now, start))  # it was written since the caller asked
        return head
    finally:
        os.close(descriptor)


def parse_head(data: bytes) -> Head:
    """The same of a file in memory; never raises."""
    return _read(MemorySource(data))


def _read(source: Source) -> Head:
    start = source.start
    if not start:
        return Head(None, None, None, {}, None, "empty")
    name, reader = _format_of(start)
    if name is None:
        return Head(None, None, None, {}, None, "not an image")
    notes = Notes()
    if reader is not None:
        reader(source, notes)
    texts = notes.texts
    infotext = texts.get("parameters") if name == "PNG" else None
    if notes.exif:
        exif = read_exif_texts(notes.exif)
        # As in read_infotext: an empty `parameters` is an answer too.
        if name != "PNG" or "parameters" not in texts:
            infotext = exif.get("exif:UserComment")
        texts.update(exif)
    return Head(name, notes.width, notes.height, texts, infotext[:INFOTEXT_LIMIT] if infotext else None, notes.problem)


def _format_of(start: bytes) -> tuple[str | None, Callable[[Source, Notes], None] | None]:
    """By the first bytes, never by the file's name."""
    if start.startswith(PNG_SIGNATURE):
        return "PNG", read_png
    if start.startswith(JPEG_START):
        return "JPEG", read_jpeg
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "WEBP", read_webp
    if start[4:8] == b"ftyp":
        return _format_of_boxes(start)
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF", _read_gif
    if start[:4] in (b"II*\0", b"MM\0*"):
        return "TIFF", None
    if start[:2] == b"BM" and start[14:18] in _BMP_HEADERS:
        return "BMP", None
    if start[:2] == b"\xff\x0a" or start[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        return "JXL", None
    return None, None


def _format_of_boxes(start: bytes) -> tuple[str | None, Callable[[Source, Notes], None] | None]:
    length = int.from_bytes(start[:4], "big")
    brands = [start[8:12], *(start[at:at + 4] for at in range(16, min(length, len(start), 256), 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "AVIF", read_avif
    return ("HEIF", None) if any(brand in _HEIF_BRANDS for brand in brands) else (None, None)


def _read_gif(source: Source, notes: Notes) -> None:
    notes.set_size(int.from_bytes(source.start[6:8], "little"), int.from_bytes(source.start[8:10], "little"))
