"""What a process promises to record, one JSON line at a time, before the host writes a file.

One log a process, on a local disk, locked while the process lives: a log that can be locked by somebody else is
what a killed process left behind. A line is one write: a kill leaves at most one torn line at the end.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
from pathlib import Path
from typing import Any, Iterator

from lib_sdpipe.store.filelock import try_lock

_SUFFIX = ".jsonl"


class RecordingLog:
    """Append-only while runs are open, emptied when all are done.

    What could not be written (the disk was full, somebody deleted the folder) is kept and written with the next line.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self._written = 0
        self.path, self._descriptor = self._open()

    def append(self, line: dict[str, Any]) -> None:
        """Raises OSError, or TypeError or ValueError for what is no JSON."""
        data = json.dumps(line, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        self._lines.append(data.encode("ascii") + b"\n")
        if os.fstat(self._descriptor).st_nlink == 0:
            self._begin_again()
        self._write()

    def clear(self) -> None:
        self._lines, self._written = [], 0
        os.ftruncate(self._descriptor, 0)

    def release(self) -> None:
        """Leave the log as it is: the next start completes what it promises."""
        os.close(self._descriptor)

    def close(self) -> None:
        """Remove the log: everything it promised is done."""
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)

    def _open(self) -> tuple[Path, int]:
        self._folder.mkdir(parents=True, exist_ok=True)
        while True:
            path = self._folder / f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            if try_lock(descriptor) and path.exists():
                return path, descriptor
            os.close(descriptor)  # another process took the new file for an abandoned one

    def _begin_again(self) -> None:
        """The file was deleted under us: a new one with every line that still stands."""
        os.close(self._descriptor)
        self.path, self._descriptor = self._open()
        self._written = 0

    def _write(self) -> None:
        pending = b"".join(self._lines[self._written:])
        end = os.fstat(self._descriptor).st_size
        if os.write(self._descriptor, pending) != len(pending):
            os.ftruncate(self._descriptor, end)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
        self._written = len(self._lines)


class AbandonedLog:
    """A log whose process is gone, held by us until it is completed."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def pid(self) -> str:
        """The dead process's id, as its files are named."""
        return self.path.name.split("-")[0]

    def lines(self) -> list[dict[str, Any]]:
        """Every whole line; a torn one was never promised."""
        lines = []
        for text in self.path.read_bytes().split(b"\n"):
            try:
                line = json.loads(text)
            except ValueError:
                continue
            if isinstance(line, dict):
                lines.append(line)
        return lines

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        os.close(self._descriptor)

    def release(self) -> None:
        """Leave the log for another try."""
        os.close(self._descriptor)


def iter_abandoned_logs(folder: Path) -> Iterator[AbandonedLog]:
    """Logs of dead processes, each locked for us; the caller removes or releases each."""
    for path in sorted(folder.glob(f"*{_SUFFIX}")):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue  # another process completed it just now
        if try_lock(descriptor) and path.exists():
            yield AbandonedLog(path, descriptor)
        else:
            os.close(descriptor)
