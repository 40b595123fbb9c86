"""The Pipelines section: what is to be made again, the queue, and a chain that is being put together."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.pipelines import editor_markup, queue_markup
from lib_sdpipe.ui.pipelines.again_events import AgainEvents
from lib_sdpipe.ui.pipelines.chain_events import ChainEvents
from lib_sdpipe.ui.pipelines.queue_events import QueueEvents, Shown


def build(frame: Frame) -> None:
    again = build_html("", elem_id="sdpipe_pipelines_again")
    now = build_html("", elem_id="sdpipe_pipelines_now")
    made = build_html("", elem_id="sdpipe_pipelines_made")
    queue = build_html(queue_markup.PENDING, elem_id="sdpipe_pipelines_queue")
    chain = build_html(editor_markup.PENDING, elem_id="sdpipe_pipelines_chain")
    build_html(editor_markup.show_adding(), elem_id="sdpipe_pipelines_add")
    status = build_html("", elem_id="sdpipe_pipelines_status")
    with gr.Row(elem_id="sdpipe_pipelines_carriers"):  # hidden by style.css
        # A field for files, not for images: it passes on the very bytes. javascript/sdpipe_pipelines.js hands the picture to it.
        mask = gr.File(label="Mask", file_types=["image"], elem_id="sdpipe_pipelines_mask")
        kept = build_html("", elem_id="sdpipe_pipelines_kept")
    shown = frame.build_state(Shown())
    chains = ChainEvents(frame)
    frame.on_ask("queue", QueueEvents(frame).do, [now, made, queue, shown], [shown])
    frame.on_ask("chain", chains.do, [chain, status])
    frame.on(mask.upload, chains.take_mask, [mask], [mask, kept])
    frame.on_ask("again", AgainEvents(frame).do, [again])
