"""Which file a host really wrote: with "Add number suffix" it reports an older file's name (HOSTS §2.3)."""

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


def find_saved_file(path: str, before: FileStamp | None) -> str | None:
    """The file that was written when `path` was asked for, or None if none was.

    `before` is what lay at `path` just before. If that is still there the host went on to `-1`, `-2` ...: the last
    of the row is the new one, and it must be younger than the old file.
    """
    now = read_stamp(path)
    if now is None or now != before:
        return path if now is not None else None
    stem, extension = os.path.splitext(path)
    number, found = 1, None
    while (stamp := read_stamp(f"{stem}-{number}{extension}")) is not None:
        if stamp.mtime_ns >= now.mtime_ns:
            found = f"{stem}-{number}{extension}"
        number += 1
    return found
