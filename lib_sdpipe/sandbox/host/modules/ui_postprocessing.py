"""The Extras tab: enlarging a picture, then the operations of extensions."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules import gradio_extensons, infotext_utils, postprocessing, scripts, shared
from modules.call_queue import wrap_gradio_gpu_call
from modules.ui_components import FormRow


def build_extras() -> None:
    id_task = gr.Textbox(visible=False, elem_id="extras_task_id")
    with gr.Row():
        with gr.Column(scale=1):
            image = gradio_extensons.image_input(label="Source", elem_id="extras_image", image_mode="RGBA", height=320)
            with FormRow():
                upscaler = gr.Dropdown(label="Upscaler", elem_id="extras_upscaler_1", value="Lanczos",
                                       choices=[x.name for x in shared.sd_upscalers])
                scale = gr.Slider(1.0, 8.0, value=2.0, step=0.05, label="Resize", elem_id="extras_upscaling_resize")
            inputs: list[Any] = scripts.scripts_postproc.setup_ui()
            submit = gr.Button("Generate", elem_id="extras_generate", variant="primary")
        with gr.Column(scale=1):
            gallery = gradio_extensons.gallery(label="Output", show_label=False, elem_id="extras_gallery")
            info = gr.HTML(elem_id="html_info_extras")
            log = gr.HTML(elem_id="html_log_extras")
    job_inputs = [id_task, image, upscaler, scale, *inputs]
    submit.click(wrap_gradio_gpu_call(postprocessing.run_postprocessing_webui, extra_outputs=[None, ""]),
                 inputs=job_inputs, outputs=[gallery, info, log], **gradio_extensons.with_new_task(job_inputs))
    infotext_utils.add_paste_fields("extras", image, None)
