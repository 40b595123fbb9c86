"""The Compare section: what to compare, the pictures in four views, and what differs as text."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.compare import markup
from lib_sdpipe.ui.compare.events import CompareEvents
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html


def build(frame: Frame) -> None:
    with gr.Column(elem_id="sdpipe_compare"):
        with gr.Row(elem_id="sdpipe_compare_head"):
            build_html(markup.show_picked_button(), elem_id="sdpipe_compare_picked")
            typed = gr.Textbox(
                "", show_label=False, placeholder="Two runs, or images as RUN/txt2img_001", elem_id="sdpipe_compare_typed", container=False,
                max_lines=1, label="Runs or images to compare",
            )
            button = gr.Button("Compare", elem_id="sdpipe_compare_button", size="sm", min_width=90)
        views = build_html(markup.show_empty(), elem_id="sdpipe_compare_views")
        difference = build_html("", elem_id="sdpipe_compare_difference")
        texts = build_html("", elem_id="sdpipe_compare_texts")
    events, outputs = CompareEvents(frame), [typed, views, difference, texts]
    frame.on_ask("compare", events.compare, outputs)
    frame.on_ask("compare_pixels", events.look_at_pixels, [difference])
    frame.on(button.click, events.compare_typed, [typed], outputs)
    frame.on(typed.submit, events.compare_typed, [typed], outputs)
