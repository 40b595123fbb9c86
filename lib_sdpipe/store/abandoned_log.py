"""Recording logs whose process is gone: one that can be locked by somebody else is what a killed process left behind."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Iterable, Iterator

from lib_sdpipe.store.filelock import try_lock
from lib_sdpipe.store.recording_log import LOG_SUFFIX


class AbandonedLog:
    """Held by us until it is completed."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor

    @property
    def pid(self) -> str:
        """The dead process's id, as its files are named."""
        return self.path.name.split("-")[0]

    def lines(self) -> list[dict[str, Any]]:
        """Every whole line; a torn one was never promised, and zeros are what a power cut leaves of one."""
        lines = []
        for text in self.path.read_bytes().split(b"\n"):
            try:
                line = json.loads(text.strip(b"\0"))
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


def iter_abandoned_logs(folders: Iterable[Path]) -> Iterator[AbandonedLog]:
    """Logs of dead processes, each locked for us; the caller removes or releases each.

    The longest last: a process whose disk went away began another log with all that stood in the one before.
    """
    found = [(_size(path), path) for folder in folders for path in folder.glob(f"*{LOG_SUFFIX}")]
    for _, path in sorted(found, key=lambda one: (one[0], str(one[1]))):
        try:
            descriptor = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            continue  # another process completed it just now
        if try_lock(descriptor) and path.exists():
            yield AbandonedLog(path, descriptor)
        else:
            os.close(descriptor)


def read_other_logs(folders: Iterable[Path], but: Path) -> bytes:
    """The text of every other log that is there, of living and of dead processes."""
    texts = []
    for path in (path for folder in folders for path in folder.glob(f"*{LOG_SUFFIX}") if path != but):
        try:
            texts.append(path.read_bytes())
        except FileNotFoundError:
            continue  # its process has just ended
    return b"".join(texts)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
