"""Another extension: its argument is an object with an enumeration, as ControlNet's is, and it works in the middle of each batch."""

import gradio as gr
from modules import scripts

from tests.hosts.port import units


class OtherScript(scripts.Script):
    def title(self):
        return "Other"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        return [
            gr.Checkbox(False, label="Enable"), gr.Slider(0, 1, 0.5, label="Strength"), gr.State(units.Unit()),
            gr.Textbox("", label="Text"),
        ]

    def process(self, p, *args):
        if args and args[0]:
            units.seen.append(args)

    def postprocess(self, p, processed, *args):
        if processed.images:  # ADetailer calls this in the middle, with none
            for call in [units.after.pop() for _ in list(units.after)]:
                call(p, processed)

    def process_batch(self, p, *args, **kwargs):
        for call in list(units.calls):
            call(p)
