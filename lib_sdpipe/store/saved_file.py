"""Which file a host really wrote: with "Add number suffix" it reports an older file's name (docs/hosts.md)."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class FileStamp:
    """What tells a file from another one that later has its name."""

    inode: int
    bytes: int
    mtime_ns: int

    def to_json(self) -> dict[str, int]:
        return asdict(self)

    @staticmethod
    def from_json(document: Any) -> "FileStamp | None":
        if not isinstance(document, dict):
            return None
        return FileStamp(document["inode"], document["bytes"], document["mtime_ns"])


def read_stamp(path: str) -> FileStamp | None:
    """None where there is no such file."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return FileStamp(status.st_ino, status.st_size, status.st_mtime_ns)


def find_free_name(path: str) -> str:
    """Where a host set to "Add number suffix" will write when `path` is taken: the first of `-1`, `-2` ... not there."""
    stem, extension = os.path.splitext(path)
    number = 1
    while os.path.exists(f"{stem}-{number}{extension}"):
        number += 1
    return f"{stem}-{number}{extension}"


def find_saved_file(path: str, before: FileStamp | None, free: str | None) -> str | None:
    """The file that was written when `path` was asked for, or None if none was.

    `before` is what lay at `path` just before, `free` the free name beside it then. If the old file is still there
    the host went on to the free name.
    """
    now = read_stamp(path)
    if now is None or now != before:
        return path if now is not None else None
    return free if free is not None and os.path.exists(free) else None
