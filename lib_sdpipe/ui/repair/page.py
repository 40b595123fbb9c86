"""The Repair section as it is now: reads a page of findings, of a plan, of past repairs, and has it written as HTML."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.codec import parse_json_object
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.findings import CODES
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.disk_thread import ask_briefly
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.ui import words
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.repair import markup, plan_markup
from lib_sdpipe.ui.repair.desk import UNDO, Desk, Found, Outcome
from lib_sdpipe.ui.repair.markup import FINDINGS_PER_PAGE, RootView, WorkView
from lib_sdpipe.ui.repair.plan_markup import OPERATIONS_PER_PAGE, PAST_PER_PAGE, OutcomeView, PastView, PlanView
from lib_sdpipe.ui.repair.present import CodeView, Slot, build_code_view, build_key, present_finding
from lib_sdpipe.ui.repair.present_plan import present_operation
from lib_sdpipe.ui.repair.words import STATES
from lib_sdpipe.ui.small_pictures import SmallPictures
from lib_sdpipe.workspace import Workspace

if TYPE_CHECKING:
    from lib_sdpipe.ui.repair.events import View

LIMITS: tuple[int | None, ...] = (500, 5_000, 50_000, None)
# A folder on a disk that is asleep is not waited for.
_PATIENCE_SECONDS = 0.3
_KNOWN_SECONDS = 5.0
_LARGEST_RECORD = 4 << 20


class RepairPage:
    """Makes the HTML of one section."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._states: dict[Path, tuple[float, str]] = {}

    def show_work(self, desk: Desk) -> str:
        work = desk.work
        if work is None:
            return ""
        if not work.is_running:
            if work.state == "stopped":
                return markup.show_work(None, f"{work.name} was stopped. Nothing was changed by it.")
            return markup.show_work(None, self._frame.readable(work.fault) if work.fault else None)
        progress = work.progress
        return markup.show_work(WorkView(
            work.name, progress.phase, progress.done, progress.total, work.seconds, work.state == "stopping", work.user
        ))

    def show(self, workspace: Workspace, desk: Desk, view: View) -> str:
        library, is_busy = workspace.library(), desk.is_busy
        pictures = _Pictures(workspace)
        parts = [markup.show_check(self._list_roots(library, desk), _summarize(desk.found), is_busy, desk.found is None)]
        if desk.outcome is not None:
            parts.append(plan_markup.show_outcome(self._present_outcome(desk.outcome), is_busy))
        if view.plan in desk.shown:
            parts.append(self._show_plan(workspace, library, desk, view, pictures, is_busy))
        if desk.found is not None:
            parts.append(self._show_findings(desk.found, desk, view, library, pictures, is_busy))
        parts.append(self._show_past(workspace, desk, view, is_busy))
        return f'<div class="sdpipe-repair">{"".join(parts)}</div>'

    # --- folders ---

    def _list_roots(self, library: Library, desk: Desk) -> list[RootView]:
        return [
            RootView(
                name, None if self._frame.hides_folders else str(folder), self._state_of(library, name, folder),
                name not in desk.skipped_roots,
            )
            for name, folder in library.roots().items()
        ]

    def _state_of(self, library: Library, name: str, folder: Path) -> str:
        known = self._states.get(folder)
        if known is None or time.monotonic() - known[0] > _KNOWN_SECONDS:
            self._states[folder] = known = (time.monotonic(), ask_briefly(lambda: _look_at(folder), _PATIENCE_SECONDS, "offline"))
        if known[1] == "empty" and name != RUNS_ROOT and library.is_confirmed_empty(name):
            return "confirmed"
        if known[1] == "offline" and name in library.save_roots():
            return "unused"
        return "ok" if known[1] == "empty" and name == RUNS_ROOT else known[1]

    # --- findings ---

    def _show_findings(
        self, found: Found, desk: Desk, view: View, library: Library, pictures: _Pictures, is_busy: bool
    ) -> str:
        codes = []
        for code in CODES:
            of_code = found.tally.by_code.get(code)
            if of_code is not None:
                left = desk.count_left_out(code)
                known = build_code_view(code, of_code.count, of_code.findings, of_code.operations, desk.choices, left)
                codes.append(self._fill(known, found, desk, view.page) if code == view.code else known)
        slots = [slot for known in codes for row in known.rows for slot in row.slots]
        roots = [name for name in library.roots() if name != RUNS_ROOT]
        adoption = plan_markup.show_adoption_choices(desk.takes_all, desk.limit, LIMITS, roots, is_busy)
        shown = markup.show_findings(codes, view.code, pictures.find(slots), is_busy, adoption)
        planned = sum(max(0, known.planned - known.left_out) for known in codes)
        bar = plan_markup.show_plan_bar(planned, is_busy, found.is_stale) if codes else ""
        return f'<div class="sdpipe-codes">{shown}</div>{bar}'

    def _fill(self, view: CodeView, found: Found, desk: Desk, page: int) -> CodeView:
        page = min(page, max(0, -(-view.findings // FINDINGS_PER_PAGE) - 1))
        read = found.tally.read(view.code, page * FINDINGS_PER_PAGE, FINDINGS_PER_PAGE)
        rows = [present_finding(finding, build_key(finding) in desk.left_out, self._frame.readable) for finding in read]
        return CodeView(**{**vars(view), "page": page, "rows": rows})

    # --- plans and what came of them ---

    def _show_plan(
        self, workspace: Workspace, library: Library, desk: Desk, view: View, pictures: _Pictures, is_busy: bool
    ) -> str:
        shown = desk.shown[view.plan or ""]
        page, operations = 0, []
        if view.kind is not None and view.kind in shown.plan.counts:
            page = min(view.plan_page, (shown.plan.counts[view.kind] - 1) // OPERATIONS_PER_PAGE)
            operations = shown.plan.read(*view.kind, page * OPERATIONS_PER_PAGE, OPERATIONS_PER_PAGE)
        records = _Records(workspace, library)
        is_undo = shown.undoes is not None
        rows = [present_operation(operation, records.read, self._frame.readable, is_undo) for operation in operations]
        plan = PlanView(shown.plan.plan_id, dict(shown.plan.counts), shown.undoes, shown.notes, view.kind, page, rows)
        return plan_markup.show_plan(plan, pictures.find([slot for row in rows for slot in row.slots]), is_busy)

    def _present_outcome(self, outcome: Outcome) -> OutcomeView:
        answer, readable = outcome.answer, self._frame.readable
        failed = [
            (readable(plan_markup.describe_failure(outcome.places.get(one["id"]), one["id"])), readable(one["reason"]))
            for one in answer.failed
        ]
        return OutcomeView(
            outcome.verb == UNDO, answer.done, answer.skipped, failed, answer.is_interrupted, answer.apply_id, answer.seconds
        )

    def _show_past(self, workspace: Workspace, desk: Desk, view: View, is_busy: bool) -> str:
        past, has_more = desk.past.list(workspace.layout, view.past_page * PAST_PER_PAGE, PAST_PER_PAGE)
        rows = [
            PastView(
                one.summary.apply_id, words.format_moment(one.summary.at), STATES[one.summary.state], one.summary.operations,
                plan_markup.describe_deeds(one.counts), one.summary.state in ("applied", "stopped"),
            )
            for one in past
        ]
        return plan_markup.show_past(rows, view.past_page, has_more, is_busy)


class _Pictures:
    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace

    def find(self, slots: list[Slot]) -> dict[Slot, str | None]:
        if not slots:
            return {}
        return dict(zip(slots, SmallPictures(self._workspace).find_all([(slot.root, slot.path) for slot in slots])))


class _Records:
    """Records as they are now."""

    def __init__(self, workspace: Workspace, library: Library) -> None:
        self._places = Places(workspace.layout, library)

    def read(self, file: str) -> Json | None:
        try:
            path = self._places.find_record(file)
            if path.stat().st_size > _LARGEST_RECORD:
                return None
            return parse_json_object(path.read_bytes(), file)
        except (SdPipeError, OSError, ValueError):
            return None


def _look_at(folder: Path) -> str:
    with os.scandir(folder) as entries:
        return "ok" if any(not entry.name.startswith(".") for entry in entries) else "empty"


def _summarize(found: Found | None) -> list[str]:
    if found is None:
        return []
    counts = [words.format_count(found.totals[what], what[:-1]) for what in ("images", "runs")]
    return [f"Checked at {found.at:%H:%M}", *counts, words.format_duration(found.seconds * 1000)]
