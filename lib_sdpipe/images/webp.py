"""WebP (RFC 9649): size and EXIF of a file, chunk by chunk, without its pixels."""

from __future__ import annotations

import struct

from lib_sdpipe.images.exif import EXIF_LIMIT, INFOTEXT_LIMIT
from lib_sdpipe.images.source import DAMAGED, TRUNCATED, Notes, Source

EXIF_FLAG, XMP_FLAG, ALPHA_FLAG = 0x08, 0x04, 0x10
_HEADER = struct.Struct("<4sI")
_MAX_CHUNKS = 10_000


def read_webp(source: Source, notes: Notes) -> None:
    """EXIF lies behind the pixels, and counts only where the header announces it, as in every decoder."""
    start = source.start
    if len(start) < 30:
        notes.problem = TRUNCATED
        return
    end = 8 + int.from_bytes(start[4:8], "little")
    kind = start[12:16]
    size = canvas_size(kind, start[20:30])
    if size is None:
        notes.problem = DAMAGED
        return
    notes.set_size(*size)
    if end > source.size:
        notes.problem = TRUNCATED
    elif 20 + int.from_bytes(start[16:20], "little") > end:
        notes.problem = DAMAGED
    if kind == b"VP8X" and start[20] & (EXIF_FLAG | XMP_FLAG):
        _note_chunks(source, notes, start[20], min(end, source.size))


def canvas_size(kind: bytes, data: bytes) -> tuple[int, int] | None:
    """Width and height from the first ten bytes of the first chunk; None if it is none of a picture."""
    if len(data) < 10:
        return None
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if kind == b"VP8L" and data[0] == 0x2F:
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a":
        width, height = struct.unpack_from("<HH", data, 6)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _note_chunks(source: Source, notes: Notes, flags: int, end: int) -> None:
    offset = 12
    for _ in range(_MAX_CHUNKS):
        header = source.read(offset, 8)
        if offset + 8 > end or len(header) < 8:
            return
        kind, length = _HEADER.unpack(header)
        if offset + 8 + length > end:
            notes.problem = notes.problem or DAMAGED
            return
        if kind == b"EXIF" and flags & EXIF_FLAG and notes.exif is None and length <= EXIF_LIMIT:
            notes.exif = source.read(offset + 8, length)
        elif kind == b"XMP " and flags & XMP_FLAG and "xmp" not in notes.texts:
            notes.texts["xmp"] = source.read(offset + 8, min(length, INFOTEXT_LIMIT)).decode("utf-8", "replace")
        offset += 8 + length + (length & 1)
