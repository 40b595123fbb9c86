"""AVIF (ISO/IEC 23008-12 in ISO/IEC 14496-12 boxes): size and EXIF of a file, without its pixels."""

from __future__ import annotations

from collections.abc import Iterator

from lib_sdpipe.images.exif import EXIF_LIMIT
from lib_sdpipe.images.source import DAMAGED, TRUNCATED, Notes, Source

_META_LIMIT = 1 << 20
_MAX_BOXES = 1_000
_MAX_EXTENTS = 64

Box = tuple[bytes, bytes]


def read_avif(source: Source, notes: Notes) -> None:
    """The `meta` box says where everything lies; a box that leads beyond the end of the file is a truncation."""
    offset, meta = 0, None
    for _ in range(_MAX_BOXES):
        if offset >= source.size:
            break
        header = source.read(offset, 16)
        length, skip = box_length(header, source.size - offset)
        if length < skip or len(header) < 8:
            notes.problem = DAMAGED if len(header) >= 8 else TRUNCATED
            break
        if offset + length > source.size:
            notes.problem = TRUNCATED
        if header[4:8] == b"meta" and meta is None and skip + 4 <= length <= _META_LIMIT:
            meta = source.read(offset + skip + 4, length - skip - 4)
        offset += length
    if meta is None:
        notes.problem = notes.problem or DAMAGED
        return
    boxes = dict(iter_boxes(meta))
    _note_size(notes, boxes)
    item = _exif_item(boxes.get(b"iinf", b""))
    if item is not None:
        _note_exif(source, notes, boxes, item)


def box_length(header: bytes, rest: int) -> tuple[int, int]:
    """The whole length of a box and that of its header."""
    length = int.from_bytes(header[:4], "big")
    if length == 1:
        return int.from_bytes(header[8:16], "big"), 16
    return (rest if length == 0 else length), 8


def iter_boxes(data: bytes) -> Iterator[Box]:
    offset = 0
    for _ in range(_MAX_BOXES):
        header = data[offset:offset + 16]
        length, skip = box_length(header, len(data) - offset)
        if len(header) < 8 or length < skip or offset + length > len(data):
            return
        yield header[4:8], data[offset + skip:offset + length]
        offset += length


def _note_size(notes: Notes, boxes: dict[bytes, bytes]) -> None:
    """The `ispe` property that the primary item refers to."""
    primary = boxes.get(b"pitm", b"")
    item = int.from_bytes(primary[4:] if primary[:1] == b"\1" else primary[4:6], "big")
    iprp = dict(iter_boxes(boxes.get(b"iprp", b"")))
    properties = list(iter_boxes(iprp.get(b"ipco", b"")))
    for number in _associated(iprp.get(b"ipma", b""), item):
        if 0 < number <= len(properties):
            kind, data = properties[number - 1]
            if kind == b"ispe" and len(data) >= 12:
                notes.set_size(int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big"))
                return
    notes.problem = notes.problem or DAMAGED


def _associated(ipma: bytes, item: int) -> list[int]:
    """The numbers, from 1, of the properties of `item`."""
    wide_item, wide_number = ipma[:1] == b"\1", bool(ipma[3:4] and ipma[3] & 1)
    item_size, number_size = 4 if wide_item else 2, 2 if wide_number else 1
    offset = 8
    while offset + item_size < len(ipma):
        found = int.from_bytes(ipma[offset:offset + item_size], "big")
        offset += item_size
        count = ipma[offset]
        numbers = ipma[offset + 1:offset + 1 + count * number_size]
        if found == item:
            mask = 0x7FFF if wide_number else 0x7F
            return [int.from_bytes(numbers[i:i + number_size], "big") & mask for i in range(0, len(numbers), number_size)]
        offset += 1 + count * number_size
    return []


def _exif_item(iinf: bytes) -> int | None:
    """The id of the item of type `Exif`."""
    for kind, entry in iter_boxes(iinf[6 if iinf[:1] == b"\0" else 8:]):
        id_size = {2: 2, 3: 4}.get(entry[0] if entry else 0)
        if kind == b"infe" and id_size and entry[6 + id_size:10 + id_size] == b"Exif":
            return int.from_bytes(entry[4:4 + id_size], "big")
    return None


def _note_exif(source: Source, notes: Notes, boxes: dict[bytes, bytes], item: int) -> None:
    data = b""
    for method, offset, length in item_extents(boxes.get(b"iloc", b""), item):
        if length > EXIF_LIMIT - len(data):
            return
        idat = boxes.get(b"idat", b"")
        data += idat[offset:offset + length] if method == 1 else source.read(offset, length)
    # Four bytes say how far behind them the TIFF block begins.
    notes.exif = data[4 + int.from_bytes(data[:4], "big"):]


def item_extents(iloc: bytes, item: int) -> list[tuple[int, int, int]]:
    """(construction method, offset, length) of each piece of `item`."""
    numbers = _Numbers(iloc)
    version = numbers.take(4) >> 24
    sizes = numbers.take(2)
    offset_size, length_size, base_size, index_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15, sizes & 15
    for _ in range(min(numbers.take(2 if version < 2 else 4), _MAX_BOXES)):
        found = numbers.take(2 if version < 2 else 4)
        method = numbers.take(2) & 15 if version else 0
        numbers.take(2)
        base = numbers.take(base_size)
        count = numbers.take(2)
        extents = []
        for _ in range(min(count, _MAX_EXTENTS)):
            if version and index_size:
                numbers.take(index_size)
            extents.append((method, base + numbers.take(offset_size), numbers.take(length_size)))
        if found == item or count > _MAX_EXTENTS or numbers.is_over:
            return extents if found == item and not numbers.is_over else []
    return []


class _Numbers:
    """Big-endian numbers one after the other; zeros behind the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._offset = 0

    @property
    def is_over(self) -> bool:
        return self._offset > len(self._data)

    def take(self, size: int) -> int:
        number = int.from_bytes(self._data[self._offset:self._offset + size], "big")
        self._offset += size
        return number
