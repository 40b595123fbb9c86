"""The Statistics section: which images, and everything that was counted of them."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.statistics import markup
from lib_sdpipe.ui.statistics.events import Shown, StatisticsEvents


def build(frame: Frame) -> None:
    with gr.Row(elem_id="sdpipe_statistics_head"):
        ranges = build_html("", elem_id="sdpipe_statistics_ranges")
        box = gr.Textbox(
            "", label="Only images that fit", placeholder="model:dream date:2025, as in the search", elem_id="sdpipe_statistics_query",
            max_lines=1, show_label=False, container=False, min_width=160,
        )
    # javascript/sdpipe_statistics.js asks when the section is looked at, and again while something is pending.
    statistics = build_html(markup.PENDING, elem_id="sdpipe_statistics")
    shown = frame.build_state(Shown())
    events, outputs = StatisticsEvents(frame), [ranges, box, statistics, shown]
    frame.on_ask("statistics_look", events.look, outputs, [shown])
    frame.on_ask("statistics_show", events.show, outputs, [shown])
    frame.on_ask("statistics_again", events.again, outputs, [shown])
    frame.on(box.submit, events.fit, [shown, box], outputs)
