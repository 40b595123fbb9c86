"""`apply`: a plan is done operation by operation, each announced in the journal before it is begun.

A plan that was stopped goes on in its own journal: the operation that was under way is put back first. Done twice it is done once.
"""

from __future__ import annotations

import contextlib
import hashlib
from dataclasses import dataclass
from typing import Any, Callable

from lib_sdpipe.errors import RefusedError, UsageError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.reconcile.plan_document import Operation, Plan, parse_plan
from lib_sdpipe.reconcile.undo import Started
from lib_sdpipe.store.acts import Hands, PreparedAct
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.journal import Journal, JournalHead, iter_journals, journal_file, new_apply_id, read_journal
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.prepare import EditInfotext, Preparer
from lib_sdpipe.store.present import Present
from lib_sdpipe.store.repair import Progress, RepairAnswer, hold_repairs, no_progress
from lib_sdpipe.store.way_back import go_back, now_text, remove_empty_folders, sweep


@dataclass(frozen=True)
class _Tools:
    """What one apply works with."""

    plan: Plan
    journal: Journal
    places: Places
    present: Present
    preparer: Preparer
    hands: Hands
    answer: RepairAnswer


def apply_plan(
    layout: Layout, document: dict[str, Any], edit: EditInfotext | None = None, progress: Progress = no_progress,
    should_stop: Callable[[], bool] = lambda: False,
) -> RepairAnswer:
    """Do the plan in `document`. `should_stop` is asked between operations.

    Raises UsageError for a plan that is not one or is another library's, LockedError while another process repairs,
    RecordError for a library.json that cannot be read. What goes wrong with one operation stands in the answer.
    """
    plan, data = parse_plan(document), _format(document)
    with hold_repairs(layout, "apply"):
        library = Library(layout)
        _check_library(plan, library, layout)
        journal = _open_journal(layout, plan, hashlib.sha256(data).hexdigest())
        try:
            places = Places(layout, library)
            present = Present(places)
            preparer = Preparer(places, present, journal.apply_id, edit or _edit_infotext)
            tools = _Tools(
                plan, journal, places, present, preparer, Hands(places, present, journal.apply_id), RepairAnswer(plan.plan_id),
            )
            _apply(tools, lambda: _keep_plan(layout, journal, data), progress, should_stop)
        finally:
            journal.close()
    return tools.answer.finished()


def _apply(tools: _Tools, keep_plan: Callable[[], None], progress: Progress, should_stop: Callable[[], bool]) -> None:
    journal, answer = tools.journal, tools.answer
    stuck = _put_back_half_done(tools)
    for started in journal.standing:
        tools.preparer.note(started)
    waiting = _check(tools, stuck, progress, should_stop)
    for number, operation in enumerate(waiting):
        if answer.is_interrupted or should_stop():
            answer.is_interrupted = True
            break
        progress("applying", number, len(waiting))
        reason = _do(tools, operation, keep_plan)
        if reason is not None:
            answer.fail(operation.id, reason)
    else:
        progress("applying", len(waiting), len(waiting))
        _note_end(journal)
    answer.apply_id = journal.apply_id if journal.standing else None


def _note_end(journal: Journal) -> None:
    if journal.standing and not journal.is_ended:
        with contextlib.suppress(OSError):  # all is done; the list of applies will say that it was stopped
            journal.note("end", now_text())


def _check(tools: _Tools, stuck: dict[str, str], progress: Progress, should_stop: Callable[[], bool]) -> list[Operation]:
    """All preconditions, before anything is done; the operations that are left to do."""
    waiting, answer = [], tools.answer
    for number, operation in enumerate(tools.plan.operations):
        if should_stop():
            answer.is_interrupted = True
            return []
        progress("checking", number, len(tools.plan.operations))
        if operation.id in stuck:
            answer.fail(operation.id, stuck[operation.id])
            continue
        try:
            acts = tools.preparer.build(operation, tools.journal.has_done(operation.id))
        except RefusedError as fault:
            answer.fail(operation.id, str(fault))
            continue
        if acts:
            waiting.append(operation)
        else:
            answer.skipped += 1
    return waiting


