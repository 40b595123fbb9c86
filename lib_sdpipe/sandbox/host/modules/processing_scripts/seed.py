"""Seed and variation seed of the page."""

import gradio as gr
from modules import scripts
from modules.infotext_utils import PasteField


class ScriptSeed(scripts.ScriptBuiltinUI):
    section = "seed"
    create_group = False

    def title(self):
        return "Seed"

    def ui(self, is_img2img):
        with gr.Row(elem_id=self.elem_id("seed_row")):
            self.seed = gr.Number(label="Seed", value=-1, elem_id=self.elem_id("seed"), precision=0)
            extra = gr.Checkbox(label="Extra", elem_id=self.elem_id("subseed_show"), value=False)
        with gr.Row(elem_id=self.elem_id("seed_extras"), visible=False) as extras:
            subseed = gr.Number(label="Variation seed", value=-1, elem_id=self.elem_id("subseed"), precision=0)
            strength = gr.Slider(label="Variation strength", value=0.0, minimum=0, maximum=1, step=0.01,
                                 elem_id=self.elem_id("subseed_strength"))
            width = gr.Slider(label="Resize seed from width", value=0, minimum=0, maximum=2048, step=8,
                              elem_id=self.elem_id("seed_resize_from_w"))
            height = gr.Slider(label="Resize seed from height", value=0, minimum=0, maximum=2048, step=8,
                               elem_id=self.elem_id("seed_resize_from_h"))
        extra.change(lambda x: gr.update(visible=x), inputs=[extra], outputs=[extras])
        self.infotext_fields = [
            PasteField(self.seed, "Seed", api="seed"),
            PasteField(extra, lambda d: "Variation seed" in d or "Seed resize from-1" in d),
            PasteField(subseed, "Variation seed", api="subseed"),
            PasteField(strength, "Variation seed strength", api="subseed_strength"),
            PasteField(width, "Seed resize from-1"), PasteField(height, "Seed resize from-2"),
        ]
        return self.seed, extra, subseed, strength, width, height

    def setup(self, p, seed, extra, subseed, strength, width, height):
        p.seed = seed
        if extra and strength > 0:
            p.subseed, p.subseed_strength = subseed, strength
        if extra and width > 0 and height > 0:
            p.seed_resize_from_w, p.seed_resize_from_h = width, height
