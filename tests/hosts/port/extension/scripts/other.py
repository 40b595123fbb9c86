"""Another extension: an object with an enumeration as its argument, as ControlNet has one, and what the hosts do in the middle of a pass."""

import gradio as gr
from modules import scripts

from tests.hosts.port.units import Unit

seen = []


class OtherScript(scripts.Script):
    def title(self):
        return "Other"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        self.unit = gr.State(Unit())
        return [gr.Checkbox(False, label="Enable"), gr.Slider(0, 1, 0.5, label="Strength"), self.unit, gr.Textbox("", label="Text")]

    def process(self, p, *args):
        if args and args[0]:
            seen.append(args)
            if args[3] == "fail":
                raise SystemError("never reaches the pass")

    def process_batch(self, p, *args, **kwargs):
        import sys

        calls = getattr(sys.modules.get("tests.hosts.port.units"), "calls", [])
        for call in list(calls):
            call(p)
