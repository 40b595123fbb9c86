"""A deep check's reading: every image file that the pass under way has not read yet, on all cores, kept as it goes."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from typing import Callable, Generator, Iterable, Iterator

from lib_sdpipe.index.index import Index
from lib_sdpipe.index.reading import Read, UnreadFile
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.read_content import read_content
from lib_sdpipe.workspace.content import locate

# Hashing, unpacking and most of decoding let other threads run.
THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
# Files that wait for a thread, for each thread.
_AHEAD = 4
_NOTE_SECONDS = 0.5
# Pictures beyond this many pixels are decoded one at a time: a GB of memory each.
_LARGE_PIXELS = 40_000_000


@dataclass(frozen=True)
class DeepProgress:
    """Files and bytes read in this sitting, of those that the pass had left; seconds since it began."""

    files: int
    of_files: int
    bytes: int
    of_bytes: int
    seconds: float


class DeepReader:
    """Reads what the pass has left. Being stopped at any moment costs what was read in the last half second."""

    def __init__(self, library: Library, index: Index, threads: int = THREADS) -> None:
        self._library = library
        self._reading = index.reading
        self._threads = threads
        self._large = threading.Lock()

    def read(self, max_seconds: float | None, progress: Callable[[DeepProgress], None]) -> int:
        """Read for at most so long; how many files are left. With none left the pass is over, and the next call begins another."""
        started_at = self._reading.begin_pass(time.time())
        of_files, of_bytes = self._reading.count_left(started_at)
        begun = time.monotonic()
        files = size = 0
        left = _Cut(self._reading.iter_left(started_at), None if max_seconds is None else begun + max_seconds)
        with closing(self._note_all(self._read_all(left))) as noted:
            for file in noted:
                files, size = files + 1, size + file.bytes
                progress(DeepProgress(files, of_files, size, of_bytes, time.monotonic() - begun))
        if not left.is_cut:
            self._reading.finish_pass(time.time())
            return 0
        return self._reading.count_left(started_at)[0]

    def _read_all(self, files: Iterable[UnreadFile]) -> Generator[tuple[UnreadFile, Read | None], None, None]:
        """In the order of `files`."""
        waiting: deque[tuple[UnreadFile, Future[Read | None]]] = deque()
        with ThreadPoolExecutor(self._threads, "sdpipe-deep") as pool:
            try:
                for file in files:
                    waiting.append((file, pool.submit(self._read_one, file)))
                    if len(waiting) > self._threads * _AHEAD:
                        first, future = waiting.popleft()
                        yield first, future.result()
                while waiting:
                    first, future = waiting.popleft()
                    yield first, future.result()
            finally:
                for _, future in waiting:
                    future.cancel()

    def _read_one(self, file: UnreadFile) -> Read | None:
        path = locate(self._library, file.root, file.path)
        if path is None:
            return None
        pixels = file.width * file.height if file.width and file.height else _LARGE_PIXELS
        alone: AbstractContextManager[object] | None = self._large if pixels >= _LARGE_PIXELS else None
        return read_content(file, str(path), alone)

    def _note_all(self, found: Generator[tuple[UnreadFile, Read | None], None, None]) -> Generator[UnreadFile, None, None]:
        """Keep what was read, in short transactions, also when stopped in between."""
        fresh: list[Read] = []
        note_at = time.monotonic() + _NOTE_SECONDS
        try:
            with closing(found):
                for file, read in found:
                    if read is not None:
                        fresh.append(read)
                    if time.monotonic() >= note_at:
                        self._reading.note_all(fresh, time.time())
                        fresh, note_at = [], time.monotonic() + _NOTE_SECONDS
                    yield file
        finally:
            self._reading.note_all(fresh, time.time())


class _Cut:
    """Files until a moment; `is_cut`: there were more."""

    def __init__(self, files: Iterator[UnreadFile], until: float | None) -> None:
        self._files = files
        self._until = until
        self.is_cut = False

    def __iter__(self) -> Iterator[UnreadFile]:
        for file in self._files:
            if self._until is not None and time.monotonic() >= self._until:
                self.is_cut = True
                return
            yield file
