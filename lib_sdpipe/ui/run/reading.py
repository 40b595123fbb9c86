"""A run with its manifests, read once as long as nothing in its folder changes: who goes through its images asks for each."""

from __future__ import annotations

import os
import time
from collections import OrderedDict
from threading import Lock

from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.workspace import RunView

_MOST = 4
# A file system's clock may tick this slowly (seconds): what changed a moment ago may change again within the same tick.
_SETTLED_SECONDS = 3.0
# A run in progress is looked at again after so many times what reading it took.
_REST = 10

Stamp = tuple[int, int]


class RunReader:
    """Of one page. Files of a run are written under another name and moved in place, so its folders tell of every change."""

    def __init__(self) -> None:
        self._views: OrderedDict[tuple[str | None, str, str], tuple[list[Stamp], RunView]] = OrderedDict()
        self._lock = Lock()
        self._last: tuple[tuple[str | None, str, str] | None, float, float] = (None, 0.0, 0.0)

    def read(self, ask: Ask, run_id: str) -> RunView:
        """The same object again: nobody may change it. Raises what `view_run` raises."""
        layout = ask.workspace.layout
        key = (ask.workspace.viewer, str(layout.runs), run_id)
        stamps = [_stamp(str(path)) for path in (layout.run_folder(run_id), layout.manifests(run_id))]
        with self._lock:
            known = self._views.get(key)
            if known is not None and known[0] == stamps:
                self._views.move_to_end(key)
                return known[1]
        began = time.monotonic()
        view = ask.workspace.view_run(run_id)
        self._last = (key, time.monotonic(), time.monotonic() - began)
        if all(time.time() - changed / 1e9 > _SETTLED_SECONDS for _, changed in stamps):
            with self._lock:
                self._views[key] = (stamps, view)
                while len(self._views) > _MOST:
                    self._views.popitem(last=False)
        return view

    def is_due(self, ask: Ask, run_id: str) -> bool:
        """Whether a run that is going on may be read again: one that takes long to read is read less often."""
        last, ended, seconds = self._last
        return last is None or last[::2] != (ask.workspace.viewer, run_id) or time.monotonic() - ended > _REST * seconds

    def forget(self) -> None:
        with self._lock:
            self._views.clear()


def _stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns
