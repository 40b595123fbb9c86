"""`undo`: the way back of an apply, also of one that was stopped, and of an undo that was stopped."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from lib_sdpipe.errors import RecordError, UnknownNameError
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.journal import Journal, JournalHead, iter_journals, read_journal
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.present import Present
from lib_sdpipe.store.repair import Progress, RepairAnswer, hold_repairs, no_progress
from lib_sdpipe.store.way_back import go_back, now_text, remove_empty_folders, sweep


@dataclass(frozen=True)
class ApplySummary:
    """One line of a list of applies. `state`: `applied`, `stopped` (go on with apply, or undo), `undone`, `unreadable`."""

    apply_id: str
    plan_id: str
    at: str
    operations: int
    state: str


def list_applies(layout: Layout) -> list[ApplySummary]:
    """Newest first."""
    return [summarize_apply(path, head) for path, head in iter_journals(layout.journal)]


def summarize_apply(path: Path, head: JournalHead) -> ApplySummary:
    try:
        journal = read_journal(path)
    except RecordError:
        return ApplySummary(head.apply_id, head.plan_id, head.at, 0, "unreadable")
    ids = {one.op for one in journal.standing}
    return ApplySummary(head.apply_id, head.plan_id, head.at, len(ids), _state(journal))


def undo(
    layout: Layout, which: str | None = None, progress: Progress = no_progress, should_stop: Callable[[], bool] = lambda: False,
    only: Collection[str] | None = None,
) -> RepairAnswer:
    """Put back what an apply changed: `which` is its id or a plan's, None the last that is not undone; `only` these operations of it.

    Raises UnknownNameError, LockedError while another process repairs, RecordError for a damaged journal.
    """
    answer = RepairAnswer(None)
    with hold_repairs(layout, "undo"):
        library = Library(layout)
        for path in _find(layout, which):
            journal = read_journal(path)
            _check_library(journal, library, layout)
            answer.plan_id, answer.apply_id = journal.head.plan_id, journal.apply_id
            try:
                _undo_one(journal, Places(layout, library), answer, progress, should_stop, only)
            finally:
                journal.close()
            if answer.is_interrupted:
                break
    return answer.finished()


def put_in_order(layout: Layout, which: str) -> RepairAnswer:
    """Of an apply that was stopped, put back the operation that it was at and end it there; finish an undo that was stopped.

    Each operation is done whole then, or not at all. Raises as `undo`.
    """
    with hold_repairs(layout, "undo"):
        (path,) = _find(layout, which)[:1]
        journal, answer = read_journal(path), RepairAnswer(None)
        library = Library(layout)
        _check_library(journal, library, layout)
        answer.plan_id, answer.apply_id = journal.head.plan_id, journal.apply_id
        try:
            ops: frozenset[str] | None = frozenset(one.op for one in journal.half_done)
            if journal.is_undo_cut_short:
                ops = journal.undo_ops | ops if journal.undo_ops is not None and ops is not None else None
            _undo_one(journal, Places(layout, library), answer, no_progress, lambda: False, ops)
            if not answer.failed and not journal.is_ended and journal.standing:
                journal.note("end", now_text())
        finally:
            journal.close()
    return answer.finished()


def _undo_one(
    journal: Journal, places: Places, answer: RepairAnswer, progress: Progress, should_stop: Callable[[], bool],
    only: Collection[str] | None,
) -> None:
    standing, present = [one for one in journal.standing if only is None or one.op in only], Present(places)
    if not standing:
        remove_empty_folders(journal.folders, places)
        if journal.is_undo_cut_short:
            journal.note("undo-end", now_text())
        return
    if journal.half_done or journal.is_undo_cut_short:
        sweep(standing, places, present, journal.apply_id)
    journal.note("undo", now_text(), only)
    result = go_back(journal, standing, places, present, lambda done, total: progress("undoing", done, total), should_stop)
    remove_empty_folders(journal.folders, places)
    answer.done += len(result.done)
    answer.skipped += len(result.skipped)
    for op, reason in result.failed.items():
        answer.fail(op, reason)
    answer.is_interrupted = result.is_interrupted
    if not result.is_interrupted:
        progress("undoing", len(standing), len(standing))
        journal.note("undo-end", now_text())


def _find(layout: Layout, which: str | None) -> list[Path]:
    """Journals to undo, newest first."""
    found = list(iter_journals(layout.journal))
    if which is None:
        for path, _ in found:
            journal = read_journal(path)
            if journal.standing or journal.is_undo_cut_short:
                return [path]
        return []
    named = [path for path, head in found if which in (head.apply_id, head.plan_id)]
    if not named:
        raise UnknownNameError(f"no plan or apply {which} was done in {layout.runs}; `undo --list` names those that were")
    return named


def _check_library(journal: Journal, library: Library, layout: Layout) -> None:
    mine = library.document.get("id") if layout.library_file.exists() else None
    if journal.head.library != mine and journal.head.library is not None:
        raise RecordError(f"{journal.path}: belongs to library {journal.head.library}; {layout.runs} is library {mine}")


def _state(journal: Journal) -> str:
    if journal.is_undo_cut_short or journal.half_done or (journal.standing and not journal.is_ended):
        return "stopped"
    return "applied" if journal.standing else "undone"
