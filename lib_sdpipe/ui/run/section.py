"""The run and the image that are open, on the right of the Browse section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.marks import section as marks
from lib_sdpipe.ui.run.events import Chosen, RunEvents


@dataclass(frozen=True)
class RunColumns:
    """`outputs` are what every answer of `events` updates; `chosen` is the last of them."""

    events: RunEvents
    chosen: Any
    outputs: list[Any]


def build(frame: Frame) -> RunColumns:
    with gr.Column(elem_id="sdpipe_open_column", min_width=200):
        run = build_html("", elem_id="sdpipe_run")
        lineage = build_html("", elem_id="sdpipe_lineage")
        with gr.Row(elem_id="sdpipe_open_columns"):
            with gr.Column(elem_id="sdpipe_run_column", min_width=200):
                picture = build_html("", elem_id="sdpipe_picture")
                marks.build(frame)
                strip = build_html("", elem_id="sdpipe_strip")
            with gr.Column(elem_id="sdpipe_image_column", min_width=200):
                details = build_html("", elem_id="sdpipe_details")
                about = build_html("", elem_id="sdpipe_about")
    chosen = frame.build_state(Chosen())
    events, outputs = RunEvents(frame), [run, picture, strip, lineage, details, about, chosen]
    frame.on_ask("look_run", events.look, outputs, [chosen])
    for name, work in (("open", events.open), ("turn_strip", events.turn_strip), ("unfold", events.unfold), ("about", events.about)):
        frame.on_ask(name, work, outputs, [chosen])
    frame.on_ask("open_folder", events.open_folder, [])
    return RunColumns(events, chosen, outputs)
