"""The Extras tab: one picture, several, or a folder, through the operations of the host and of extensions."""

from __future__ import annotations

import gradio as gr

from modules import gradio_extensons, infotext_utils, postprocessing, scripts, shared, ui_common
from modules.call_queue import wrap_gradio_gpu_call


def build_extras() -> None:
    id_task, mode = gr.Textbox(visible=False, elem_id="extras_task_id"), gr.State(0)
    folder = {"visible": shared.hide_dirs["visible"]}
    with gr.Row():
        with gr.Column(scale=1):
            with gr.Tabs(elem_id="mode_extras"):
                with gradio_extensons.tab_item("Single Image", elem_id="extras_single_tab") as single:
                    image = gradio_extensons.image_input(label="Source", elem_id="extras_image", image_mode="RGBA", height=320)
                with gradio_extensons.tab_item("Batch Process", elem_id="extras_batch_process_tab") as batch:
                    files = gr.File(label="Batch Process", file_count="multiple", interactive=True,
                                    elem_id="extras_image_batch")
                with gradio_extensons.tab_item("Batch from Directory", elem_id="extras_batch_directory_tab") as directory:
                    input_dir = gr.Textbox(label="Input directory", elem_id="extras_batch_input_dir", **folder)
                    output_dir = gr.Textbox(label="Output directory", elem_id="extras_batch_output_dir", **folder)
                    show = gr.Checkbox(label="Show result images", value=True, elem_id="extras_show_extras_results")
            inputs = scripts.scripts_postproc.setup_ui()
            submit = gr.Button("Generate", elem_id="extras_generate", variant="primary")
        panel = ui_common.OutputPanel("extras")
    for number, tab in enumerate((single, batch, directory)):
        tab.select(fn=lambda number=number: number, inputs=[], outputs=[mode])
    job_inputs = [id_task, mode, image, files, input_dir, output_dir, show, *inputs]
    submit.click(wrap_gradio_gpu_call(postprocessing.run_postprocessing_webui, extra_outputs=[None, ""]), inputs=job_inputs,
                 outputs=[panel.gallery, panel.generation_info, panel.html_log], **gradio_extensons.with_new_task(job_inputs))
    infotext_utils.add_paste_fields("extras", image, None)
