"""Keeping the index up to the disk behind a page that is being looked at: on a thread of its own, one look at a time.

A page never waits for the disk: it is shown the index as it is, and told how the look goes.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.index.facets import Facets
from lib_sdpipe.index.index import Index, open_index, read_index
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.scan import read_record_stamp
from lib_sdpipe.workspace.give_way import GiveWay

log = logging.getLogger("sdpipe")

# A look at everything is due again after so many seconds, and after so many times what the last one took.
_LEAST_SECONDS = 60.0
_TIMES_ITS_OWN = 20.0
# How many of the newest run folders a short look compares with the index.
_NEWEST = 200
# How long counts are good, in seconds and in times of what counting took.
_COUNTS_SECONDS = 5.0
# So long an answer waits for them; then older ones are shown, or none.
_COUNTING_PATIENCE_SECONDS = 0.15
# Of so many people the counts are kept at once, where each sees own runs only.
_MOST_VIEWERS = 50


@dataclass(frozen=True)
class Looking:
    """How the index stands. `doing` is None at rest, else `preparing`, `folders` or `images`; `what` is the root looked at.

    `done` files or images of `total`, None where nobody knows. `fault` is why the last look ended early.
    """

    doing: str | None = None
    what: str = ""
    done: int = 0
    total: int | None = None
    fault: str | None = None
    has_looked: bool = False


class LibraryWatch:
    """One library's, for as long as the process lives."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._store = RunStore(layout)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._counting: threading.Thread | None = None
        self._looking = Looking()
        self._looked_at = float("-inf")
        self._took = 0.0
        self._seen_roots: list[str] = []
        self._counted: dict[str | None, tuple[float, float, Facets]] = {}

    def ask(self, again: bool = False, patience: float = 0.0, is_host_busy: Callable[[], bool] = lambda: False) -> Looking:
        """Look at what is due: everything at times, where `again` says so or the index was deleted, else new and running runs.

        Waits for the answer at most `patience` seconds. While the host is busy it looks slowly.
        """
        if not self._layout.runs.exists():  # before the first run: that is an empty library, and stays unwritten
            return Looking(has_looked=True)
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                is_gone = self._is_index_gone()
                is_due = again or is_gone or time.monotonic() - self._looked_at > max(_LEAST_SECONDS, _TIMES_ITS_OWN * self._took)
                has_looked = self._looking.has_looked and not is_gone
                self._looking = Looking(doing="folders" if is_due else None, fault=self._looking.fault, has_looked=has_looked)
                self._thread = threading.Thread(target=self._run, args=(is_due, GiveWay(is_host_busy)), name="SDPipe look", daemon=True)
                self._thread.start()
            thread = self._thread
        if patience:
            thread.join(patience)
        return self._looking

    def looking(self) -> Looking:
        """How it stands, without asking for more, but where there is no index: somebody has deleted it under a page."""
        return self.ask() if self._is_index_gone() else self._looking

    def facets(self, viewer: str | None = None) -> Facets | None:
        """What there is to filter by, some seconds old or, where counting takes long, as it was before; None until it was counted once."""
        counted = self._counted.get(viewer)
        if counted is not None and time.monotonic() - counted[0] < max(_COUNTS_SECONDS, _TIMES_ITS_OWN * counted[1]):
            return counted[2]
        with self._lock:
            thread = self._counting
            if thread is None or not thread.is_alive():
                thread = self._counting = threading.Thread(target=self._recount, args=(viewer,), name="SDPipe counts", daemon=True)
                thread.start()
        thread.join(_COUNTING_PATIENCE_SECONDS)
        found = self._counted.get(viewer) or counted
        return found[2] if found is not None else None

    def forget_counts(self) -> None:
        """Somebody has changed what is counted, and looks at it."""
        self._counted = {}

    def _is_index_gone(self) -> bool:
        return not any(place.exists() for place in self._layout.index_places)

    # --- on the thread ---

    def _run(self, is_whole: bool, give_way: GiveWay) -> None:
        started, fault = time.monotonic(), None
        try:
            with open_index(self._layout.index_places) as index:
                if not index.search.is_prepared():
                    self._tell("preparing", "", 0, None)
                    index.search.prepare()
                is_whole = is_whole or self._is_another(index)
                self._look(index, is_whole, give_way)
                index.search.complete(lambda done, total: self._tell("images", "", done, total))
                if is_whole:
                    self._count(index)
        except (SdPipeError, OSError) as found:
            fault = str(found)
        except Exception as found:  # the next look must be possible, and the page must not wait for this one
            log.exception("SDPipe: looking at the library failed")
            fault = f"looking at the library failed ({found}); the console has more"
        if is_whole:
            self._looked_at, self._took = time.monotonic(), time.monotonic() - started
        self._looking = Looking(fault=fault, has_looked=self._looking.has_looked or is_whole)

    def _look(self, index: Index, is_whole: bool, give_way: GiveWay) -> None:
        run_ids = list(self._store.iter_run_ids()) if is_whole else self._find_changed(index)
        library = Library(self._layout)
        if is_whole:
            Refresh(self._layout, library, index, self._show_folders, give_way).look(run_ids)
            self._seen_roots = [root for root in library.roots() if index.files.known_folder(root, "") is not None]
            return
        for run_id in run_ids:
            Refresh(self._layout, library, index).look_at_run(run_id)

    def _is_another(self, index: Index) -> bool:
        """Whether it was deleted and begun again since the last look at everything: then it knows only what was recorded since."""
        return bool(self._seen_roots) and all(index.files.known_folder(root, "") is None for root in self._seen_roots)

    def _find_changed(self, index: Index) -> list[str]:
        """New runs, and those that were running and whose file says something else by now."""
        new = [run_id for run_id in self._store.newest_run_ids(_NEWEST)
               if not index.records.has_run(run_id) and self._layout.run_file(run_id).is_file()]
        running = [run_id for run_id in index.run_search.running()
                   if read_record_stamp(self._layout.run_file(run_id)) != index.records.run_stamp(run_id)]
        return [*new, *running]

    def _recount(self, viewer: str | None) -> None:
        try:
            with read_index(self._layout.index_places, viewer) as index:
                if index is not None and index.search.is_prepared():
                    self._count(index, viewer)
        except (SdPipeError, OSError):
            pass  # who asks for the list is told; the filters stay as they were

    def _count(self, index: Index, viewer: str | None = None) -> Facets:
        started = time.monotonic()
        facets = index.count_facets()
        if len(self._counted) > _MOST_VIEWERS:
            self._counted = {}
        self._counted[viewer] = (time.monotonic(), time.monotonic() - started, facets)
        return facets

    def _show_folders(self, what: str, files: int) -> None:
        self._tell("folders", what, files, None)

    def _tell(self, doing: str, what: str, done: int, total: int | None) -> None:
        self._looking = replace(self._looking, doing=doing, what=what, done=done, total=total, fault=None)


@lru_cache(maxsize=16)
def watch_of(layout: Layout) -> LibraryWatch:
    """One a process."""
    return LibraryWatch(layout)
