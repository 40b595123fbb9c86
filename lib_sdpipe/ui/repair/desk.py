"""What is known of one library's repairs while the page's server runs: the last check, choices, plans that were shown, outcomes.

Everybody who looks sees the same. Long work runs in the background and leaves what came of it here.
"""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.findings import CODES, Finding
from lib_sdpipe.store.repair import RepairAnswer
from lib_sdpipe.ui.background import Background, LongWork, StopWork
from lib_sdpipe.ui.repair.present import build_key, chosen_operation
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.kept_plan import KeptPlan
from lib_sdpipe.workspace.past_repairs import PastRepairs, read_applied, read_operations
from lib_sdpipe.workspace.tally import Tally

CHECK, DEEP_CHECK, PLAN, ADOPT, APPLY, UNDO_PREVIEW, UNDO = "Check", "Deep check", "Plan", "Adoption plan", "Repair", "Undo preview", "Undo"
_MOST_PLANS = 4


@dataclass(frozen=True)
class Found:
    """What a check found. `is_stale`: something was repaired or put back since."""

    tally: Tally
    totals: dict[str, int]
    at: datetime
    seconds: float
    is_stale: bool = False


@dataclass(frozen=True)
class Shown:
    """A plan that somebody looks at before it is done. `undoes`: the apply that it takes back; `notes` say what was left out."""

    plan: KeptPlan
    undoes: str | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Outcome:
    """What an apply or an undo did. `places`: of the operations that failed, what they are about."""

    verb: str
    answer: RepairAnswer
    at: datetime
    places: dict[str, Json]


