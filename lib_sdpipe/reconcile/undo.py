"""The way back from what a journal says was done, given what is there now. Pure: it looks nowhere itself.

An operation is undone whole or not at all: of one whose file was purged, the record does not go back either.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Sequence

from lib_sdpipe.reconcile.acts import Act, Content, Other, Place, State


@dataclass(frozen=True)
class Started:
    """An operation of the journal that was not undone. `number` is that of its first act; not `is_done`: it may be half done."""

    op: str
    number: int
    acts: tuple[Act, ...]
    folders: tuple[Place, ...] = ()
    is_done: bool = True


@dataclass(frozen=True)
class BackStep:
    """One act to be reversed; `number` is its number in the journal."""

    op: str
    number: int
    act: Act


@dataclass(frozen=True)
class WayBack:
    """Steps in the order they are to be taken, and by operation the reason why it stays."""

    steps: list[BackStep]
    refused: dict[str, str] = field(default_factory=dict)


def plan_undo(standing: Sequence[Started], look: Callable[[Place], State], purged_at: str | None = None) -> WayBack:
    """The steps that put everything back, last act first. What is back already needs none.

    It may be half done, half undone, or changed since by others: that is refused with the reason.
    """
    refused: dict[str, str] = {}
    looked: dict[Place, State] = {}

    def look_once(place: Place) -> State:
        if place not in looked:
            looked[place] = look(place)
        return looked[place]

    while True:
        walk = _Walk(standing, look_once, refused, purged_at)
        found = walk.refusals()
        if not found:
            return WayBack(walk.steps, refused)
        refused.update(found)


class _Walk:
    """One way backwards through all acts but those of operations that are refused already."""

    def __init__(self, standing: Sequence[Started], look: Callable[[Place], State], refused: dict[str, str], purged_at: str | None) -> None:
        self._look, self._refused, self._purged_at = look, refused, purged_at
        self._acts = [BackStep(one.op, one.number + n, act) for one in standing for n, act in enumerate(one.acts)]
        self._states: dict[Place, list[tuple[int, Content | None]]] = {}
        self._held: dict[Place, str] = {}
        for step in self._acts:
            for place, before, after in step.act.transitions():
                self._states.setdefault(place, []).extend([(step.number, before), (step.number + 1, after)])
        self._world: dict[Place, State] = {}
        self.steps: list[BackStep] = []

    def refusals(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for step in sorted(self._acts, key=lambda one: one.number, reverse=True):
            if step.op in self._refused:
                self._held.update((place, step.op) for place, _, _ in step.act.transitions())
                continue
            reason = self._reverse(step)
            if reason is not None:
                found.setdefault(step.op, reason)
        return found

    def _reverse(self, step: BackStep) -> str | None:
        """Take the step, if one is needed; the reason if it cannot be taken."""
        is_after = [self._now(place) == after for place, _, after in step.act.transitions()]
        if not all(is_after):
            is_back = [self._is_back(place, step.number) for place, _, _ in step.act.transitions()]
            if all(is_back):
                return None
            # Both names of a move: it was stopped between them, on its way there or back.
            if not (step.act.kind == "move" and is_back[0] and is_after[1]):
                return self._reason(step)
        if step.act.source is not None and self._now(step.act.source) != step.act.after:
            source = step.act.source
            return f"{step.act.place} may be the last of its copies: {source}, where it came from, {_words(self._now(source))}"
        self.steps.append(step)
        for place, before, _ in step.act.transitions():
            self._world[place] = before
        return None

    def _now(self, place: Place) -> State:
        return self._world[place] if place in self._world else self._look(place)

    def _is_back(self, place: Place, number: int) -> bool:
        """As it was before this act, or before an earlier one: an undo has been here."""
        return any(at <= number and self._now(place) == state for at, state in self._states[place])

    def _reason(self, step: BackStep) -> str:
        for place, _, after in step.act.transitions():
            if place in self._held:
                return f"{place} was changed again by operation {self._held[place]}, which cannot be undone"
            now = self._now(place)
            if now == after:
                continue
            if now is None and place == step.act.to:
                why = f"it was purged at {self._purged_at}" if self._purged_at else "somebody removed it from quarantine"
                return f"{step.act.place} cannot come back: {why}"
            return f"{place} has changed since: it {_words(now)}"
        return f"{step.act.place} has changed since"


def _words(state: State) -> str:
    if state is None:
        return "is not there any more"
    if isinstance(state, Other):
        return f"is {state.what}"
    return f"has {state.bytes:,} bytes now, sha256 {state.sha256[:12]}"
