"""An operation of a plan as acts, judged against what is there now: something to do, done already, or refused with the reason."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Callable

from lib_sdpipe.errors import RefusedError, SdPipeError
from lib_sdpipe.reconcile.acts import Act, Content, Other, Place, Stamp, State
from lib_sdpipe.reconcile.byte_ranges import find_ranges
from lib_sdpipe.reconcile.plan_document import RUNS_ROOT, Edit, Expected, Operation
from lib_sdpipe.reconcile.undo import Started
from lib_sdpipe.store.acts import PreparedAct
from lib_sdpipe.store.confine import QUARANTINE_NAME, Places
from lib_sdpipe.store.edit_record import build_record, is_edited, write_act
from lib_sdpipe.store.present import Present, read_signature

EditInfotext = Callable[[bytes, "str | None"], bytes]


class Preparer:
    """For one apply. It reads; it changes nothing."""

    def __init__(self, places: Places, present: Present, apply_id: str, edit: EditInfotext) -> None:
        self._places, self._present, self._apply_id, self._edit = places, present, apply_id, edit
        # Record files that this apply has written: what they were before the first time, and after the last.
        self._written: dict[Place, tuple[State, State]] = {}

    def note(self, started: Started) -> None:
        """An operation was done: later ones that were planned for the same file as it was may go on from there."""
        for act in started.acts:
            if act.kind == "write":
                first = self._written.get(act.place, (act.before, None))[0]
                self._written[act.place] = (first, act.after)

    def build(self, operation: Operation, was_done: bool) -> list[PreparedAct]:
        """None to do means that its result is there. Raises RefusedError with the reason."""
        try:
            acts = self._file_acts(operation) if operation.writes_file else []
            for edit in operation.edits:
                acts += self._record_acts(edit, was_done)
            if acts and operation.place is not None and not operation.writes_file:
                self._expect_file(operation.place, operation.expects)
        except RefusedError:
            raise
        except (SdPipeError, ValueError, TypeError, RecursionError) as fault:
            raise RefusedError(str(fault)) from fault
        except OSError as fault:
            raise RefusedError(f"{operation.place or operation.id}: {fault.strerror or fault}") from fault
        return acts

    def _file_acts(self, operation: Operation) -> list[PreparedAct]:
        place = operation.place
        if place is None:
            raise RefusedError("it names no file")
        path = self._places.find_writable(place)
        self._places.check_recorded(place, operation.run_id, operation.name)
        state = self._present.state_of(path)
        if operation.restore is not None:
            return self._restore(place, path, state, operation.expects, *operation.restore)
        if operation.has_infotext:
            return self._infotext(place, path, state, operation.expects, operation.infotext)
        also = [act for other, expects in operation.also for act in self._also(other, expects)]
        if state is None and self._is_in_quarantine(place, operation.expects):
            return also
        self._expect(place, operation.expects, state)
        return [self._aside(place, path, state), *also]

    def _also(self, place: Place, expects: Expected) -> list[PreparedAct]:
        path = self._places.find_writable(place)
        if place.root is None:
            raise RefusedError(f"{place}: lies outside the image roots")
        state = self._present.state_of(path)
        if state is None:
            return []
        self._expect(place, expects, state)
        return [self._aside(place, path, state)]

    def _restore(
        self, place: Place, path: Path, state: State, expects: Expected | None, source: Place, copy: Content,
    ) -> list[PreparedAct]:
        if state == copy:
            return []
        self._expect(place, expects, state)
        found = self._present.state(source)
        if found != copy:
            raise RefusedError(f"{source}: the copy {_words(found)}, not {copy.bytes:,} bytes of sha256 {copy.sha256[:12]}")
        aside = [self._aside(place, path, state)] if state is not None else []
        return [*aside, PreparedAct(Act("copy", place, None, copy, source=source))]

    def _infotext(self, place: Place, path: Path, state: State, expects: Expected | None, infotext: str | None) -> list[PreparedAct]:
        if not isinstance(state, Content):
            self._expect(place, expects, state)
        old, content = self._present.read(path)
        new = self._edit(old, infotext)
        if new == old:
            return []
        self._expect(place, expects, content)
        after = Content(len(new), _sha256(new))
        return [PreparedAct(Act("patch", place, content, after, self._stamp(path), ranges=find_ranges(old, new)), new)]

    def _record_acts(self, edit: Edit, was_done: bool) -> list[PreparedAct]:
        place, path = Place(RUNS_ROOT, edit.file), self._places.find_record(edit.file)
        state = self._present.state_of(path)
        if isinstance(state, Other):
            raise RefusedError(f"{place}: {_words(state)}")
        old, content = self._present.read(path) if state is not None else (None, None)
        if not self._holds(place, edit.expects, content, was_done):
            is_only_aside = edit.is_whole and edit.document is None
            if self._is_in_quarantine(place, edit.expects) if is_only_aside and old is None else is_edited(edit, old, str(place)):
                return []
            self._expect(place, edit.expects, content)
        new = build_record(edit, old, str(place))
        if new == old:
            return []
        aside = [self._aside(place, path, content)] if edit.quarantine else []
        if new is None:
            return aside
        return [*aside, write_act(place, None if aside else old, new, None if aside or old is None else self._stamp(path))]

    def _holds(self, place: Place, expects: Expected | None, state: State, was_done: bool) -> bool:
        if _is_as_expected(expects, state):
            return True
        first, last = self._written.get(place, (None, None))
        return not was_done and last is not None and state == last and _is_as_expected(expects, first)

    def _expect(self, place: Place, expects: Expected | None, state: State) -> None:
        if not _is_as_expected(expects, state):
            raise RefusedError(f"{place}: {_words(state)}; the plan was made for {_expected_words(expects)}")

    def _expect_file(self, place: Place, expects: Expected | None) -> None:
        """Of a file that is only spoken of: where no digest is asked for, its size tells without reading it."""
        if expects is not None and expects.sha256 is None and expects.bytes is not None and self._present.size(place) == expects.bytes:
            return
        self._expect(place, expects, self._present.state(place))

    def _aside(self, place: Place, path: Path, state: State) -> PreparedAct:
        if not isinstance(state, Content):
            raise RefusedError(f"{place}: {_words(state)}")
        to = self._places.quarantine_place(place, self._apply_id)
        self._places.find_writable(to)
        return PreparedAct(Act("move", place, state, None, self._stamp(path), to=to))

    def _is_in_quarantine(self, place: Place, expects: Expected | None) -> bool:
        """Whether an earlier apply has set it aside."""
        if expects is None or expects.sha256 is None:
            return False
        own = self._places.quarantine_place(place, self._apply_id)
        head, _, tail = own.path.partition(f"{QUARANTINE_NAME}/{self._apply_id}/")
        try:
            ids = os.listdir(self._places.find(Place(own.root, f"{head}{QUARANTINE_NAME}")))
        except OSError:
            return False
        states = (self._present.state(Place(own.root, f"{head}{QUARANTINE_NAME}/{one}/{tail}")) for one in sorted(ids))
        return any(isinstance(state, Content) and expects.holds(state) for state in states)

    def _stamp(self, path: Path) -> Stamp:
        signature = read_signature(path)
        if signature is None:
            raise RefusedError(f"{path}: is not there any more")
        return signature.stamp


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _is_as_expected(expects: Expected | None, state: State) -> bool:
    if expects is None:
        return state is None
    return isinstance(state, Content) and expects.holds(state)


def _words(state: State) -> str:
    if state is None:
        return "is not there"
    return f"is {state.what}" if isinstance(state, Other) else f"has {state.bytes:,} bytes, sha256 {state.sha256[:12]}"


def _expected_words(expects: Expected | None) -> str:
    if expects is None:
        return "a place where nothing is"
    if expects.sha256 is not None:
        return f"sha256 {expects.sha256[:12]}"
    return f"{expects.bytes:,} bytes" if expects.bytes is not None else "a file"
