"""For the contract suite: while this script is on, ADetailer's passes go by SDPipe's wrapper, as with ControlNet installed.

That extension keeps the host's older main loop and ADetailer calls it in place of the current one.
"""

import gradio as gr

from modules import processing, scripts


class AroundWrapper(scripts.Script):
    wrapped = None

    def title(self):
        return "SDPipe test: around the wrapper"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        enabled = gr.Checkbox(label="Around the wrapper", value=False, visible=False)
        return [enabled]

    def before_process_batch(self, p, enabled=False, *args, **kwargs):
        inner = getattr(processing.process_images_inner, "__wrapped__", None)
        if enabled and inner is not None:
            AroundWrapper.wrapped, processing.process_images_inner = processing.process_images_inner, inner

    def postprocess(self, p, processed, enabled=False, *args):
        if enabled and processed.images and AroundWrapper.wrapped is not None:
            processing.process_images_inner, AroundWrapper.wrapped = AroundWrapper.wrapped, None
