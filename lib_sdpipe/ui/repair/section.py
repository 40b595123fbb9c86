"""The Repair section: one page of HTML that asks for its deeds, and a form for a folder's name."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.repair import markup
from lib_sdpipe.ui.repair.events import RepairEvents, View


def build(frame: Frame) -> None:
    work = build_html("", elem_id="sdpipe_repair_work")
    page = build_html(markup.PENDING, elem_id="sdpipe_repair")
    file = gr.File(label="The plan's file", interactive=False, visible=False, elem_id="sdpipe_repair_file")
    view, events = frame.build_state(View()), RepairEvents(frame)
    outputs = [work, page, file, view]
    frame.on_ask("repair", events.do, outputs, [view])
    if frame.hides_folders:
        return
    with gr.Accordion("Add a folder with images", open=False, elem_id="sdpipe_repair_add"), gr.Row(equal_height=False):
        folder = gr.Textbox("", label="Folder", placeholder="/home/me/pictures", elem_id="sdpipe_repair_folder", scale=3, min_width=220)
        name = gr.Textbox("", label="Name", placeholder="pictures", elem_id="sdpipe_repair_folder_name", scale=1, min_width=120)
        add = gr.Button("Add this folder", elem_id="sdpipe_repair_add_folder", scale=0, min_width=140)
    frame.on(add.click, events.add_root, [name, folder, view], outputs)
