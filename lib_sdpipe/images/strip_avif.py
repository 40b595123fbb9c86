"""AVIF without anything but the picture. Its parts are found by their places in the file, so what goes is overwritten, not cut out."""

from __future__ import annotations

from collections.abc import Iterator

from lib_sdpipe.images.avif import box_length, item_extents, iter_boxes
from lib_sdpipe.images.exif import read_orientation
from lib_sdpipe.images.exif_edit import UnsupportedEditError, build_orientation

_MOST_BOXES = 1_000
_NOTES = (b"Exif", b"mime", b"uri ")
_IN_FILE, _IN_META = 0, 1

Range = tuple[int, int]


def strip_avif(data: bytes) -> bytes:
    """Bytes of the media that no part of the picture claims become zero. Raises UnsupportedEditError."""
    boxes = list(_iter_places(data, 0, len(data)))
    meta = next(((start, end) for kind, start, end in boxes if kind == b"meta"), None)
    if meta is None or any(kind == b"moov" for kind, _, _ in boxes):
        raise UnsupportedEditError("it is a sequence of pictures, or damaged: its parts cannot be told apart")
    inner = list(_iter_places(data, meta[0] + 4, meta[1]))
    out, kept, notes = bytearray(data), [], []
    for item, kind in _iter_items(data, inner):
        ranges = _item_ranges(data, inner, item)
        (notes if kind in _NOTES else kept).extend((kind, *found) for found in ranges)
    media = [(start, end) for kind, start, end in boxes if kind == b"mdat"] + [(s, e) for kind, s, e in inner if kind == b"idat"]
    for start, end in _gaps(media, [(start, end) for _, start, end in kept]):
        out[start:end] = bytes(end - start)
    for kind, start, end in boxes:
        if kind not in (b"ftyp", b"meta", b"mdat"):
            out[start:end] = bytes(end - start)
    for kind, start, end in inner:
        if kind in (b"free", b"skip", b"uuid", b"udta"):
            out[start:end] = bytes(end - start)
    for kind, start, end in notes:
        if kind == b"Exif":
            _write_orientation(out, data, start, end)
    return bytes(out)


def _write_orientation(out: bytearray, data: bytes, start: int, end: int) -> None:
    """Readers expect a TIFF block where one is announced: four bytes say how far behind them it begins."""
    block = data[start + 4 + int.from_bytes(data[start:start + 4], "big"):end]
    new = bytes(4) + build_orientation(read_orientation(block))
    if len(new) <= end - start:
        out[start:start + len(new)] = new


def _iter_places(data: bytes, offset: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start of the content and end of each box."""
    for _ in range(_MOST_BOXES):
        header = data[offset:min(offset + 16, end)]
        length, skip = box_length(header, end - offset)
        if len(header) < 8 or length < skip or offset + length > end:
            break
        yield header[4:8], offset + skip, offset + length
        offset += length
    if offset != end:
        raise UnsupportedEditError("the file is damaged: bytes that belong to no part")


def _iter_items(data: bytes, inner: list[tuple[bytes, int, int]]) -> Iterator[tuple[int, bytes]]:
    """Id and kind of each item of the `iinf` box; without a box there is nothing to go by."""
    start, end = next(((start, end) for kind, start, end in inner if kind == b"iinf"), (0, 0))
    if not end:
        raise UnsupportedEditError("the file is damaged: it does not say what it holds")
    skip = 6 if data[start:start + 1] == b"\0" else 8
    for kind, entry in iter_boxes(data[start + skip:end]):
        size = {2: 2, 3: 4}.get(entry[0] if entry else 0)
        if kind != b"infe" or size is None:
            raise UnsupportedEditError("its parts are listed in a way that is not known")
        yield int.from_bytes(entry[4:4 + size], "big"), entry[6 + size:10 + size]


def _item_ranges(data: bytes, inner: list[tuple[bytes, int, int]], item: int) -> list[Range]:
    """Where the item's bytes lie in the file."""
    iloc = next((data[start:end] for kind, start, end in inner if kind == b"iloc"), b"")
    idat = next((start for kind, start, _ in inner if kind == b"idat"), 0)
    found = []
    for method, offset, length in item_extents(iloc, item):
        if method not in (_IN_FILE, _IN_META):
            raise UnsupportedEditError("its parts lie in a way that is not known")
        start = offset + (idat if method == _IN_META else 0)
        end = start + length if length else len(data)
        if end > len(data):
            raise UnsupportedEditError("the file is truncated")
        found.append((start, end))
    return found


def _gaps(media: list[Range], kept: list[Range]) -> Iterator[Range]:
    """What of the media is not kept."""
    for start, end in media:
        for first, last in sorted(kept):
            if last <= start or first >= end:
                continue
            if first > start:
                yield start, first
            start = max(start, last)
        if start < end:
            yield start, end
