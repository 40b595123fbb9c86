"""Taking the steps back that `reconcile/undo.py` finds: for an undo, and for an operation that could not be finished."""

from __future__ import annotations

import contextlib
import time
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
    result, hands = WayBackResult(), Hands(places, present, journal.apply_id)
    way = plan_undo(standing, present.state, journal.purged_at)
    result.failed.update(way.refused)
    steps: dict[str, list[BackStep]] = {}
    for step in way.steps:
        steps.setdefault(step.op, []).append(step)
    # The last act first, over all operations: an operation that was retried lies on both sides of others.
    order = list(dict.fromkeys([step.op for step in way.steps] + [one.op for one in reversed(standing)]))
    left = {op: len(of_op) for op, of_op in steps.items()}
    for step in way.steps:
        if step.op in result.failed:
            continue
        if left[step.op] == len(steps[step.op]):
            if should_stop():
                result.is_interrupted = True
                return result
            progress(len(result.done) + len(result.failed), len(order))
        _take(step, hands, result)
        left[step.op] -= 1
        if not left[step.op] and step.op not in result.failed:
            _note(journal, step.op)
            result.done.append(step.op)
    for op in order:
        if op not in steps and op not in result.failed:
            _note(journal, op)
            result.skipped.append(op)
    return result


def _take(step: BackStep, hands: Hands, result: WayBackResult) -> None:
    try:
        hands.reverse(step.act, step.number)
        hands.sync()
    except RefusedError as fault:
        result.failed[step.op] = str(fault)
    except OSError as fault:
        result.failed[step.op] = f"{step.act.place}: {fault.strerror or fault}"


def _note(journal: Journal, op: str) -> None:
    with contextlib.suppress(OSError):  # a full disk; the next undo finds it back by itself
        journal.take_back(op)


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
