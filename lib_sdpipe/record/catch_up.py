"""Bring the index up to what the manifests say: new after a deletion, after a repair, after another machine's work."""

from __future__ import annotations

from lib_sdpipe.errors import RecordError
from lib_sdpipe.index.index import Index
from lib_sdpipe.store.runs import RunStore


def catch_up(index: Index, store: RunStore) -> int:
    """Re-read every run whose manifests folder changed since it was indexed; the number of runs read."""
    known = index.known_runs()
    present, read = set(), 0
    for run_id in store.iter_run_ids():
        present.add(run_id)
        mtime_ns = _manifests_mtime_ns(store, run_id)
        if known.get(run_id) != mtime_ns:
            manifests = [m for m in store.iter_manifests(run_id) if not isinstance(m, RecordError)]
            index.replace_run(run_id, [m for m in manifests if m.name and m.run_id == run_id], mtime_ns)
            read += 1
    index.remove_runs(set(known) - present)
    return read


def _manifests_mtime_ns(store: RunStore, run_id: str) -> int:
    try:
        return store.layout.manifests(run_id).stat().st_mtime_ns
    except OSError:
        return 0
