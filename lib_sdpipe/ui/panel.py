"""The "Runs" accordion in txt2img and img2img: what to do with the next press of Generate."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_sdpipe.record.facts import RunOptions
from lib_sdpipe.ui.host import TabHost
from lib_sdpipe.ui.last_run import build_last_run
from lib_sdpipe.ui.then_choice import build_then

_CONTROLS: tuple[tuple[str, str, str], ...] = (
    ("record", "Record this run", "one manifest for every image, and the settings of the run"),
    ("write_run_id", "Write Run ID into the image", "one short key in the infotext"),
    ("keep_images", "Keep images in the run folder", "a second name for the file, or a copy on another drive"),
    ("keep_stages", "Keep intermediate stages", "the pictures before hires fix and before ADetailer"),
    ("keep_inputs", "Keep input pictures", "what img2img and inpaint were made from, once per picture"),
)


def build_panel(tab: str, defaults: RunOptions, then: str, paused: bool, host: TabHost) -> list[Any]:
    """The controls in the order of the script's arguments; the first is invisible and for API callers."""
    request = gr.State(None)
    with gr.Accordion("Runs", open=False, elem_id=f"sdpipe_{tab}_panel"):
        if paused:
            gr.HTML("<p class='sdpipe-panel-notice'>Recording is paused (Settings, Runs).</p>")
        with gr.Row(elem_id=f"sdpipe_{tab}_checks"):
            checks = [
                gr.Checkbox(
                    value=getattr(defaults, name), label=label, info=info, elem_id=f"sdpipe_{tab}_{name}", elem_classes=["sdpipe-check"],
                    interactive=True,
                )
                for name, label, info in _CONTROLS
            ]
        label = gr.Textbox(
            value=defaults.label, label="Label", elem_id=f"sdpipe_{tab}_label", elem_classes=["sdpipe-label"], max_lines=1,
            interactive=True, placeholder="the last part of the run's name; empty: the stage",
        )
        after = build_then(tab, then, host)
        build_last_run(tab, host)
    controls = [request, *checks, label, after]
    for control in controls:
        # The default is a setting: a value stored by the host's page would mask it for ever.
        control.do_not_save_to_config = True
    return controls
