"""EXIF blocks: the texts in them, and the user comment as the hosts write and read it. Plain TIFF, no Pillow."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

EXIF_PREFIX = b"Exif\0\0"
EXIF_IFD = 0x8769
USER_COMMENT = 0x9286
ORIENTATION = 0x0112
# What is read of one file's text, in bytes as they stand in the file and in characters of one text.
INFOTEXT_LIMIT = 1 << 20
# A longer block is passed over. As UTF-16 the longest infotext takes half of it.
EXIF_LIMIT = 4 << 20
_MAX_ENTRIES = 2_000

_ENDIANS = {b"MM\0*": ">", b"II*\0": "<", b"MM*\0": ">", b"II\0*": "<"}  # the last two are wrong; Pillow reads them
_UNIT_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_BYTE, _ASCII, _SHORT, _LONG, _UNDEFINED, _IFD = 1, 2, 3, 4, 7, 13
# Other programs keep prompts and workflows in these.
_TEXT_TAGS = {
    0x010E: "ImageDescription", 0x010F: "Make", 0x0110: "Model", 0x0131: "Software", 0x013B: "Artist", 0x8298: "Copyright",
}
_XP_COMMENT = 0x9C9C
_COMMENT_CODES = {b"ASCII\0\0\0": "ascii", b"UNICODE\0": "utf-16-be", b"JIS\0\0\0\0\0": "shift_jis"}


class ExifEntry(NamedTuple):
    """One entry of a directory: `at` is where its 12 bytes stand, `start` and `size` say where its value lies in the block."""

    tag: int
    kind: int
    count: int
    at: int
    start: int
    size: int


def exif_endian(block: bytes) -> str | None:
    """`>` or `<`; None for what is no TIFF block."""
    return _ENDIANS.get(block[:4]) if len(block) >= 8 else None


def first_ifd(block: bytes, endian: str) -> int:
    return int(struct.unpack_from(endian + "I", block, 4)[0])


def iter_entries(block: bytes, offset: int, endian: str) -> Iterator[ExifEntry]:
    """The directory at `offset`, up to the first entry that leads out of the block, as Pillow does; at most 2,000 of them."""
    if offset + 2 > len(block):
        return
    (number,) = struct.unpack_from(endian + "H", block, offset)
    for at in range(offset + 2, min(offset + 2 + 12 * min(number, _MAX_ENTRIES), len(block) - 11), 12):
        tag, kind, count, value = struct.unpack_from(endian + "HHII", block, at)
        unit = _UNIT_SIZES.get(kind)
        if unit is None:
            continue
        start, size = (value, count * unit) if count * unit > 4 else (at + 8, count * unit)
        if start + size > len(block):
            return
        yield ExifEntry(tag, kind, count, at, start, size)


def exif_pointer(block: bytes, entry: ExifEntry, endian: str) -> int | None:
    """The offset that a directory's pointer holds."""
    if entry.count != 1 or entry.kind not in (_SHORT, _LONG, _IFD):
        return None
    return int(struct.unpack_from(endian + ("H" if entry.kind == _SHORT else "I"), block, entry.start)[0])


def read_exif_texts(block: bytes) -> dict[str, str]:
    """`exif:NAME` to text of every tag that may hold a prompt; empty for a damaged block. `Exif\\0\\0` may precede it."""
    for _ in range(2):  # a PNG that repeats it
        block = block.removeprefix(EXIF_PREFIX)
    endian = exif_endian(block)
    if endian is None:
        return {}
    texts: dict[str, str] = {}
    # The last of a tag counts; only that one is decoded, since a hostile directory names one long text many times.
    entries = {entry.tag: entry for entry in iter_entries(block, first_ifd(block, endian), endian) if entry.size}
    for tag, name in _TEXT_TAGS.items():
        if tag in entries and entries[tag].kind == _ASCII:
            texts["exif:" + name] = _plain_text(_value(block, entries[tag]))
    if _XP_COMMENT in entries and entries[_XP_COMMENT].kind in (_BYTE, _UNDEFINED):
        texts["exif:XPComment"] = _value(block, entries[_XP_COMMENT]).decode("utf-16-le", "replace").strip("\0")
    sub_ifd = exif_pointer(block, entries[EXIF_IFD], endian) if EXIF_IFD in entries else None
    comment = None if sub_ifd is None else _user_comment(block, sub_ifd, endian)
    if comment:
        texts["exif:UserComment"] = comment
    return {name: text[:INFOTEXT_LIMIT] for name, text in texts.items() if text}


def read_orientation(block: bytes | None) -> int:
    """How the picture is to be turned before it is shown, 2 to 8; 1 for not at all, and where the block does not say."""
    block = (block or b"").removeprefix(EXIF_PREFIX)
    endian = exif_endian(block)
    if endian is None:
        return 1
    found = [entry for entry in iter_entries(block, first_ifd(block, endian), endian) if entry.tag == ORIENTATION]
    if not found or found[-1].kind != _SHORT or found[-1].count != 1:
        return 1
    value = int(struct.unpack_from(endian + "H", block, found[-1].start)[0])
    return value if 2 <= value <= 8 else 1


def decode_user_comment(comment: object) -> str | None:
    """EXIF 2.3 §4.6.5: eight bytes name the encoding. Hosts write UNICODE as UTF-16, big-endian."""
    if isinstance(comment, str):
        return comment
    if not isinstance(comment, bytes):
        return None
    encoding = _COMMENT_CODES.get(comment[:8])
    if encoding is None:
        return comment.decode("utf-8", "replace").strip("\0")
    return comment[8:].decode(encoding, "replace").strip("\0")


def encode_user_comment(text: str) -> bytes:
    """As the hosts do, through piexif. Raises UnicodeEncodeError for half a surrogate pair."""
    return b"UNICODE\0" + text.encode("utf-16-be")


def _user_comment(block: bytes, offset: int, endian: str) -> str | None:
    entries = [entry for entry in iter_entries(block, offset, endian) if entry.tag == USER_COMMENT and entry.size]
    if not entries:
        return None
    data = _value(block, entries[-1])
    if entries[-1].kind == _ASCII:  # against the standard; read as Pillow reads it
        return data.removesuffix(b"\0").decode("latin-1")
    return decode_user_comment(data) if entries[-1].kind in (_BYTE, _UNDEFINED) else None


def _value(block: bytes, entry: ExifEntry) -> bytes:
    return block[entry.start:entry.start + min(entry.size, 8 + 2 * INFOTEXT_LIMIT)]


def _plain_text(data: bytes) -> str:
    """ASCII by the standard; programs put UTF-8 there."""
    data = data.rstrip(b"\0")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")