def _do(tools: _Tools, operation: Operation, keep_plan: Callable[[], None]) -> str | None:
    """One operation; the reason if it failed, and then everything is as it was before it."""
    try:
        acts = tools.preparer.build(operation, tools.journal.has_done(operation.id))
        if not acts:
            tools.answer.skipped += 1
            return None
        keep_plan()
        started = tools.journal.start(operation.id, [prepared.act for prepared in acts], _folders(tools.places, acts))
    except RefusedError as fault:
        return str(fault)
    except OSError as fault:
        return f"nothing was begun, for the journal cannot be written: {fault.strerror or fault}"
    try:
        for number, prepared in enumerate(acts, start=started.number):
            tools.hands.do(prepared, number)
        tools.hands.sync()
        tools.journal.finish(operation.id)
    except (RefusedError, OSError) as fault:
        return _put_back(tools, started, fault)
    tools.preparer.note(started)
    tools.answer.done += 1
    return None


def _put_back(tools: _Tools, started: Started, fault: Exception) -> str:
    reason = str(fault) if isinstance(fault, RefusedError) else _words(fault)
    result = go_back(tools.journal, [started], tools.places, tools.present)
    remove_empty_folders(started.folders, tools.places)
    left = next(iter(result.failed.values()), None)
    return f"{reason}; and it is left half done: {left}; `undo` or `apply` again puts it right" if left is not None else reason


def _put_back_half_done(tools: _Tools) -> dict[str, str]:
    """What a killed apply was at; of what cannot be put back the reasons, by operation."""
    journal = tools.journal
    half_done = journal.half_done
    if not half_done:
        return {}
    sweep(half_done, tools.places, tools.present, journal.apply_id)
    result = go_back(journal, half_done, tools.places, tools.present)
    remove_empty_folders(journal.folders, tools.places)
    return {op: f"it was left half done, and cannot be put back: {reason}" for op, reason in result.failed.items()}


def _folders(places: Places, acts: list[PreparedAct]) -> list[Place]:
    targets = [prepared.act.to if prepared.act.to is not None else prepared.act.place for prepared in acts]
    return list(dict.fromkeys(folder for place in targets for folder in places.missing_folders(place)))


def _open_journal(layout: Layout, plan: Plan, sha256: str) -> Journal:
    """The journal of this very plan as far as it was not undone, else a new one."""
    for path, head in iter_journals(layout.journal):
        if head.plan_id == plan.plan_id and head.plan_sha256 == sha256 and head.library == plan.library:
            journal = read_journal(path)
            if journal.is_undo_cut_short:
                raise UsageError(f"an undo of this plan was stopped half way; finish it first: undo {journal.apply_id}")
            if journal.standing:
                return journal
    apply_id = new_apply_id()
    return Journal(journal_file(layout.journal, apply_id), JournalHead(apply_id, plan.plan_id, sha256, plan.library, now_text()))


def _keep_plan(layout: Layout, journal: Journal, data: bytes) -> None:
    path = layout.journal / f"{journal.apply_id}.plan.json"
    if not path.exists():
        write_atomic(path, data)


def _format(document: dict[str, Any]) -> bytes:
    try:
        return format_json(document)
    except (RecursionError, TypeError, ValueError) as fault:
        raise UsageError(f"it is nested too deeply, or is no JSON ({fault})") from fault


def _check_library(plan: Plan, library: Library, layout: Layout) -> None:
    """A library without a library.json has no id yet."""
    mine = library.document.get("id") if layout.library_file.exists() else None
    if plan.library != mine:
        raise UsageError(f"the plan was made for library {plan.library}, and {layout.runs} is library {mine}; make one for it with `plan`")


def _edit_infotext(data: bytes, infotext: str | None) -> bytes:
    from lib_sdpipe.images.edit import edit_infotext

    return edit_infotext(data, infotext)


def _words(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return f"{fault.filename}: {fault.strerror}" if fault.filename else fault.strerror or str(fault)
    return str(fault)
