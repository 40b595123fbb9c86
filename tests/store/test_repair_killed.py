"""A kill before every step of apply and undo that touches the disk: `apply` again or `undo` leads to one of the two whole trees."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Callable, Iterator

import pytest

from lib_sdpipe.store.journal import Journal
from lib_sdpipe.store.layout import find_layout
from tests.store.death import Death, Killed
from tests.store.repair_library import RUN_ID, RepairLibrary, Tree

MORE_THAN_ALL_STEPS = 400


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that is copied for each kill."""
    top = tmp_path_factory.mktemp("first") / "library"
    RepairLibrary(top)
    return top


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill leaves what was written; `tests/store/test_repair_power_cut.py` is about the rest."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


class Copy(RepairLibrary):
    """Of a library as it stands."""

    def __init__(self, first: Path, top: Path) -> None:
        shutil.copytree(first, top)
        self.top, self.outputs, self.layout = top, top / "outputs", find_layout(top / "runs")
        self.run = self.layout.run_folder(RUN_ID)


def killed_at(n: int, work: Callable[[Copy], object], library: Copy) -> bool:
    with pytest.MonkeyPatch.context() as patched:
        death = Death(patched, n)
        try:
            work(library)
        except Killed:
            pass
    return death.is_dead


def each_kill(first: Path, folder: Path, work: Callable[[Copy], object]) -> Iterator[Copy]:
    """Copies of `first`, each after another kill of the work on it."""
    for n in range(1, MORE_THAN_ALL_STEPS):
        library = Copy(first, folder / str(n))
        if not killed_at(n, work, library):
            assert n > 50, "the kills reach every step"
            return
        yield library
    raise AssertionError("more steps than were killed")


def test_an_apply_that_was_killed_anywhere_is_finished_by_the_same_apply_or_undone(first: Path, quick_path: Path) -> None:
    whole = Copy(first, quick_path / "whole")
    before, plan = whole.tree(), whole.short_plan()
    whole.apply(plan)
    after = whole.contents()
    for library in each_kill(first, quick_path, lambda library: library.apply(plan)):
        twin = Copy(library.top, quick_path / f"{library.top.name}-twin")
        answer = library.apply(plan)
        assert answer.failed == [] and answer.done + answer.skipped == 5
        assert library.contents() == after
        assert twin.undo().failed == []
        assert twin.tree() == before


def test_an_undo_that_was_killed_anywhere_is_finished_by_the_next(first: Path, quick_path: Path) -> None:
    whole = Copy(first, quick_path / "whole")
    before = whole.tree()
    whole.apply(whole.short_plan())
    for library in each_kill(whole.top, quick_path, lambda library: library.undo()):
        assert library.undo().failed == []
        assert library.tree() == before


def test_an_undo_of_operations_on_one_record_may_be_killed_before_any_line_and_again(first: Path, quick_path: Path) -> None:
    """What needed no step was once noted last: the earlier operation was forgotten, and the later one found an unknown file."""
    library = Copy(first, quick_path / "library")
    before, plan = library.tree(), library.mixed_plan()
    plan["operations"] = [one for one in plan["operations"] if one["id"].startswith("relink")]
    library.apply(plan)
    take_back = Journal.take_back
    for lines in (0, 1):
        calls: list[str] = []

        def take_some(journal: Journal, op: str, lines: int = lines, calls: list[str] = calls) -> None:
            if len(calls) == lines:
                raise Killed
            calls.append(op)
            take_back(journal, op)

        with pytest.MonkeyPatch.context() as patched, pytest.raises(Killed):
            patched.setattr(Journal, "take_back", take_some)
            library.undo()
    assert library.undo().failed == []
    assert library.tree() == before


def test_what_puts_a_killed_apply_in_order_may_be_killed_too(first: Path, quick_path: Path) -> None:
    whole = Copy(first, quick_path / "whole")
    before, plan = whole.tree(), whole.short_plan()
    for n in (30, 50, 70, 90):
        library = Copy(first, quick_path / str(n))
        for m in range(n, 1, -7):
            killed_at(m, lambda one: one.apply(plan), library)
        assert library.apply(plan).failed == []
        library.undo()
        assert library.tree() == before


@pytest.mark.parametrize(("code", "start"), [(28, 1), (13, 3)], ids=["full", "forbidden"])
def test_a_disk_that_refuses_any_step_fails_that_operation_alone_and_leaves_it_whole(
    first: Path, quick_path: Path, code: int, start: int,
) -> None:
    whole = Copy(first, quick_path / "whole")
    before, plan = whole.tree(), whole.short_plan()
    whole.apply(plan)
    after = whole.contents()
    for n in range(start, MORE_THAN_ALL_STEPS, 4):
        library = Copy(first, quick_path / str(n))
        with pytest.MonkeyPatch.context() as patched:
            death = Death(patched, n, OSError(code, "the disk refuses"))
            try:
                answer = library.apply(plan)
            except OSError:
                assert library.tree() == before, "without its lock it does not begin"
                continue
        if death.count < n:
            assert n > 50
            return
        assert len(answer.failed) <= 1
        assert_whole(library, before, after)
        assert library.apply(plan).failed == [] and set(library.contents()) == set(after)
        library.undo()
        assert library.tree() == before


def assert_whole(library: Copy, before: Tree, after: dict[str, bytes]) -> None:
    """Every file is as before or as after, and no half-written one is left."""
    old = {name: data for name, (data, _, _) in before.items()}
    for name, data in library.contents().items():
        assert data in (old.get(name), after.get(name)), name
