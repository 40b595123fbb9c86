"""What a process promises to record, one JSON line at a time, before the host writes a file.

One log a process, locked while the process lives (`log_file`); what a dead one left is read by `abandoned_log`. A line is
one write: a kill leaves at most one torn line at the end.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import time
from pathlib import Path
from typing import Any, Callable, Sequence

from lib_sdpipe.store.disk_thread import DiskThread
from lib_sdpipe.store.log_file import LogFile

LOG_SUFFIX = ".jsonl"
# A line that is not on its way by then goes to the next folder. Both waits together are what a claim may wait.
_PATIENCE_SECONDS = 0.15
_PATIENCE_IN_ALL_SECONDS = 0.25
_PATIENCE_AT_THE_END_SECONDS = 5.0
_NAME_TRIES = 10


class RecordingLog:
    """Append-only while runs are open, emptied when all are done.

    A folder that cannot be written or does not answer is left for the next one, which gets every line that still stands.
    What no folder takes is kept and written with the next line. `guard` is called before the first folder is made and may
    refuse it. One caller at a time, but for `sync`. Nothing here waits long for a sleeping disk, again but for `sync`.
    """

    def __init__(self, folders: Sequence[Path], guard: Callable[[], None] = lambda: None) -> None:
        self._folders = folders
        self._guard = guard
        self._standing: list[bytes] = []
        # Keepers once made stay until all is done: their files are locked, so that nobody completes a living run.
        self._keepers: dict[int, _Keeper] = {}
        self._current = 0

    @property
    def path(self) -> Path | None:
        """Where the lines are written; None before the first."""
        keeper = self._keepers.get(self._current)
        return keeper.file.path if keeper is not None and keeper.file is not None else None

    def append(self, line: dict[str, Any]) -> None:
        """Raises OSError where no folder took it in time, TypeError or ValueError for what is no JSON."""
        data = json.dumps(line, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii") + b"\n"
        self._standing.append(data)
        started = time.monotonic()
        first_fault: OSError | None = None
        for number in self._order():
            left = _PATIENCE_IN_ALL_SECONDS - (time.monotonic() - started)
            try:
                self._keeper(number).append(self._standing, min(left, _PATIENCE_SECONDS))
            except OSError as fault:
                first_fault = first_fault or fault
            else:
                self._current = number
                return
        if first_fault is not None:
            raise first_fault

    def sync(self) -> None:
        """Have every line so far on the disk; from a thread that may wait. A disk that refuses is left at the next line."""
        keeper = self._keepers.get(self._current)
        if keeper is not None:
            keeper.sync()

    def clear(self) -> None:
        """Everything is done."""
        self._standing, self._current = [], 0
        for number, keeper in list(self._keepers.items()):
            if number == 0:
                keeper.clear()
            else:
                keeper.close(remove=True, seconds=_PATIENCE_SECONDS)
                del self._keepers[number]

    def release(self) -> None:
        """Leave the log as it is: the next start completes what it promises."""
        self._end(remove=False)

    def close(self) -> None:
        """Remove the log: everything it promised is done."""
        self._end(remove=True)

    def _end(self, remove: bool) -> None:
        for keeper in self._keepers.values():
            keeper.close(remove, _PATIENCE_AT_THE_END_SECONDS)
        self._keepers = {}

    def _order(self) -> list[int]:
        """The folder that took the last line first, one that refused to sync last."""
        numbers = sorted(range(len(self._folders)), key=lambda number: number != self._current)
        return sorted(numbers, key=lambda number: number in self._keepers and self._keepers[number].is_bad)

    def _keeper(self, number: int) -> _Keeper:
        if number not in self._keepers:
            self._keepers[number] = _Keeper(self._folders[number], self._guard if number == 0 else lambda: None)
        return self._keepers[number]


class _Keeper:
    """The log in one folder. What touches the disk is done on a thread of its own, but for `sync`."""

    def __init__(self, folder: Path, guard: Callable[[], None]) -> None:
        self._folder = folder
        self._guard = guard
        self._given = 0
        self._lines: list[bytes] = []
        self._written = 0
        self._replaced: list[LogFile] = []
        self._thread = DiskThread("SDPipe log")
        self.file: LogFile | None = None
        self.is_bad = False

    def append(self, standing: list[bytes], seconds: float) -> None:
        """Write what of the standing lines is not here yet."""
        new, self._given = standing[self._given:], len(standing)

        def work() -> None:
            self._lines += new
            self._write()

        self._thread.ask(work, seconds)

    def sync(self) -> None:
        if self.file is not None:
            try:
                self.file.sync()
            except OSError:
                self.is_bad = True

    def clear(self) -> None:
        self._given, self.is_bad = 0, False
        with contextlib.suppress(OSError):  # late, then it is done later; or refused, then a new file is begun
            self._thread.ask(self._clear, _PATIENCE_SECONDS)

    def close(self, remove: bool, seconds: float) -> None:
        with contextlib.suppress(OSError):  # late, then it is done later; or refused, then the next start finds it done
            self._thread.ask(lambda: self._close(remove), seconds)
        self._thread.stop()

    def _write(self) -> None:
        if self.file is None or not self.file.is_in_place():
            self._open()
        assert self.file is not None
        self.file.append(b"".join(self._lines[self._written:]))
        self._written = len(self._lines)

    def _open(self) -> None:
        """A first file, or a new one with every line that still stands: the old one was deleted, or went with its disk."""
        self._guard()
        file = _make_file(self._folder)
        if self.file is not None:
            self._replaced.append(self.file)
        self.file, self._written = file, 0

    def _clear(self) -> None:
        self._lines, self._written = [], 0
        replaced, self._replaced = self._replaced, []
        for file in replaced:
            file.close(remove=True)
        if self.file is not None:
            try:
                self.file.clear()
            except OSError:
                file, self.file = self.file, None
                file.close(remove=False)

    def _close(self, remove: bool) -> None:
        files = [*self._replaced, *([self.file] if self.file is not None else [])]
        self._replaced, self.file = [], None
        for file in files:
            file.close(remove)


def _make_file(folder: Path) -> LogFile:
    for _ in range(_NAME_TRIES):
        with contextlib.suppress(FileExistsError):  # another process took the new file for a dead one's
            return LogFile(folder / f"{os.getpid()}-{secrets.token_hex(4)}{LOG_SUFFIX}")
    raise FileExistsError(errno.EEXIST, "every new log is taken by another process", str(folder))
