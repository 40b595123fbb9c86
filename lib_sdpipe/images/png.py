"""PNG (ISO/IEC 15948): size, texts and end of a file, chunk by chunk, without its pixels."""

from __future__ import annotations

import struct
import zlib

from lib_sdpipe.images.exif import EXIF_LIMIT, EXIF_PREFIX, INFOTEXT_LIMIT
from lib_sdpipe.images.source import DAMAGED, TRUNCATED, Notes, Source

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
_XMP = "XML:com.adobe.xmp"
_HEADER = struct.Struct(">I4s")
_SIZE = struct.Struct(">II")
_DEFLATE_RATIO = 1032
_HEAD_CHUNKS = 10_000
# Behind the first pixels: so many chunks are looked at for text, and so many to find the end of a file with something behind it.
_TEXT_SEARCH_CHUNKS = 256
_END_SEARCH_CHUNKS = 20_000


def read_png(source: Source, notes: Notes) -> None:
    """Texts before the pixels; only where there are none, texts behind them.

    Bytes behind the end are no damage: some programs put things there. The end is looked for only if the file does not stop with it.
    """
    start = source.start
    if len(start) < 33:
        notes.problem = TRUNCATED
        return
    if start[8:16] != b"\0\0\0\rIHDR" or zlib.crc32(start[12:29]) != int.from_bytes(start[29:33], "big"):
        notes.problem = DAMAGED
        return
    notes.set_size(*_SIZE.unpack_from(start, 16))
    pixels = _read_chunks(source, notes, 33, b"IDAT", _HEAD_CHUNKS)
    if pixels is None or notes.problem:
        notes.problem = notes.problem or DAMAGED
        return
    if source.read(source.size - 12, 12) != END:
        end = _read_chunks(source, notes, pixels, b"IEND", _END_SEARCH_CHUNKS)
        if end is not None and end + len(END) > source.size:
            notes.problem = TRUNCATED
    elif not (notes.texts or notes.exif):
        _read_chunks(source, notes, pixels, b"IEND", _TEXT_SEARCH_CHUNKS)


def read_text_chunk(kind: bytes, data: bytes, limit: int) -> tuple[str, str, int]:
    """Keyword and text, as Pillow reads them, and what it cost in bytes. A text of more than `limit` bytes is cut.

    The keyword is empty where there is no text.
    """
    keyword, found, value = data.partition(b"\0")
    encoding = "latin-1"
    is_compressed = kind == b"zTXt"
    if kind == b"iTXt":
        parts = value[2:].split(b"\0", 2)
        if len(parts) < 3 or value[0] and value[1]:
            return "", "", len(data)
        is_compressed, value, encoding = value[0] != 0, parts[2], "utf-8"
    elif is_compressed:
        if not found or value[:1] != b"\0":
            return "", "", len(data)
        value = value[1:]
    if is_compressed:
        try:
            value = zlib.decompressobj().decompress(value, limit)
        except zlib.error:  # how much was unpacked before is not known; this is the most
            return "", "", len(data) * _DEFLATE_RATIO
    cost = max(len(data), len(value))
    try:
        text = value[:limit].decode(encoding, "strict" if len(value) < limit else "ignore")
    except UnicodeDecodeError:
        return "", "", cost
    return keyword.decode("latin-1"), text, cost


def _read_chunks(source: Source, notes: Notes, offset: int, until: bytes, limit: int) -> int | None:
    """Note the texts from `offset` to the first chunk named `until`; its offset, or None with the problem, or after `limit` chunks."""
    start, size, budget = source.start, source.size, INFOTEXT_LIMIT
    safe = len(start) - 8
    for _ in range(limit):
        header = start[offset:offset + 8] if offset <= safe else source.read(offset, 8)
        if len(header) < 8:
            notes.problem = TRUNCATED
            return None
        length, kind = _HEADER.unpack(header)
        if kind == until:
            return offset
        if offset + 12 + length > size or length > 0x7FFFFFFF or not kind.isalpha():
            notes.problem = TRUNCATED if kind.isalpha() and length <= 0x7FFFFFFF else DAMAGED
            return None
        if kind in TEXT_CHUNKS:
            budget -= _note_text(source, notes, kind, offset + 8, length, budget)
        elif kind == b"eXIf" and length <= EXIF_LIMIT:
            notes.exif = EXIF_PREFIX + source.read(offset + 8, length)
        elif kind == b"IEND":
            return None
        offset += 12 + length
    return None


def _note_text(source: Source, notes: Notes, kind: bytes, offset: int, length: int, budget: int) -> int:
    """How many bytes of the budget the text took. Beyond it nothing more is read."""
    if budget <= 0:
        return 0
    whole = length <= budget + 4096
    data = source.read(offset - 4, length + 8 if whole else budget + 4096)
    if whole:
        if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "big"):
            notes.problem = DAMAGED
            return length
        data = data[:-4]
    keyword, text, cost = read_text_chunk(kind, data[4:], budget)
    if keyword:
        notes.texts["xmp" if keyword == _XMP else keyword] = text
    return cost
