"""What the Trace section does: a dropped, pasted or picked picture is looked for on a thread of its own, and shown once it is found."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.background import LongWork
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.gradio_versions import find_uploaded
from lib_sdpipe.ui.small_pictures import as_address
from lib_sdpipe.ui.trace import markup
from lib_sdpipe.ui.trace.present import present_match, present_sureness
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.page_address import build_thumbnail_address

if TYPE_CHECKING:
    from lib_sdpipe.workspace.traced import Traced

# Most are found within this time, and shown at once.
_PATIENCE_SECONDS = 0.8
# Of pages that asked and never came for the answer.
_MOST_KEPT = 32
_LONGEST_NAME = 120


@dataclass(frozen=True)
class View:
    """What this page has asked for; `lane` None for nothing that is still under way."""

    lane: str | None = None
    name: str = ""


class TraceEvents:
    """Each handler returns updates of: the drop field, what was found, the view."""

    COUNT = 3

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._lanes: OrderedDict[str, None] = OrderedDict()

    def drop(self, ask: Ask, value: Any) -> Updates:
        """A file came by the drop field."""
        file = find_uploaded(value)
        if file is None:
            raise UsageError("this is no picture that was dropped here; drop it again")
        return self._trace(ask, file, file.name)

    def trace_picked(self, ask: Ask) -> Updates:
        """The image that was picked first, or the one that `run` and `name`, or `root` and `path`, name. Raises UnknownNameError."""
        from lib_sdpipe.workspace.picked import find_pick, read_picks

        picked = ask.data.get("picked")
        picks = read_picks([ask.data, *(picked[:1] if isinstance(picked, list) else [])])
        if not picks:
            raise UnknownNameError("nothing is picked: tick an image in Browse, or drop one here")
        found = find_pick(ask.workspace, picks[-1])
        if found.file is None:
            raise UnknownNameError(f"{picks[-1].title}: {found.absence}")
        return self._trace(ask, found.file, found.file.name)

    def look(self, ask: Ask, view: View) -> Updates:
        """Whether what was asked for is found by now."""
        if view.lane is None:
            return gr.update(), gr.update(), view
        return self._answer(view)

    def _trace(self, ask: Ask, file: Path, name: str) -> Updates:
        from lib_sdpipe.workspace.traced import trace_picture  # numpy and Pillow: not before somebody asks

        workspace, lane = ask.workspace, f"trace {secrets.token_hex(8)}"
        name = name[:_LONGEST_NAME]

        def work(long_work: LongWork) -> str:
            return self._show(workspace, trace_picture(workspace, file, name, long_work.rest))

        self._frame.background.start(lane, "Trace", work, ask.user)
        self._keep(lane)
        view, until = View(lane, name), time.monotonic() + _PATIENCE_SECONDS
        begun = self._frame.background.find(lane)
        while begun is not None and begun.is_running and time.monotonic() < until:
            time.sleep(0.01)
        return self._answer(view)

    def _answer(self, view: View) -> Updates:
        work = self._frame.background.find(view.lane or "")
        if work is not None and work.is_running:
            return gr.update(value=None), markup.show_working(view.name), view
        self._frame.background.forget(view.lane or "")
        self._lanes.pop(view.lane or "", None)
        if work is None or work.result is None:
            fault = work.fault if work is not None and work.fault else "it was not looked for to the end; drop it again"
            return gr.update(value=None), markup.show_fault(self._frame.readable(fault)), View()
        return gr.update(value=None), work.result, View()

    def _keep(self, lane: str) -> None:
        self._lanes[lane] = None
        while len(self._lanes) > _MOST_KEPT:
            self._frame.background.forget(self._lanes.popitem(last=False)[0])

    def _show(self, workspace: Workspace, traced: Traced) -> str:
        facts, trace = traced.facts, traced.trace
        size, format_, weight = f"{facts.width} × {facts.height}", facts.format or "", words.format_bytes(facts.bytes)
        dropped = markup.DroppedView(traced.name, [size, format_, weight], as_address(traced.small), traced.infotext or "")
        distance = trace.matches[0].candidate.distance if trace.matches else None
        sure = present_sureness(trace.by, len(trace.matches), distance)
        matches = [
            present_match(one.match, one.manifest, one.run, one.has_file, one.children, one.differences) for one in traced.matches
        ]
        addresses = [
            build_thumbnail_address(match.link.run_id or "", match.link.name or "") if match.has_file else None for match in matches
        ]
        return markup.show_traced(dropped, sure, matches, addresses, traced.left)
