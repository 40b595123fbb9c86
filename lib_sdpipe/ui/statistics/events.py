"""What the Statistics section does when something is pressed: shows what is counted, and has it counted where it is not. Writes nothing."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import gradio as gr

from lib_sdpipe.errors import LockedError, SdPipeError
from lib_sdpipe.index.statistics import CountingStopped
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.background import FAILED, STOPPING, LongWork, StopWork
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.statistics import markup
from lib_sdpipe.ui.statistics.present import present_statistics
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.statistics import CountedLibrary, count_library, find_counted, forget_counted

# A small library is counted while the page waits; of a large one it hears later.
_PATIENCE_SECONDS = 0.2
_STEP_SECONDS = 0.005
_LONGEST_QUERY = 500


@dataclass(frozen=True)
class Shown:
    """What is asked for, and what of it the page has got: it is sent again only what is another."""

    query: str = ""
    by: str | None = None
    drawn: Any = None


class StatisticsEvents:
    """The handlers. Each returns updates of: ranges, box, statistics, shown."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def look(self, ask: Ask, shown: Shown) -> Updates:
        return self._show(ask, shown, gr.update())

    def show(self, ask: Ask, shown: Shown) -> Updates:
        """Another time (`query`) or other bars (`by`)."""
        query = ask.text("query")
        if query is None:
            return self._show(ask, replace(shown, by=ask.text("by")), gr.update())
        return self._show(ask, replace(shown, query=query[:_LONGEST_QUERY]), gr.update(value=query[:_LONGEST_QUERY]))

    def fit(self, ask: Ask, shown: Shown, query: str) -> Updates:
        """The images that fit what somebody wrote."""
        return self._show(ask, replace(shown, query=str(query or "").strip()[:_LONGEST_QUERY]), gr.update())

    def again(self, ask: Ask, shown: Shown) -> Updates:
        forget_counted(ask.workspace)
        return self._show(ask, replace(shown, drawn=None), gr.update())

    def _show(self, ask: Ask, shown: Shown, box: Any) -> Updates:
        counted, is_fresh = find_counted(ask.workspace, shown.query)
        if not is_fresh:
            self._count(ask.workspace, shown.query, ask.user)
            counted, is_fresh = find_counted(ask.workspace, shown.query)
        drawn = (counted.counted_at if counted else None, shown.query, shown.by, is_fresh)
        ranges = markup.show_ranges(_list_days(date.today()), shown.query)
        if drawn == shown.drawn:
            return gr.update(), box, gr.update(), shown
        return ranges, box, _draw(counted, shown, not is_fresh), replace(shown, drawn=drawn)

    def _count(self, workspace: Workspace, query: str, user: str | None) -> None:
        """Begin, and wait a moment for the end. What counts something else ends first."""
        lane, name = f"statistics of {workspace.viewer or ''} {workspace.layout.index_file}", f"Counting {query}"
        work = self._frame.background.find(lane)
        if work is not None and work.is_running and work.name != name:
            work.stop()
            _wait(work)
        if work is None or not work.is_running:
            try:
                work = self._frame.background.start(lane, name, lambda long_work: _count(long_work, workspace, query), user)
            except LockedError:  # the other one still ends, or somebody else was quicker: the page asks again
                return
        _wait(work)
        if work.name == name and work.state == FAILED:
            self._frame.background.forget(lane)
            raise SdPipeError(f"the library could not be counted: {work.fault}")


def _count(work: LongWork, workspace: Workspace, query: str) -> CountedLibrary:
    try:
        return count_library(workspace, query, lambda: work.state == STOPPING)
    except CountingStopped as fault:
        raise StopWork from fault


def _wait(work: LongWork) -> None:
    until = time.monotonic() + _PATIENCE_SECONDS
    while work.is_running and time.monotonic() < until:
        time.sleep(_STEP_SECONDS)


def _draw(counted: CountedLibrary | None, shown: Shown, is_pending: bool) -> str:
    if counted is None:
        return markup.PENDING
    view = present_statistics(counted.counted, shown.query, shown.by, datetime.fromtimestamp(counted.counted_at))
    return markup.show_statistics(view, is_pending)


def _list_days(today: date) -> dict[str, str]:
    return {
        "week": f"{today - timedelta(days=6):%Y-%m-%d}", "month": f"{today - timedelta(days=29):%Y-%m-%d}", "year": f"{today:%Y}",
    }
