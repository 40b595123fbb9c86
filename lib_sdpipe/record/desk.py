"""One runs folder, open for recording: its store, library, index, recording log and completion.

Whatever is wrong with the folder, what was promised is owed: tried again when a later run begins or ends, and at the next start.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.index.database import delete as delete_index, is_damage
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.record.completion import Completion
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.owed import OwedRuns
from lib_sdpipe.record.recovery import recover_abandoned, remove_empty_runs
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.place import is_of_folder, place_of, unreachable
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.store.recording_log import RecordingLog
from lib_sdpipe.store.runs import RunStore

# A claim that no run has followed by then never will: its disk refused the folder.
_CLAIM_SECONDS = 10.0


class Desk:
    """Made where it is needed, opened and used on the writer thread; `promise` is for the generating thread.

    Making one looks at no disk. `start` and `handle` raise what keeps the library from being recorded whole, each time.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.store = RunStore(layout)
        self.library = Library.unread(layout)
        self.index: Index | None = None
        self.log = RecordingLog(layout.recording_folders, self._guard_log)
        self._place = place_of(layout)
        self._completion = Completion(self.store, self.library, self.promise)
        self._owed = OwedRuns(self._complete, lambda fault: is_of_folder(layout, fault))
        self._lock = threading.Lock()
        self._promised: set[str] = set()
        self._claims: dict[str, float] = {}
        self._ended: set[str] = set()
        self._roots: dict[str, Path] = {}
        self._save_folder: Path | None = None
        self._library_id: str | None = None
        self._fault: SdPipeError | None = None
        self._is_read = self._is_started = self._is_index_whole = False
        self._changes = 0

    # --- from any thread ---

    def promise(self, line: Json) -> None:
        """Append one line to the recording log: what it says is done even if this process dies now. Raises OSError."""
        with self._lock:
            if line["kind"] == "claim":
                self._claims[line["run_id"]] = time.monotonic()
            elif line["kind"] == "run":
                self._claims.pop(line["run_id"], None)
                self._promised.add(line["run_id"])
                line = {**line, "library": self._library_id}
            try:
                self.log.append(line)
            except OSError as fault:
                raise unreachable(self.layout, fault) from fault

    def withdraw(self, run_id: str) -> None:
        """A claimed run that will not be."""
        with self._lock:
            self._claims.pop(run_id, None)
            self._promised.discard(run_id)

    # --- on the writer thread ---

    def start(self, roots: dict[str, Path], save_folder: Path | None = None) -> None:
        """Work that may take a while: image roots, the index, the remains of killed processes."""
        self._roots, self._save_folder, self._is_started = roots, save_folder, False
        self._prepare()
        self._clear_if_done()

    def handle(self, line: Json, extras: Extras) -> None:
        """Do what a line says; what cannot be done now is tried again when a later run begins or ends."""
        self.log.sync()
        fault: Exception | None = None
        try:
            if line["kind"] == "run":
                self._prepare()
        except Exception as found:  # whatever is wrong with the library, the line must not be lost: it is raised below
            fault = found
        try:
            self._owed.handle(line, extras)
        except Exception as found:  # likewise: what the end of a run is to settle stands on its own
            fault = fault or found
        if line["kind"] == "end":
            self._ended.add(line["run_id"])
            fault = self._settle()
        if isinstance(fault, OSError) and is_of_folder(self.layout, fault):
            raise unreachable(self.layout, fault) from fault
        if fault is not None:
            raise fault

    def owes(self) -> bool:
        """Whether lines wait for a folder that could not be written when they came."""
        return bool(self._owed.run_ids())

    def try_again(self) -> None:
        """Work off what is owed, as far as it can be done by now; what is left is owed on."""
        if self.owes() and (fault := self._settle()) is not None:
            raise fault

    def close(self) -> None:
        self._close_index()
        if self._promised:
            self.log.release()
        else:
            self.log.close()

    # --- parts ---

    def _prepare(self) -> None:
        """Have the library open: at the start, and again where its disk was away meanwhile."""
        self._place.ensure(look=True)
        self._fault = self.library.reload_tolerantly(self._place.known_library)
        if self._changes != self._place.changes:  # what was open is on the disk that went
            self._changes, self._is_started = self._place.changes, False
            self._close_index()
        if self.index is None:
            self._open_index()
        if not self._is_started:
            self.library.ensure_roots(self._roots, self._save_folder)
        self._is_read = True
        self._remember()
        if not self._is_started:
            recover_abandoned(self.store, self.library, self.index, self.promise, self._lose_index)
            remove_empty_runs(self.store)
            self._is_started = True
        if self.index is None:
            self._open_index()
        if not self._is_index_whole:
            self._catch_up()

    def _remember(self) -> None:
        if self._is_read and self._fault is None:
            self._place.remember(self.library.document)
            self._library_id = self.library.document.get("id")

    def _complete(self, line: Json, extras: Extras) -> None:
        try:
            self._completion.handle(line, extras)
        except sqlite3.Error as fault:  # the same again without an index: what is written already stays as it is
            self._lose_index(fault)
            self._completion.handle(line, extras)

    def _settle(self) -> Exception | None:
        """A run has ended: what is owed to it and to earlier ones is done now, if it can be. The fault that is left, if any."""
        fault: Exception | None = None
        try:
            self._owed.settle()
            self.library.write_if_gone()
        except Exception as found:  # what was done is to be noted all the same; the fault is handed on
            fault = found
        self._remember()
        for run_id in self._ended - self._owed.run_ids():
            self._ended.discard(run_id)
            self._look_at(run_id)
            self.withdraw(run_id)
        self._clear_if_done()
        return fault or self._fault

    def _open_index(self) -> None:
        try:
            self.index = self._completion.index = Index(self.layout.index_file)
        except (OSError, sqlite3.Error) as fault:
            self._fault = self._fault or _without_index(self.layout, fault)
        self._is_index_whole = False

    def _catch_up(self) -> None:
        """Read what other machines have recorded, what a repair has changed, or after a deletion everything."""
        try:
            self._look_at_runs()
        except sqlite3.Error as fault:
            self._lose_index(fault)
            self._open_index()
            self._look_at_runs()

    def _look_at_runs(self) -> None:
        if self.index is not None:
            Refresh(self.layout, self.library, self.index).look_at_runs(list(self.store.iter_run_ids()))
            self._is_index_whole = True

    def _look_at(self, run_id: str) -> None:
        """A run has ended: the index sees its files as they are now. What is changed in them from here on is noticed."""
        if self.index is not None and self._is_index_whole:
            try:
                Refresh(self.layout, self.library, self.index).look_at_run(run_id)
            except sqlite3.Error as fault:
                self._lose_index(fault)

    def _lose_index(self, fault: sqlite3.Error) -> None:
        """Go on without, until the next run begins; a damaged one is made anew then."""
        self._close_index()
        self._fault = self._fault or _without_index(self.layout, fault)
        if is_damage(fault):
            delete_index(self.layout.index_file)

    def _close_index(self) -> None:
        if self.index is not None:
            self.index.close()
        self.index = self._completion.index = None

    def _guard_log(self) -> None:
        if self.layout.runs in self.layout.private.parents:
            self._place.ensure()

    def _clear_if_done(self) -> None:
        """The generating thread may be ahead of this one: what it has promised stays."""
        with self._lock:
            now = time.monotonic()
            self._claims = {run_id: at for run_id, at in self._claims.items() if now - at < _CLAIM_SECONDS}
            if not self._promised and not self._claims:
                self.log.clear()


def _without_index(layout: Layout, fault: Exception) -> SdPipeError:
    return SdPipeError(f"{layout.index_file}: no index ({fault}); images are recorded, but no parents are found until a later run mends it")
