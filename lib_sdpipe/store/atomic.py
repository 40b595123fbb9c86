"""Writing a file so that a reader sees the old one or the new one, never half of one."""

from __future__ import annotations

import os
import secrets
import time
from pathlib import Path

TEMPORARY_SUFFIX = ".sdpipe-tmp"
_REPLACE_TRIES = 20


def write_atomic(path: Path, data: bytes) -> None:
    """Temporary name in the same folder, fsync, rename, fsync of the folder. Makes the folder; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        _replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _fsync_folder(path.parent)


def temporary_name(path: Path) -> Path:
    """A hidden name beside `path` that tells whose it is."""
    return path.parent / f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}{TEMPORARY_SUFFIX}"


def sweep_temporaries(folder: Path, pid: str, deep: bool = True) -> None:
    """Remove what a dead process was in the middle of writing."""
    pattern = f".*.{pid}-*{TEMPORARY_SUFFIX}"
    for path in folder.rglob(pattern) if deep else folder.glob(pattern):
        path.unlink(missing_ok=True)


def _replace(temporary: Path, path: Path) -> None:
    # On Windows a virus scanner or an open viewer can hold the target for a moment.
    for attempt in range(_REPLACE_TRIES):
        try:
            os.replace(temporary, path)
            return
        except PermissionError:
            if os.name != "nt" or attempt == _REPLACE_TRIES - 1:
                raise
            time.sleep(0.05)


def _fsync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # some network file systems refuse to sync a folder; the rename itself has been done
    finally:
        os.close(descriptor)