class Desk:
    """One library's."""

    def __init__(self, background: Background, lane: str) -> None:
        self._changes = 1
        self.skipped_roots: set[str] = set()
        self.choices: dict[str, str | None] = {}
        self.left_out: dict[str, str] = {}  # key of a finding -> its code
        self.found: Found | None = None
        self.shown: OrderedDict[str, Shown] = OrderedDict()
        self.outcome: Outcome | None = None
        self.takes_all = False
        self.limit: int | None = 5_000
        self.past = PastRepairs()
        self._background, self._lane = background, lane

    @property
    def work(self) -> LongWork | None:
        return self._background.find(self._lane)

    @property
    def is_busy(self) -> bool:
        work = self.work
        return work is not None and work.is_running

    @property
    def version(self) -> tuple[int, bool]:
        """Another one after each change that a page should show; while work runs its buttons are off."""
        return self._changes, self.is_busy

    def changed(self) -> None:
        self._changes += 1

    # --- choices ---

    def choose(self, code: str, operation: str | None) -> None:
        """Raises UsageError for what there is not."""
        if code not in CODES or operation is not None and operation not in CODES[code].operations:
            raise UsageError(f"there is no operation {operation!r} for {code!r}")
        self.choices[code] = operation
        self.changed()

    def leave_out(self, key: str, code: str) -> None:
        """Or take in again what was left out."""
        if self.left_out.pop(key, None) is None:
            self.left_out[key] = code
        self.changed()

    def count_left_out(self, code: str) -> int:
        return sum(1 for left in self.left_out.values() if left == code)

    def is_wanted(self, finding: Finding) -> bool:
        """Whether a plan is to do something about it."""
        if self.is_skipped(finding) or build_key(finding.to_json()) in self.left_out:
            return False
        return chosen_operation(finding.code, self.choices, dict.fromkeys(finding.operations, 1)) is not None

    def is_skipped(self, finding: Finding) -> bool:
        return finding.root in self.skipped_roots

    # --- long work ---

    def stop(self) -> None:
        if self.work is not None:
            self.work.stop()

    def check(self, workspace: Workspace, user: str | None, is_deep: bool = False) -> None:
        def work(long_work: LongWork) -> None:
            self._look(workspace, long_work, is_deep)
            self.outcome = None

        self._start(DEEP_CHECK if is_deep else CHECK, work, user)

    def _look(self, workspace: Workspace, long_work: LongWork, is_deep: bool = False) -> None:
        from lib_sdpipe.workspace.repairs import tally_findings

        began = time.monotonic()
        tally, totals = tally_findings(
            workspace, lambda finding: not self.is_skipped(finding), long_work.report, long_work.rest,
            (lambda read: long_work.report("deep", read.files, read.of_files)) if is_deep else None,
        )
        self.found = Found(tally, totals, datetime.now(), time.monotonic() - began)

    def plan(self, workspace: Workspace, user: str | None) -> None:
        from lib_sdpipe.workspace.repairs import plan_wanted

        choices = [f"{code}={operation}" for code, operation in self.choices.items() if operation is not None]

        def work(long_work: LongWork) -> None:
            self._keep(Shown(KeptPlan(*plan_wanted(workspace, self.is_wanted, choices, long_work.report, long_work.rest))))

        self._start(PLAN, work, user)

    def plan_adoption(self, workspace: Workspace, root: str, path: str, user: str | None) -> None:
        from lib_sdpipe.ui.repair.words import SKIPPED_WORDS
        from lib_sdpipe.workspace.adopting import plan_adoption

        def work(long_work: LongWork) -> None:
            plans: list[KeptPlan] = []
            adoption = plan_adoption(
                workspace, root, path, lambda plan, operations: plans.append(KeptPlan(plan, operations)), self.takes_all, self.limit,
                long_work.report, long_work.rest,
            )
            left = [f"Left as they are: {count:,} {SKIPPED_WORDS[why]}." for why, count in sorted(adoption.skipped.items()) if count]
            counted = [f"{adoption.images:,} images become {adoption.runs:,} runs."]
            if self.limit is not None and adoption.images >= self.limit:
                counted.append("These are the oldest; repeat it for the next ones.")
            self._keep(Shown(plans[0], notes=[*counted, *left]))

        self._start(ADOPT, work, user)

    def preview_undo(self, workspace: Workspace, apply_id: str, user: str | None) -> None:
        def work(long_work: LongWork) -> None:
            long_work.report("planning", 0)
            plan, missing = read_applied(workspace.layout, apply_id)
            notes = ["What it did can be taken back, and its plan is gone: only the number of operations is known."] if missing else []
            self._keep(Shown(plan, apply_id, notes))

        self._start(UNDO_PREVIEW, work, user)

    def apply(self, workspace: Workspace, plan_id: str, user: str | None) -> None:
        """Do the plan that was shown under this id. Raises UnknownNameError, LockedError."""
        from lib_sdpipe.store.apply import apply_plan

        shown = self.find_shown(plan_id)

        def work(long_work: LongWork) -> None:
            document = shown.plan.read_document()
            answer = apply_plan(workspace.layout, document, progress=long_work.note, should_stop=long_work.should_stop)
            self._finish(workspace, APPLY, plan_id, answer, {one["id"]: one for one in document["operations"]})
            self._look_again(workspace, long_work)

        self._start(APPLY, work, user)

    def undo(self, workspace: Workspace, plan_id: str, user: str | None) -> None:
        """Take back the apply whose preview was shown under this id. Raises UnknownNameError, LockedError."""
        from lib_sdpipe.store.undo import undo

        shown = self.find_shown(plan_id)

        def work(long_work: LongWork) -> None:
            answer = undo(workspace.layout, shown.undoes, long_work.note, long_work.should_stop)
            operations = read_operations(workspace.layout, shown.undoes or "") if answer.failed else {}
            self._finish(workspace, UNDO, plan_id, answer, operations)
            self._look_again(workspace, long_work)

        self._start(UNDO, work, user)

    def _look_again(self, workspace: Workspace, long_work: LongWork) -> None:
        """After a repair, so that what is shown is how things are; stopped, the older findings stay and say that they are old."""
        if self.found is not None and self.found.is_stale:
            self.changed()
            with contextlib.suppress(StopWork):
                self._look(workspace, long_work)

    def find_shown(self, plan_id: str) -> Shown:
        shown = self.shown.get(plan_id)
        if shown is None:
            raise UnknownNameError("this plan is not kept any more; have it shown again, and look at it before it is done")
        return shown

    def drop(self, plan_id: str) -> None:
        self.shown.pop(plan_id, None)
        self.changed()

    def _start(self, name: str, work: Callable[[LongWork], None], user: str | None) -> None:
        """Raises LockedError while other work runs."""

        def run(long_work: LongWork) -> None:
            try:
                work(long_work)
            finally:
                self.changed()

        self._background.start(self._lane, name, run, user)
        self.changed()

    def _keep(self, shown: Shown) -> None:
        """Of what takes back one apply only the newest: done, nothing may offer it again."""
        for plan_id in [plan_id for plan_id, other in self.shown.items() if other.undoes is not None and other.undoes == shown.undoes]:
            del self.shown[plan_id]
        self.shown[shown.plan.plan_id] = shown
        while len(self.shown) > _MOST_PLANS:
            self.shown.popitem(last=False)

    def _finish(self, workspace: Workspace, verb: str, plan_id: str, answer: RepairAnswer, operations: dict[str, Json]) -> None:
        failed = [one["id"] for one in answer.failed]
        self.outcome = Outcome(verb, answer, datetime.now(), {op: operations[op] for op in failed if op in operations})
        if not answer.is_interrupted:
            self.shown.pop(plan_id, None)
        with contextlib.suppress(OSError):  # a long journal is read here, and not while somebody waits for the page
            self.past.list(workspace.layout, 0, 1)
        if self.found is not None and (answer.done or answer.is_interrupted):
            self.found = replace(self.found, is_stale=True)


class Desks:
    """Of all libraries that the page has shown: its runs folder is a setting."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._of: dict[str, Desk] = {}

    def of(self, workspace: Workspace) -> Desk:
        lane = str(workspace.layout.runs)
        return self._of.setdefault(lane, Desk(self._background, lane))
