"""JPEG (ITU T.81): size, EXIF, comment and end of a file, segment by segment, without its pixels."""

from __future__ import annotations

import re

from lib_sdpipe.images.exif import EXIF_LIMIT, EXIF_PREFIX
from lib_sdpipe.images.source import DAMAGED, TRUNCATED, Notes, Source

START = b"\xff\xd8\xff"
END = b"\xff\xd9"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
# Markers without a length: TEM, RST0 to RST7, SOI.
BARE_MARKERS = frozenset((0x01, *range(0xD0, 0xD9)))
START_OF_SCAN, END_OF_IMAGE, APP1, COMMENT = 0xDA, 0xD9, 0xE1, 0xFE
_MARKER = re.compile(rb"\xff[^\x00\xff]")
_MAX_SEGMENTS = 2_000
_MAX_JUNK = 1 << 16
_STEP = 1 << 20


def read_jpeg(source: Source, notes: Notes) -> None:
    """Segments up to the pixels. Bytes behind the end are no damage; the end is looked for only if the file does not stop with it."""
    offset: int | None = 2
    for _ in range(_MAX_SEGMENTS):
        offset = _find_marker(source, offset)
        if offset is None:
            notes.problem = TRUNCATED
            return
        marker, head = _marker_at(source, offset)
        if marker in BARE_MARKERS:
            offset += 2
            continue
        length = int.from_bytes(head, "big")
        if marker == END_OF_IMAGE or length < 2:
            notes.problem = DAMAGED
            return
        if offset + 2 + length > source.size:
            notes.problem = TRUNCATED
            return
        if marker == START_OF_SCAN:
            _check_end(source, notes, offset)
            return
        _note_segment(source, notes, marker, offset + 4, length - 2)
        offset += 2 + length
    notes.problem = DAMAGED


def _marker_at(source: Source, offset: int) -> tuple[int, bytes]:
    start = source.start
    head = start[offset:offset + 4] if offset + 4 <= len(start) else source.read(offset, 4)
    return head[1], head[2:4]


def _find_marker(source: Source, offset: int | None) -> int | None:
    """Where the next marker stands: at `offset` in a sound file, behind fill bytes or junk in others."""
    if offset is None:
        return None
    head = source.start[offset:offset + 2] if offset + 2 <= len(source.start) else source.read(offset, 2)
    if len(head) == 2 and head[0] == 0xFF and head[1] not in (0, 0xFF):
        return offset
    found = _MARKER.search(source.read(offset, _MAX_JUNK))
    return offset + found.start() if found else None


def _note_segment(source: Source, notes: Notes, marker: int, offset: int, length: int) -> None:
    if marker in START_OF_FRAME:
        data = source.read(offset, 5)
        if len(data) == 5:
            notes.set_size(int.from_bytes(data[3:5], "big"), int.from_bytes(data[1:3], "big"))
    elif marker == APP1:
        data = source.read(offset, length)
        if data.startswith(EXIF_PREFIX):
            if notes.exif is None:
                notes.exif = data
            elif len(notes.exif) < EXIF_LIMIT:  # a long block goes on in the next segment
                notes.exif += data[len(EXIF_PREFIX):]
        elif data.startswith(XMP_PREFIX):
            notes.texts["xmp"] = data[len(XMP_PREFIX):].decode("utf-8", "replace")
    elif marker == COMMENT:
        notes.texts["comment"] = source.read(offset, length).decode("utf-8", "replace")


def _check_end(source: Source, notes: Notes, offset: int) -> None:
    """In the pixels' bytes the end's mark cannot occur (T.81 §B.1.1.5), so wherever it stands behind them, they are all there."""
    if notes.width is None:
        notes.problem = notes.problem or DAMAGED
        return
    if source.read(source.size - 2, 2) == END:
        return
    while offset < source.size:
        block = source.read(offset, _STEP)
        if END in block:
            return
        if len(block) < _STEP:
            break
        offset += len(block) - 1
    notes.problem = TRUNCATED
