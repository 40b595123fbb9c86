"""Another extension, for the contract tests: it renames files, paints on images before ADetailer does, and takes a picture as an argument.

Its folder's name has to come before `adetailer` in the alphabet: the hosts call scripts in that order.
"""

import os

import gradio as gr

from modules import script_callbacks, scripts


class SDPipeTest(scripts.Script):
    def title(self):
        return "SDPipe test"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        with gr.Accordion("SDPipe test", open=False):
            suffix = gr.Textbox(label="File name suffix", value="")
            paint = gr.Checkbox(label="Paint a red corner", value=False)
            unit = gr.State(None)
        return [suffix, paint, unit]

    def before_process(self, p, suffix="", paint=False, unit=None, *args):
        p.sdpipe_test_suffix = suffix

    def postprocess_image(self, p, pp, suffix="", paint=False, unit=None, *args):
        if paint:
            image = pp.image.copy()
            image.paste((255, 0, 0), (0, 0, 8, 8))
            pp.image = image


def rename(params):
    suffix = getattr(params.p, "sdpipe_test_suffix", "")
    if suffix:
        folder, name = os.path.split(params.filename)
        if suffix.startswith("../"):
            folder = os.path.dirname(folder)
        stem, extension = os.path.splitext(name)
        params.filename = os.path.join(folder, stem + suffix.removeprefix("../") + extension)


script_callbacks.on_before_image_saved(rename)
