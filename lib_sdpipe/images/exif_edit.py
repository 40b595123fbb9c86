"""Setting and removing the user comment of an EXIF block; every other tag keeps its bytes and its place.

Values and directories stay where they are, since a MakerNote holds offsets that only its maker knows. What is new is appended and
the pointers to it are changed; what is no longer used is zeroed, or cut off where it lies at the end.
"""

from __future__ import annotations

import struct

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.exif import EXIF_IFD, ORIENTATION, USER_COMMENT, ExifEntry, exif_endian, exif_pointer, first_ifd, iter_entries

_GPS_IFD, _INTEROPERABILITY_IFD = 0x8825, 0xA005
_SHORT, _LONG, _UNDEFINED = 3, 4, 7
_MAX_RANGES = 2_000


class UnsupportedEditError(SdPipeError):
    """The text of a file cannot be changed without loss: its format, its damage or the length of the text forbid it."""


def build_exif(comment: bytes) -> bytes:
    """A TIFF block with nothing but the user comment, byte for byte as piexif makes it for the hosts."""
    first = struct.pack(">HHHIII", 1, EXIF_IFD, _LONG, 1, 26, 0)
    return b"MM\0*" + struct.pack(">I", 8) + first + struct.pack(">HHHII", 1, USER_COMMENT, _UNDEFINED, len(comment), 40) + comment


def build_orientation(orientation: int) -> bytes:
    """A TIFF block with nothing but how the picture is to be turned; 1, not at all, is an empty one."""
    if orientation == 1:
        return b"MM\0*" + struct.pack(">IHI", 8, 0, 0)
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, ORIENTATION, _SHORT, 1, orientation, 0, 0)


def set_user_comment(block: bytes, comment: bytes | None) -> bytes | None:
    """The TIFF block with another user comment, or without; None where nothing is left in it. Raises UnsupportedEditError."""
    edit = _Edit(block)
    if comment is None:
        return edit.without_comment()
    return edit.with_comment(comment)


