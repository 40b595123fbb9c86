"""The Bin section: one page of HTML that asks for its deeds."""

from __future__ import annotations


from lib_sdpipe.ui.bin import markup
from lib_sdpipe.ui.bin.events import BinEvents, View
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html


def build(frame: Frame) -> None:
    work = build_html("", elem_id="sdpipe_bin_work")
    page = build_html(markup.PENDING, elem_id="sdpipe_bin")
    view, events = frame.build_state(View()), BinEvents(frame)
    frame.on_ask("bin", events.do, [work, page, view], [view])
