"""Writing a file so that a reader sees the old one or the new one, never half of one; and so that a power cut keeps it."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path
from typing import Iterable

TEMPORARY_SUFFIX = ".sdpipe-tmp"
_REPLACE_TRIES = 20


def write_atomic(path: Path, data: bytes) -> None:
    """Temporary name in the same folder, fsync, rename, fsync of the folder. Makes the folder; raises OSError."""
    write_pieces(path, (data,))


def write_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same for what is too long to be held at once; whatever is raised on the way, the old file stands."""
    make_folder(path.parent)
    temporary = temporary_name(path)
    try:
        with open(temporary, "xb") as file:
            file.writelines(pieces)
            file.flush()
            os.fsync(file.fileno())
        replace_file(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and what is missing above it, each synced into the one above. Raises OSError."""
    missing = []
    for above in (folder, *folder.parents):
        if above.is_dir():
            break
        missing.append(above)
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        sync_folder(one.parent)


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` that tells whose it is."""
    return path.parent / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"


def sweep_temporaries(folder: Path, pid: str, deep: bool = True) -> None:
    """Remove what a dead process was in the middle of writing."""
    pattern = f".*.{pid}-*{TEMPORARY_SUFFIX}"
    for path in folder.rglob(pattern) if deep else folder.glob(pattern):
        path.unlink(missing_ok=True)


def sync_file(path: Path) -> None:
    """Have what was written to a file by others on the disk. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems refuse to sync a folder; the rename itself has been done
    finally:
        os.close(descriptor)


def replace_file(temporary: Path, path: Path) -> None:
    """Give `temporary` the name `path`, over what has it now. Raises OSError."""
    # On Windows a virus scanner or an open viewer can hold the target for a moment.
    for attempt in range(_REPLACE_TRIES):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(0.05)
