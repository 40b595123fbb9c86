"""The run and the image that are open, on the right of the Browse section."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_gallery, build_html, build_image
from lib_sdpipe.ui.run.events import Chosen, RunEvents


@dataclass(frozen=True)
class RunColumns:
    """`outputs` are what every answer of `events` updates; `chosen` is the last of them."""

    events: RunEvents
    chosen: Any
    outputs: list[Any]


def build(frame: Frame) -> RunColumns:
    with gr.Column(elem_id="sdpipe_run_column", min_width=200):
        run = build_html("", elem_id="sdpipe_run")
        # The host's own script looks for galleries whose id ends like this.
        gallery = build_gallery(elem_id="sdpipe_run_gallery", label="Images of the run", columns=3, object_fit="contain", visible=False)
    with gr.Column(elem_id="sdpipe_image_column", min_width=200):
        image = build_image(elem_id="sdpipe_image", label="Chosen image", visible=False)
        details = build_html("", elem_id="sdpipe_details")
        with gr.Accordion("Manifest", open=False, elem_id="sdpipe_manifest_panel"):
            manifest = gr.Code("", language="json", interactive=False, show_label=False, elem_id="sdpipe_manifest")
    chosen = gr.State(Chosen())
    events, outputs = RunEvents(frame), [run, gallery, image, details, manifest, chosen]
    frame.on_ask("look_run", events.look, outputs, [chosen])
    frame.on_ask("open", events.open, outputs, [chosen])
    frame.on_select(gallery.select, events.select, [chosen], outputs[2:])
    return RunColumns(events, chosen, outputs)
