"""Statistics of a library, counted once and kept until the index is another. Counting a million images takes seconds."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from lib_sdpipe.index.index import open_index
from lib_sdpipe.index.query import parse_query
from lib_sdpipe.index.statistics import Counted
from lib_sdpipe.workspace.workspace import Workspace

_MOST_KEPT = 12
# What was counted is fresh enough for so long, and for so many times what the count took: images may be coming in by the second.
_FRESH_SECONDS = 10.0
_FRESH_TIMES = 20.0

Stamp = tuple[tuple[int, int], ...]
_Key = tuple[Path, "str | None", str, date]
_lock = threading.Lock()
_kept: OrderedDict[_Key, CountedLibrary] = OrderedDict()


@dataclass(frozen=True)
class CountedLibrary:
    """`counted_at` in seconds since 1970; `stamp` is the index that was counted."""

    query: str
    counted: Counted
    counted_at: float
    seconds: float
    stamp: Stamp


def find_counted(workspace: Workspace, query: str) -> tuple[CountedLibrary | None, bool]:
    """What was counted last for this query, and whether it still holds. Raises QueryError."""
    parse_query(query)
    with _lock:
        found = _kept.get(_key(workspace, query))
    if found is None:
        return None, False
    age = time.time() - found.counted_at
    is_young = 0 <= age < max(_FRESH_SECONDS, _FRESH_TIMES * found.seconds)
    return found, is_young or _stamp(workspace) == found.stamp


def count_library(workspace: Workspace, query: str, should_stop: Callable[[], bool] = lambda: False) -> CountedLibrary:
    """Count, and keep it. Raises QueryError, CountingStopped, LockedError or SdPipeError."""
    key, places = _key(workspace, query), workspace.layout.index_places
    with open_index(places, workspace.viewer) as index:
        index.search.complete()
    began, stamp = time.perf_counter(), _stamp(workspace)
    with open_index(places, workspace.viewer) as index:
        counted = index.statistics.count(query, should_stop)
    found = CountedLibrary(query, counted, time.time(), time.perf_counter() - began, stamp)
    with _lock:
        _kept[key] = found
        _kept.move_to_end(key)
        while len(_kept) > _MOST_KEPT:
            _kept.popitem(last=False)
    return found


def forget_counted(workspace: Workspace) -> None:
    """Count anew at the next look."""
    with _lock:
        for key in [key for key in _kept if key[0] == workspace.layout.index_file]:
            del _kept[key]


def _key(workspace: Workspace, query: str) -> _Key:
    """A query may say `today`."""
    return workspace.layout.index_file, workspace.viewer, query, date.today()


def _stamp(workspace: Workspace) -> Stamp:
    """Size and time of the index and of what SQLite has not merged into it yet, wherever the index is."""
    found = []
    for place in workspace.layout.index_places:
        for file in (place, place.with_name(place.name + "-wal")):
            try:
                status = file.stat()
            except OSError:
                continue
            if status.st_size:  # an empty log comes and goes with who looks
                found.append((status.st_size, status.st_mtime_ns))
    return tuple(found)
