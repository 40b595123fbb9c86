"""Refiner of the page."""

import gradio as gr
from modules import scripts, sd_models
from modules.infotext_utils import PasteField
from modules.ui_components import InputAccordion


class ScriptRefiner(scripts.ScriptBuiltinUI):
    section = "accordions"
    create_group = False

    def title(self):
        return "Refiner"

    def ui(self, is_img2img):
        with InputAccordion(False, label="Refiner", elem_id=self.elem_id("enable")) as enabled:
            checkpoint = gr.Dropdown(label="Checkpoint", elem_id=self.elem_id("checkpoint"),
                                     choices=["", *sd_models.checkpoint_tiles()], value="")
            switch_at = gr.Slider(label="Switch at", value=0.8, minimum=0.01, maximum=1.0, step=0.01,
                                  elem_id=self.elem_id("switch_at"))

        def title_of(params):
            found = sd_models.get_closet_checkpoint_match(params.get("Refiner"))
            return found and found.title

        self.infotext_fields = [
            PasteField(enabled, lambda d: "Refiner" in d),
            PasteField(checkpoint, title_of, api="refiner_checkpoint"),
            PasteField(switch_at, "Refiner switch at", api="refiner_switch_at"),
        ]
        return enabled, checkpoint, switch_at

    def setup(self, p, enabled, checkpoint, switch_at):
        used = enabled and checkpoint not in (None, "", "None")
        p.refiner_checkpoint, p.refiner_switch_at = (checkpoint, switch_at) if used else (None, None)
