"""Locks that die with their process, on a file of a local disk."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from lib_sdpipe.errors import LockedError

# Windows locks byte ranges and forbids reading them: one byte far behind any content.
_LOCK_BYTE = 1 << 40
_LONGEST_HOLDER = 200

if os.name == "nt":
    import msvcrt

    def try_lock(descriptor: int) -> bool:
        """Take the lock on an open file without waiting; True if it is now ours."""
        os.lseek(descriptor, _LOCK_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            return True
        except OSError:
            return False
else:
    import fcntl

    def try_lock(descriptor: int) -> bool:
        """Take the lock on an open file without waiting; True if it is now ours."""
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            return False


@contextmanager
def hold_lock(path: Path, wait_seconds: float = 10.0, holder: str | None = None) -> Iterator[None]:
    """Hold the lock file at `path`; raises LockedError when another process keeps it longer than `wait_seconds`.

    With `holder`, one line that stands in the file meanwhile, the error of others says who holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait_seconds
        while not try_lock(descriptor):
            if time.monotonic() > deadline:
                raise LockedError(f"{path}: held by {_read_holder(descriptor)}{_how_long(wait_seconds)}; try again when it has ended")
            time.sleep(0.02)
        if holder is not None:
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            os.write(descriptor, holder.encode("utf-8", "replace"))
        yield
    finally:
        os.close(descriptor)


def _read_holder(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, _LONGEST_HOLDER).decode("utf-8", "replace") or "another process"


def _how_long(seconds: float) -> str:
    return f" for over {seconds:g} s" if seconds else ""
