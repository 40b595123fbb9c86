"""The Statistics section answers at once: small libraries with the numbers, large ones with a word that they are being counted."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from lib_sdpipe.errors import SdPipeError, UsageError  # noqa: E402
from lib_sdpipe.index.statistics import CountingStopped  # noqa: E402
from lib_sdpipe.ui.ask import Ask  # noqa: E402
from lib_sdpipe.ui.background import Background  # noqa: E402
from lib_sdpipe.ui.statistics import events as module  # noqa: E402
from lib_sdpipe.ui.statistics.events import Shown, StatisticsEvents  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402
from lib_sdpipe.workspace.statistics import forget_counted  # noqa: E402


class FrameStub:
    def __init__(self) -> None:
        self.background = Background()


@pytest.fixture
def workspace(sample: Any) -> Workspace:
    workspace = Workspace(sample.layout)
    workspace.find("", look=lambda what, count: None)
    forget_counted(workspace)
    return workspace


def ask(workspace: Workspace, **data: Any) -> Ask:
    return Ask(data, workspace)


def wait_for(events: StatisticsEvents, workspace: Workspace, shown: Shown) -> tuple[Any, ...]:
    until = time.monotonic() + 20
    while True:
        answer = events.look(ask(workspace), replace(shown, drawn=None))
        if isinstance(answer[2], str) and "data-sdpipe-pending" not in answer[2]:
            return answer
        shown = answer[3]
        assert time.monotonic() < until
        time.sleep(0.02)


def test_a_small_library_is_counted_and_sent_once(workspace: Workspace) -> None:
    events = StatisticsEvents(FrameStub())  # type: ignore[arg-type]
    ranges, _, html, shown = wait_for(events, workspace, Shown())
    assert "Images by day" in html and 'aria-pressed="true"' in ranges
    assert not isinstance(events.look(ask(workspace), shown)[2], str)


def test_bars_and_images_are_chosen(workspace: Workspace) -> None:
    events = StatisticsEvents(FrameStub())  # type: ignore[arg-type]
    shown = wait_for(events, workspace, Shown())[3]
    _, _, html, months = events.show(ask(workspace, by="month"), shown)
    assert "Images by month" in html
    assert "Images by day" in events.show(ask(workspace, by=["x"]), months)[2]
    answer = events.fit(ask(workspace), shown, "  prompt-that-nobody-wrote ")
    assert "nothing to count" in wait_for(events, workspace, answer[3])[2]
    with pytest.raises(UsageError):
        events.show(ask(workspace, query="steps:many"), shown)


def test_while_a_large_library_is_counted_the_page_is_answered(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    may_end, asked, until = threading.Event(), [], time.monotonic() + 60

    def slow(workspace: Workspace, query: str, should_stop: Any) -> None:
        asked.append(query)
        while not may_end.wait(0.01) and time.monotonic() < until:
            if should_stop():
                raise CountingStopped
        raise SdPipeError("the disk is away")

    monkeypatch.setattr(module, "count_library", slow)
    monkeypatch.setattr(module, "_PATIENCE_SECONDS", 0.05)
    frame = FrameStub()
    events = StatisticsEvents(frame)  # type: ignore[arg-type]
    began = time.monotonic()
    _, _, html, shown = events.look(ask(workspace), Shown())
    assert "Counting" in html and time.monotonic() - began < 10 and asked == [""]
    events.look(ask(workspace), shown)
    assert asked == [""]
    while len(asked) < 2:  # what is counted for nobody any more makes way
        assert time.monotonic() < until
        events.show(ask(workspace, query="seed:1"), shown)
    assert asked == ["", "seed:1"]
    may_end.set()
    while any(work.is_running for work in frame.background._of_lane.values()):
        assert time.monotonic() < until
        time.sleep(0.005)
    with pytest.raises(SdPipeError, match="the disk is away"):
        events.show(ask(workspace, query="seed:1"), shown)
        events.show(ask(workspace, query="seed:1"), shown)
