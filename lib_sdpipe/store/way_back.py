"""Taking the steps back that `reconcile/undo.py` finds: for an undo, and for an operation that could not be finished."""

from __future__ import annotations

import time
from collections import Counter
from typing import Callable, Sequence

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.reconcile.undo import BackStep, Started, plan_undo
from lib_sdpipe.store.acts import Hands
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.journal import Journal
from lib_sdpipe.store.present import Present


class WayBackResult:
    """Operation ids by what became of them; `failed` with the reasons."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.skipped: list[str] = []
        self.failed: dict[str, str] = {}
        self.is_interrupted = False


def go_back(
    journal: Journal, standing: Sequence[Started], places: Places, present: Present,
    progress: Callable[[int, int], None] = lambda done, total: None, should_stop: Callable[[], bool] = lambda: False,
) -> WayBackResult:
    """Put back what these operations changed, the last first; each is noted in the journal."""
    return _Return(journal, standing, places, present).go(progress, should_stop)


class _Return:
    """One way back. An operation is noted as undone only after all later ones on the same files are: the next try relies on it."""

    def __init__(self, journal: Journal, standing: Sequence[Started], places: Places, present: Present) -> None:
        self._journal, self._standing, self._hands = journal, standing, Hands(places, present, journal.apply_id)
        self._way = plan_undo(standing, present.state, journal.purged_at)
        self._held: dict[Place, str] = {}
        self._result = WayBackResult()
        self._result.failed.update(self._way.refused)

    def go(self, progress: Callable[[int, int], None], should_stop: Callable[[], bool]) -> WayBackResult:
        result, total = self._result, len(dict.fromkeys(one.op for one in self._standing))
        left = Counter(step.op for step in self._way.steps)
        for op in dict.fromkeys(one.op for one in reversed(self._standing)):
            if op not in left and op not in result.failed:
                self._note(op)
                result.skipped.append(op)
        begun: set[str] = set()
        for step in self._way.steps:
            if step.op in result.failed:
                continue
            if step.op not in begun and should_stop():
                result.is_interrupted = True
                break
            begun.add(step.op)
            progress(total - len(left) + len(begun), total)
            self._take(step)
            left[step.op] -= 1
            if not left[step.op] and step.op not in result.failed:
                self._note(step.op)
                result.done.append(step.op)
        return result

    def _take(self, step: BackStep) -> None:
        later = next((self._held[place] for place, _, _ in step.act.transitions() if place in self._held), None)
        if later is not None:
            self._fail(step.op, f"{step.act.place} was changed again by operation {later}, which could not be undone")
            return
        try:
            self._hands.reverse(step.act, step.number)
            self._hands.sync()
        except RefusedError as fault:
            self._fail(step.op, str(fault))
        except OSError as fault:
            self._fail(step.op, f"{step.act.place}: {fault.strerror or fault}")

    def _fail(self, op: str, reason: str) -> None:
        self._result.failed[op] = reason
        self._hold(op)

    def _note(self, op: str) -> None:
        try:
            self._journal.take_back(op)
        except OSError:
            self._hold(op)  # a full disk; it is back, and the next undo will find that out

    def _hold(self, op: str) -> None:
        """What lies below on the same files stays too."""
        acts = (act for one in self._standing if one.op == op for act in one.acts)
        self._held.update((place, op) for act in acts for place, _, _ in act.transitions())


def sweep(standing: Sequence[Started], places: Places, present: Present, apply_id: str) -> None:
    """Remove the half-written files of a killed apply or undo."""
    hands = Hands(places, present, apply_id)
    for started in standing:
        for number, act in enumerate(started.acts, start=started.number):
            try:
                hands.sweep(act, number)
            except (RefusedError, OSError):
                continue  # its place is out of reach, and so is what lies there


def remove_empty_folders(folders: Sequence[Place], places: Places) -> None:
    """Those that an apply made, as far as nobody put anything into them."""
    for place in reversed(folders):
        try:
            places.find_folder(place).rmdir()
        except (RefusedError, OSError):
            continue


def now_text() -> str:
    return format_utc(time.time())
