"""What a process promises to record, one JSON line at a time, before the host writes a file.

One log a process, on a local disk, locked while the process lives: a log that can be locked by somebody else is
what a killed process left behind. A line is one write: a kill leaves at most one torn line at the end.
"""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path
from typing import Any, Iterator

from lib_sdpipe.store.filelock import try_lock

_SUFFIX = ".jsonl"


class RecordingLog:
    """Append-only while runs are open, emptied when all are done."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
        self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
        try_lock(self._descriptor)

    def append(self, line: dict[str, Any]) -> None:
        data = json.dumps(line, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
        os.write(self._descriptor, data.encode("ascii") + b"\n")

    def clear(self) -> None:
        os.ftruncate(self._descriptor, 0)

    def release(self) -> None:
        """Leave the log as it is: the next start completes what it promises."""
        os.close(self._descriptor)

    def close(self) -> None:
        """Remove the log: everything it promised is done."""
        os.close(self._descriptor)
        self.path.unlink(missing_ok=True)


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
