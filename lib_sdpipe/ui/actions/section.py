"""Components of the actions: the card of a download, and what carries an image to another tab of the host."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.actions.events import ActionEvents
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html, build_sent_image


def build(frame: Frame) -> None:
    card = build_html("", elem_id="sdpipe_download")
    events = ActionEvents(frame)
    frame.on_ask("zip", events.zip, [card])
    frame.on_ask("share", events.share, [card])
    frame.on_ask("look_download", events.look, [card])
    frame.on_ask("close_download", events.close, [card])
    if frame.host.send_targets():
        _build_sending(frame, events)


def _build_sending(frame: Frame, events: ActionEvents) -> None:
    """Hidden by style.css. Filled only when something is sent: an image in a component goes to the browser and back."""
    with gr.Row(elem_id="sdpipe_send_carriers"):
        text = gr.Textbox("", elem_id="sdpipe_send_text", show_label=False)
        image = build_sent_image(elem_id="sdpipe_send_image")
        ready = build_html("", elem_id="sdpipe_send_ready")
        for target in frame.host.send_targets():
            # javascript/sdpipe_actions.js presses one of these when everything is there.
            button = gr.Button(f"Send to {target}", elem_id=f"sdpipe_send_to_{target}")
            frame.host.connect_send_button(target, button, image if target != "txt2img" else None, text)
            if target != "txt2img":
                alone = gr.Button(f"Send image to {target}", elem_id=f"sdpipe_send_image_to_{target}")
                frame.host.connect_send_button(target, alone, image, None)
    frame.on_ask("send", events.send, [text, image, ready])
