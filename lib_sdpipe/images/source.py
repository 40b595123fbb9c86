"""The bytes of one picture file, read where they are needed, and what its format's reader notes of it."""

from __future__ import annotations

import os
from typing import Protocol

# One read gets what a check needs of most pictures.
START_BYTES = 4096
_PREAD = getattr(os, "pread", None)  # Windows has none


class Source(Protocol):
    """`start` is the first few KB, `size` the length of it all. `read` gives fewer bytes at the end, never an error for it."""

    start: bytes
    size: int

    def read(self, offset: int, length: int) -> bytes: ...


class FileSource:
    """An open file. Raises OSError where the disk does."""

    __slots__ = ("_descriptor", "size", "start")

    def __init__(self, descriptor: int, size: int, start: bytes) -> None:
        self._descriptor = descriptor
        self.size = size
        self.start = start

    def read(self, offset: int, length: int) -> bytes:
        if offset + length <= len(self.start):
            return self.start[offset:offset + length] if offset >= 0 else b""
        if length <= 0 or offset < 0 or offset >= self.size:  # a hostile number; the disk need not be asked
            return b""
        if _PREAD is not None:
            return bytes(_PREAD(self._descriptor, length, offset))
        os.lseek(self._descriptor, offset, os.SEEK_SET)
        return os.read(self._descriptor, length)


class MemorySource:
    """A whole file in memory."""

    __slots__ = ("_data", "size", "start")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.size = len(data)
        self.start = data[:START_BYTES]

    def read(self, offset: int, length: int) -> bytes:
        return self._data[offset:offset + length] if offset >= 0 and length > 0 else b""


class Notes:
    """What a format's reader found: size in pixels, texts by name, the EXIF block, the one word of what is wrong."""

    __slots__ = ("exif", "height", "problem", "texts", "width")

    def __init__(self) -> None:
        self.width: int | None = None
        self.height: int | None = None
        self.texts: dict[str, str] = {}
        self.exif: bytes | None = None
        self.problem: str | None = None

    def set_size(self, width: int, height: int) -> None:
        if width > 0 and height > 0:
            self.width, self.height = width, height
        else:
            self.problem = DAMAGED


TRUNCATED = "truncated"
DAMAGED = "damaged"
