"""One file of a recording log: made, locked and appended to whole lines at a time. Every call may wait for the disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from lib_sdpipe.store.atomic import make_folder, sync_folder
from lib_sdpipe.store.filelock import try_lock


class LogFile:
    """Open and locked until it is closed: nobody takes it for a dead process's."""

    def __init__(self, path: Path) -> None:
        """Raises OSError; FileExistsError if there is such a log already."""
        make_folder(path.parent)
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        self._end = self._synced_end = 0
        self._is_name_synced = False
        if not try_lock(self._descriptor) or not self.is_in_place():
            os.close(self._descriptor)
            raise FileExistsError(errno.EEXIST, "taken by another process", str(path))

    def is_in_place(self) -> bool:
        """Whether this file still is what its path names: it was not deleted, nor its disk taken away."""
        try:
            now = os.stat(self.path)
        except OSError:
            return False
        return os.path.samestat(now, os.fstat(self._descriptor))

    def append(self, data: bytes) -> None:
        """All of it or nothing. Raises OSError."""
        written = os.write(self._descriptor, data)
        if written != len(data):
            os.ftruncate(self._descriptor, self._end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._end += written

    def sync(self) -> None:
        """Have on the disk what was appended so far; nothing to do where it is already. Raises OSError."""
        end = self._end
        if end != self._synced_end:
            getattr(os, "fdatasync", os.fsync)(self._descriptor)
            self._synced_end = end
            if not self._is_name_synced:
                sync_folder(self.path.parent)
                self._is_name_synced = True

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)
        self._end = self._synced_end = 0

    def close(self, remove: bool) -> None:
        """Give it up: with `remove` everything it promised is done, else the next start completes it."""
        if remove and self.is_in_place():
            # Windows deletes no open file; there the lock goes first.
            if os.name == "nt":
                os.close(self._descriptor)
                self.path.unlink(missing_ok=True)
                return
            self.path.unlink(missing_ok=True)
        os.close(self._descriptor)
