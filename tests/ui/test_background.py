"""Long work beside the page: it is seen by all, ends when asked, tells its faults, and lets the host go first."""

from __future__ import annotations

import threading
import time
from typing import Any, Callable

import pytest

from lib_sdpipe.errors import LockedError, UsageError
from lib_sdpipe.ui.background import Background, LongWork


def wait_for(condition: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < until, "it did not happen within 20 s"
        time.sleep(0.002)


def work_until_asked(work: LongWork) -> None:
    for number in range(1_000_000):
        work.report("counting", number)
        time.sleep(0.001)


def test_its_result_waits_and_every_page_sees_the_same_work() -> None:
    background, go_on = Background(), threading.Event()

    def work(long_work: LongWork) -> str:
        long_work.report("looking", 3, 7)
        go_on.wait(60)
        return "found"

    begun = background.start("a library", "Check", work)
    wait_for(lambda: begun.progress.done == 3)
    seen = background.find("a library")
    assert seen is begun and seen.is_running and (seen.progress.phase, seen.progress.total) == ("looking", 7)
    go_on.set()
    wait_for(lambda: not begun.is_running)
    assert (begun.state, begun.result, begun.fault) == ("done", "found", None)
    background.forget("a library")
    assert background.find("a library") is None


def test_it_ends_at_the_next_step_after_it_is_asked() -> None:
    background = Background()
    begun = background.start("a library", "Check", work_until_asked)
    wait_for(lambda: begun.progress.done > 2)
    begun.stop()
    wait_for(lambda: not begun.is_running)
    assert begun.state == "stopped" and begun.fault is None


def test_of_one_library_only_one_runs_and_the_second_is_told_who_is_at_it() -> None:
    background = Background()
    first = background.start("a library", "Check", work_until_asked, "ann")
    try:
        with pytest.raises(LockedError, match="Check is running for ann"):
            background.start("a library", "Apply", work_until_asked, "bob")
        other = background.start("another library", "Check", lambda work: "done")
        wait_for(lambda: not other.is_running)
        assert other.result == "done" and first.is_running
    finally:
        background.stop()
    assert background.start("a library", "Check", lambda work: None) is not first


def test_a_fault_becomes_a_sentence() -> None:
    def refuse(work: LongWork) -> None:
        raise UsageError("there is no such code")

    def break_down(work: LongWork) -> None:
        raise KeyError("x")

    background = Background()
    refused, broken = background.start("one", "Plan", refuse), background.start("two", "Plan", break_down)
    wait_for(lambda: not refused.is_running and not broken.is_running)
    assert (refused.state, refused.fault) == ("failed", "there is no such code")
    assert broken.state == "failed" and "fault of SDPipe itself" in (broken.fault or "")


def test_an_end_of_the_page_ends_it() -> None:
    background = Background()
    begun = background.start("a library", "Check", work_until_asked)
    background.stop()
    assert begun.state == "stopped"


class Clock:
    """Time that passes when somebody works or rests."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def rest(self, seconds: float) -> bool:
        self.now += seconds
        return False


def count_steps(is_busy: bool, monkeypatch: pytest.MonkeyPatch) -> int:
    """Steps of 0.5 ms in a fifth of a second."""
    clock, steps = Clock(), 0
    with monkeypatch.context() as patch:
        patch.setattr("lib_sdpipe.workspace.give_way.time", clock)
        patch.setattr(threading.Event, "wait", lambda event, seconds: clock.rest(seconds))
        work = LongWork("Check", None, lambda: is_busy)
        while clock.now < 0.2:
            clock.now += 0.0005
            work.rest()
            steps += 1
    return steps


def test_while_the_host_generates_it_mostly_rests_and_still_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    idle, busy = count_steps(False, monkeypatch), count_steps(True, monkeypatch)
    assert 0 < busy < idle / 4


def test_one_that_rests_hears_at_once_that_it_is_to_end(monkeypatch: Any) -> None:
    monkeypatch.setattr("lib_sdpipe.workspace.give_way._LONGEST_REST_SECONDS", 60.0)
    monkeypatch.setattr("lib_sdpipe.workspace.give_way._REST_TIMES", 1_000_000)
    background = Background(lambda: True)
    begun = background.start("a library", "Check", work_until_asked)
    time.sleep(0.02)
    background.stop()
    assert begun.state == "stopped"
