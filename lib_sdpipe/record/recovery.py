"""Completing what killed processes promised: their recording logs, replayed through the same completion."""

from __future__ import annotations

import json
import logging
import sqlite3
import time
from typing import Callable

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.record.completion import Completion
from lib_sdpipe.store.abandoned_log import AbandonedLog, iter_abandoned_logs, read_other_logs
from lib_sdpipe.store.atomic import sweep_temporaries
from lib_sdpipe.store.layout import PRIVATE_NAME
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore

log = logging.getLogger("sdpipe")

_LONGEST_CLAIM_SECONDS = 600.0


def recover_abandoned(
    store: RunStore, library: Library, index: Index | None, note: Callable[[Json], None], lose_index: Callable[[sqlite3.Error], None]
) -> list[str]:
    """Finish every run of every dead process and close it as `abandoned`; the ids of those runs.

    A log is removed once all it promised is done. Where that fails it stays for the next start. `note` writes to
    our own log which runs we are about to write in: should we be killed too, the next start knows where to sweep.
    What killed them may have damaged the index: it is told with `lose_index`, and the same is done without.
    """
    recovered: list[str] = []

    def complete(abandoned: AbandonedLog, lines: list[Json]) -> None:
        nonlocal index
        _remove_claimed(abandoned, lines, store)
        try:
            recovered.extend(_complete(lines, abandoned.pid, store, library, index, note))
        except sqlite3.Error as fault:
            lose_index(fault)
            index = None
            recovered.extend(_complete(lines, abandoned.pid, store, library, index, note))

    for abandoned in iter_abandoned_logs(store.layout.recording_folders):
        is_done = False
        try:
            lines = abandoned.lines()
            if _is_of(lines, library):
                complete(abandoned, lines)
                is_done = True
            else:
                log.warning("SDPipe: %s is of another library that was in this place; it is completed when that is back", abandoned.path)
        except (OSError, SdPipeError) as fault:
            log.error("SDPipe: %s could not be completed (%s); it is tried again at the next start", abandoned.path, fault)
        except Exception:  # one log's trouble must not keep the others' promises waiting; it is logged and tried again
            log.exception("SDPipe: %s could not be completed; it is tried again at the next start", abandoned.path)
        finally:
            abandoned.remove() if is_done else abandoned.release()
    return recovered


def remove_empty_runs(store: RunStore) -> None:
    """Run folders that a power cut left behind without the promise of a run. One of a living process is made again."""
    for run_id in store.iter_run_ids():
        folder = store.layout.run_folder(run_id)
        try:
            if not store.layout.manifests(run_id).exists() and time.time() - folder.stat().st_mtime > _LONGEST_CLAIM_SECONDS:
                folder.rmdir()
        except OSError:
            pass  # not empty, or gone: not ours to remove


def _is_of(lines: list[Json], library: Library) -> bool:
    """Whether these lines are of this library: another disk may have been in its place when they were written."""
    written = {line["library"] for line in lines if line.get("library")}
    return written <= {library.document.get("id")}


def _complete(
    lines: list[Json], pid: str, store: RunStore, library: Library, index: Index | None, note: Callable[[Json], None]
) -> list[str]:
    for run_id in sorted(_run_ids(lines)):
        note({"kind": "recovers", "run_id": run_id})
    ended = {run_id for run_id in _run_ids(lines) if _has_ended(store, run_id)}
    completion = Completion(store, library)
    completion.index = index
    last_seen: dict[str, str] = {}
    for line in lines:
        run_id = line.get("run_id", "")
        if run_id in ended:
            continue
        completion.handle(line)
        last_seen[run_id] = line.get("manifest", line.get("run", {})).get("timestamp") or last_seen.get(run_id, "")
    recovered = completion.open_runs()
    for run_id in recovered:
        completion.abandon(run_id, last_seen.get(run_id) or None)
    _sweep(store, pid, {line["run_id"] for line in lines if "run_id" in line})
    return recovered


def _sweep(store: RunStore, pid: str, run_ids: set[str]) -> None:
    """Temporary files of the dead process, where it could have written."""
    layout = store.layout
    sweep_temporaries(layout.runs, pid, deep=False)
    for folder in (layout.runs / "environments", layout.runs / "inputs", *(layout.run_folder(run_id) for run_id in run_ids)):
        sweep_temporaries(folder, pid)


def _run_ids(lines: list[Json]) -> set[str]:
    return {line["run_id"] for line in lines if line.get("kind") == "run"}


def _has_ended(store: RunStore, run_id: str) -> bool:
    """By its own process. One that was abandoned and still has a log could not be completed whole the last time."""
    try:
        return store.read_run(run_id).status not in ("running", "abandoned")
    except SdPipeError:
        return False


def _remove_claimed(abandoned: AbandonedLog, lines: list[Json], store: RunStore) -> None:
    """Folders that were made just before the kill, for runs that never got to promise anything.

    Two processes may have claimed one name in the same moment. Its owner has written so to its own log before it made
    the folder; where that log may be on another computer, `remove_empty_runs` has to do.
    """
    claims = {line["run_id"] for line in lines if line.get("kind") == "claim"} - _run_ids(lines)
    if not claims or store.layout.private != store.layout.runs / PRIVATE_NAME:
        return
    others = read_other_logs(store.layout.recording_folders, abandoned.path)
    for run_id in claims:
        if json.dumps(run_id).encode("ascii") in others:
            continue
        try:
            store.layout.run_folder(run_id).rmdir()
        except OSError:
            pass  # not empty or not there: not ours to remove
