"""The Trace section: a field to drop a picture on, and what is known of it."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.html_text import ask_button
from lib_sdpipe.ui.trace import markup
from lib_sdpipe.ui.trace.events import TraceEvents, View


def build(frame: Frame) -> None:
    with gr.Row(elem_id="sdpipe_trace_head"):
        # A field for files, not for images: it passes on the very bytes, text and all.
        file = gr.File(label="Drop an image here, or paste one", file_types=["image"], elem_id="sdpipe_trace_file", height=140)
        build_html(ask_button("Trace the picked image", "trace", {}, None, send_picked=True), elem_id="sdpipe_trace_picked")
    found = build_html(markup.EMPTY, elem_id="sdpipe_trace")
    view, events = frame.build_state(View()), TraceEvents(frame)
    outputs = [file, found, view]
    frame.on(file.upload, events.drop, [file], outputs)
    frame.on_ask("trace", events.trace_picked, outputs)
    frame.on_ask("look_trace", events.look, outputs, [view])
