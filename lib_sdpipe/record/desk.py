"""One runs folder, open for recording: its store, library, index, recording log and completion."""

from __future__ import annotations

import logging
import sqlite3
import threading
from pathlib import Path

from lib_sdpipe.index.recorded import Index
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.record.catch_up import catch_up
from lib_sdpipe.record.completion import Completion
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.recovery import recover_abandoned
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.recording_log import RecordingLog
from lib_sdpipe.store.runs import RunStore

log = logging.getLogger("sdpipe")


class Desk:
    """Made where it is needed, opened and used on the writer thread; `promise` is for the generating thread."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.store = RunStore(layout)
        self.library = Library(layout)
        self.index: Index | None = None
        self.log = RecordingLog(layout.recording)
        self._completion = Completion(self.store, self.library, self.promise)
        self._lock = threading.Lock()
        self._promised: set[str] = set()
        self._failed_ends: list[Json] = []

    def promise(self, line: Json) -> None:
        """Append one line to the recording log: what it says is done even if this process dies now."""
        with self._lock:
            if line["kind"] in ("claim", "run"):
                self._promised.add(line["run_id"])
            self.log.append(line)

    def withdraw(self, run_id: str) -> None:
        """A claimed run that will not be."""
        with self._lock:
            self._promised.discard(run_id)

    def handle(self, line: Json, extras: Extras) -> None:
        """Do what a line says; after a fault it is tried again when the run ends, and when a later run does."""
        if line["kind"] == "run" and self.index is None:
            self._open_index()
        try:
            self._completion.handle(line, extras)
        except BaseException:
            if line["kind"] == "end":
                self._failed_ends.append(line)
            raise
        if line["kind"] == "end":
            self.library.write_if_gone()
            self._forget(line["run_id"])
            retried, self._failed_ends = self._failed_ends, []
            for failed in retried:
                self.handle(failed, Extras())

    def start(self, roots: dict[str, Path]) -> None:
        """Work that may take a while: image roots, the index, the remains of killed processes."""
        self.library.ensure_roots(roots)
        self._open_index()
        recover_abandoned(self.store, self.library, self.index, self.promise)
        self._clear_if_done()
        if self.index is not None and self.layout.runs.is_dir():
            catch_up(self.index, self.store)

    def close(self) -> None:
        if self.index is not None:
            self.index.close()
        if self._promised:
            self.log.release()
        else:
            self.log.close()

    def _open_index(self) -> None:
        self.index = self._completion.index = open_index(self.layout)

    def _forget(self, run_id: str) -> None:
        """A run is done. The next one may have promised already, ahead of this thread: its lines must stay."""
        self.withdraw(run_id)
        self._clear_if_done()

    def _clear_if_done(self) -> None:
        with self._lock:
            if not self._promised:
                self.log.clear()


def open_index(layout: Layout) -> Index | None:
    """The index, or None where none can be had: records are made without it, parents are then not found."""
    try:
        return Index(layout.index_file)
    except (OSError, sqlite3.Error) as fault:
        log.error("SDPipe: no index at %s (%s); parents of images are not found until that is mended", layout.index_file, fault)
        return None