class _Edit:
    """A block in change. `at` of a directory is its offset; entries are in file order."""

    def __init__(self, block: bytes) -> None:
        endian = exif_endian(block)
        if endian is None:
            raise UnsupportedEditError("its EXIF block is damaged: no TIFF header")
        self._block = bytearray(block)
        self._endian = endian
        self._first = first_ifd(block, endian)
        self._first_entries = self._entries(self._first)
        pointer = self._find(self._first_entries, EXIF_IFD)
        self._pointer = pointer
        self._sub = exif_pointer(block, pointer, endian) if pointer else None
        if pointer and self._sub is None:
            raise UnsupportedEditError("its EXIF block is damaged: no offset where one belongs")
        self._sub_entries = self._entries(self._sub) if self._sub is not None else []
        self._comment = self._find(self._sub_entries, USER_COMMENT)

    def with_comment(self, comment: bytes) -> bytes:
        """The new value is written over the old one if it fits, else behind everything, where the next edit can replace it."""
        entry = self._comment
        if entry is None:
            self._add_entry()
            entry = ExifEntry(USER_COMMENT, _UNDEFINED, 0, self._find_new_comment(), 0, 0)
        elif bytes(self._block[entry.start:entry.start + entry.size]) == comment and entry.kind == _UNDEFINED:
            return bytes(self._block)
        is_ours = self._drop_value(entry)
        fits = is_ours and len(comment) <= entry.size and entry.start + entry.size <= len(self._block)
        start = entry.start if fits else self._append(comment)
        self._block[start:start + len(comment)] = comment
        self._put("HHII", entry.at, USER_COMMENT, _UNDEFINED, len(comment), start)
        return bytes(self._block)

    def _add_entry(self) -> None:
        """An empty user comment, in a copy of its directory at the end of the block; or in a new one, and that in a copy of the first."""
        number = len(self._sub_entries)
        empty = (USER_COMMENT, _UNDEFINED, 0, 0)
        if self._pointer is not None and self._sub is not None:
            self._put("HHII", self._pointer.at, EXIF_IFD, _LONG, 1, self._append_directory(self._sub, number, empty, 0))
            return
        number = len(self._first_entries)
        sub = self._append(struct.pack(self._endian + "HHHIII", 1, *empty, 0))
        first = self._append_directory(self._first, number, (EXIF_IFD, _LONG, 1, sub), self._next_of(self._first, number))
        self._put("I", 4, first)

    def _find_new_comment(self) -> int:
        """Where the entry stands that _add_entry made."""
        block = bytes(self._block)
        pointer = self._find(list(iter_entries(block, first_ifd(block, self._endian), self._endian)), EXIF_IFD)
        sub = exif_pointer(block, pointer, self._endian) if pointer else None
        entry = self._find(list(iter_entries(block, sub or 0, self._endian)), USER_COMMENT)
        if entry is None:
            raise UnsupportedEditError("its EXIF block is damaged: directories overlap")
        return entry.at

    def without_comment(self) -> bytes | None:
        if self._comment is None or self._sub is None or self._pointer is None:
            return bytes(self._block)
        self._drop_value(self._comment)
        if len(self._sub_entries) > 1:
            self._remove_entry(self._sub, len(self._sub_entries), self._comment, 0)
            return bytes(self._block)
        number = len(self._first_entries)
        next_ifd = self._next_of(self._first, number)
        if number == 1 and not next_ifd:
            return None
        self._remove_entry(self._first, number, self._pointer, next_ifd)
        return bytes(self._block)

    def _entries(self, offset: int) -> list[ExifEntry]:
        """All of a directory, or the error: half a directory cannot be changed safely."""
        entries = list(iter_entries(bytes(self._block), offset, self._endian))
        if offset + 2 > len(self._block) or struct.unpack_from(self._endian + "H", self._block, offset)[0] != len(entries):
            raise UnsupportedEditError("its EXIF block is damaged: an entry leads out of it or is of no known type, or they are too many")
        if len({entry.tag for entry in entries}) != len(entries):
            raise UnsupportedEditError("its EXIF block is damaged: a tag stands in it twice")
        return entries

    def _next_of(self, directory: int, number: int) -> int:
        """The link behind a directory of `number` entries; 0 where the block ends before it."""
        end = directory + 2 + 12 * number
        return int(struct.unpack_from(self._endian + "I", self._block, end)[0]) if end + 4 <= len(self._block) else 0

    def _find(self, entries: list[ExifEntry], tag: int) -> ExifEntry | None:
        return next((entry for entry in entries if entry.tag == tag), None)

    def _put(self, form: str, offset: int, *values: int) -> None:
        struct.pack_into(self._endian + form, self._block, offset, *values)

    def _append(self, data: bytes) -> int:
        """The offset of `data` at the end; TIFF wants it even."""
        if len(self._block) % 2:
            self._block.append(0)
        offset = len(self._block)
        self._block += data
        return offset

    def _append_directory(self, old: int, number: int, entry: tuple[int, int, int, int], next_ifd: int) -> int:
        """A copy of the directory at `old` with one more entry, in order of tags."""
        rows = [bytes(self._block[at:at + 12]) for at in range(old + 2, old + 2 + 12 * number, 12)]
        rows.append(struct.pack(self._endian + "HHII", *entry))
        rows.sort(key=lambda row: struct.unpack_from(self._endian + "H", row)[0])
        head = struct.pack(self._endian + "H", len(rows))
        return self._append(head + b"".join(rows) + struct.pack(self._endian + "I", next_ifd))

    def _remove_entry(self, directory: int, number: int, entry: ExifEntry, next_ifd: int) -> None:
        """Entries behind it move up; the link to the next directory with them, and what is left over becomes zero."""
        end = directory + 2 + 12 * number
        rest = bytes(self._block[entry.at + 12:end]) + struct.pack(self._endian + "I", next_ifd)
        self._block[entry.at:end] = rest.ljust(end - entry.at, b"\0")
        if next_ifd:  # the old link stood behind the entries
            self._put("I", end, 0)
        self._put("H", directory, number - 1)

    def _drop_value(self, entry: ExifEntry) -> bool:
        """Cut the value off, or zero it, unless it overlaps what is another's. A removed prompt must not linger in the file."""
        end = entry.start + entry.size
        if entry.size <= 4 or any(first < end and entry.start < last for first, last in self._other_ranges(entry)):
            return False
        if end == len(self._block):
            del self._block[entry.start:]
        else:
            self._block[entry.start:end] = bytes(entry.size)
        return True

    def _other_ranges(self, but: ExifEntry) -> list[tuple[int, int]]:
        """Every range that is in use: header, directories, values. The whole block, where they are more than any program writes."""
        block, ranges = bytes(self._block), [(0, 8)]
        todo, seen = [self._first], set()
        while todo:
            if len(ranges) > _MAX_RANGES:
                return [(0, len(block))]
            offset = todo.pop()
            if offset in seen or not 0 < offset < len(block) - 1:
                continue
            seen.add(offset)
            (number,) = struct.unpack_from(self._endian + "H", block, offset)
            end = offset + 2 + 12 * number
            ranges.append((offset, end))
            for entry in iter_entries(block, offset, self._endian):
                if entry.at != but.at:
                    ranges.append((entry.start, entry.start + entry.size))
                if entry.tag in (EXIF_IFD, _GPS_IFD, _INTEROPERABILITY_IFD):
                    todo.append(exif_pointer(block, entry, self._endian) or 0)
            if offset == self._first and end + 4 <= len(block):
                todo.append(struct.unpack_from(self._endian + "I", block, end)[0])
        return ranges
