"""The forms of txt2img and img2img. Every value goes to the job by the order of its FIELDS."""

from __future__ import annotations

from typing import Any

import gradio as gr

from modules import gradio_extensons, img2img, infotext_utils, scripts, shared, txt2img, ui_common
from modules.call_queue import wrap_gradio_gpu_call
from modules.infotext_utils import ParamBinding, PasteField
from modules.ui_components import FormRow, InputAccordion


def _interrupt() -> None:
    state = shared.state
    if not state.stopping_generation and state.job_count > 1 and shared.opts.interrupt_after_current:
        state.stop_generating()
    else:
        state.interrupt()


def _top(tab: str) -> tuple[dict[str, Any], Any]:
    with gr.Row(elem_id=f"{tab}_toprow"):
        with gr.Column(scale=6):
            prompt = gr.Textbox(label="Prompt", elem_id=f"{tab}_prompt", show_label=False, lines=3,
                                placeholder="Prompt (Ctrl+Enter to generate)", elem_classes=["prompt"])
            negative = gr.Textbox(label="Negative prompt", elem_id=f"{tab}_neg_prompt", show_label=False, lines=2,
                                  placeholder="Negative prompt", elem_classes=["prompt"])
        with gr.Column(scale=1, elem_id=f"{tab}_actions_column", min_width=180):
            submit = gr.Button("Generate", elem_id=f"{tab}_generate", variant="primary")
            with gr.Row():
                interrupt = gr.Button("Interrupt", elem_id=f"{tab}_interrupt", min_width=60, size="sm")
                skip = gr.Button("Skip", elem_id=f"{tab}_skip", min_width=60, size="sm")
            paste = gr.Button("Paste infotext", elem_id="paste", size="sm")
    interrupt.click(_interrupt, inputs=[], outputs=[], queue=False)
    skip.click(lambda: shared.state.skip(), inputs=[], outputs=[], queue=False)
    infotext_utils.register_paste_params_button(ParamBinding(paste, tab, source_text_component=prompt))
    return {"prompt": prompt, "negative_prompt": negative}, submit


def _sizes(tab: str) -> dict[str, Any]:
    with FormRow():
        width = gr.Slider(64, 2048, value=512, step=8, label="Width", elem_id=f"{tab}_width")
        height = gr.Slider(64, 2048, value=512, step=8, label="Height", elem_id=f"{tab}_height")
    with FormRow():
        count = gr.Slider(1, 100, value=1, step=1, label="Batch count", elem_id=f"{tab}_batch_count")
        size = gr.Slider(1, 8, value=1, step=1, label="Batch size", elem_id=f"{tab}_batch_size")
        cfg = gr.Slider(1.0, 30.0, value=7.0, step=0.5, label="CFG Scale", elem_id=f"{tab}_cfg_scale")
    return {"width": width, "height": height, "n_iter": count, "batch_size": size, "cfg_scale": cfg}


def _hires() -> dict[str, Any]:
    modes = [*shared.latent_upscale_modes, *(x.name for x in shared.sd_upscalers)]
    with InputAccordion(False, label="Hires. fix", elem_id="txt2img_hr") as enable:
        with FormRow():
            upscaler = gr.Dropdown(label="Upscaler", elem_id="txt2img_hr_upscaler", choices=modes, value=modes[0])
            steps = gr.Slider(0, 150, value=0, step=1, label="Hires steps", elem_id="txt2img_hires_steps")
            strength = gr.Slider(0.0, 1.0, value=0.7, step=0.01, label="Denoising strength",
                                 elem_id="txt2img_denoising_strength")
        with FormRow():
            scale = gr.Slider(1.0, 4.0, value=2.0, step=0.05, label="Upscale by", elem_id="txt2img_hr_scale")
            x = gr.Slider(0, 2048, value=0, step=8, label="Resize width to", elem_id="txt2img_hr_resize_x")
            y = gr.Slider(0, 2048, value=0, step=8, label="Resize height to", elem_id="txt2img_hr_resize_y")
        with FormRow():
            prompt = gr.Textbox(label="Hires prompt", elem_id="hires_prompt")
            negative = gr.Textbox(label="Hires negative prompt", elem_id="hires_neg_prompt")
    return {"enable_hr": enable, "hr_upscaler": upscaler, "hr_second_pass_steps": steps, "denoising_strength": strength,
            "hr_scale": scale, "hr_resize_x": x, "hr_resize_y": y, "hr_prompt": prompt, "hr_negative_prompt": negative}


def _scripts(runner: Any, tab: str) -> list[Any]:
    for section in ("seed", "checkboxes", "batch"):
        runner.setup_ui_for_section(section)
    with gr.Group(elem_id=f"{tab}_script_container"):
        return runner.setup_ui()


def _connect(tab: str, module: Any, fields: dict[str, Any], submit: Any, custom_inputs: list[Any],
             panel: ui_common.OutputPanel, override_settings: Any, id_task: Any) -> None:
    inputs = [*(fields[x] for x in module.FIELDS), override_settings, *custom_inputs]

    def event(function: Any, given: list[Any]) -> dict[str, Any]:
        job = wrap_gradio_gpu_call(function, extra_outputs=[None, "", ""])
        return {"fn": job, "inputs": given, "outputs": panel.outputs, **gradio_extensons.with_new_task(given)}

    generate = event(getattr(module, tab), [id_task, *inputs])
    fields["prompt"].submit(**generate)
    submit.click(**generate)
    if panel.button_upscale is not None:
        gallery = [id_task, panel.gallery, panel.index, panel.generation_info]
        panel.button_upscale.click(**event(module.txt2img_upscale, [*gallery, *inputs]))


def _paste_fields(fields: dict[str, Any], runner: Any) -> list[PasteField]:
    labels = {
        "prompt": "Prompt", "negative_prompt": "Negative prompt", "cfg_scale": "CFG scale", "width": "Size-1",
        "height": "Size-2", "batch_size": "Batch size", "denoising_strength": "Denoising strength",
        "hr_scale": "Hires upscale", "hr_upscaler": "Hires upscaler", "hr_second_pass_steps": "Hires steps",
        "hr_resize_x": "Hires resize-1", "hr_resize_y": "Hires resize-2", "hr_prompt": "Hires prompt",
        "hr_negative_prompt": "Hires negative prompt",
    }
    res = [PasteField(fields[k], label, api=k) for k, label in labels.items() if k in fields]
    if "enable_hr" in fields:
        res.append(PasteField(fields["enable_hr"], lambda d: "Denoising strength" in d and (
            "Hires upscale" in d or "Hires upscaler" in d), api="enable_hr"))
    return [*res, *(x if isinstance(x, PasteField) else PasteField(*x) for x in runner.infotext_fields)]


def _hidden(tab: str) -> tuple[Any, Any]:
    """The task id, and the settings that an infotext overrides."""
    return gr.Textbox(visible=False, elem_id=f"{tab}_task_id"), gr.State([])


def build_txt2img() -> None:
    runner = scripts.scripts_txt2img
    id_task, override_settings = _hidden("txt2img")
    fields, submit = _top("txt2img")
    with gr.Row():
        with gr.Column(elem_id="txt2img_settings", scale=1):
            runner.prepare_ui()
            runner.setup_ui_for_section("sampler")
            fields |= _hires()
            runner.setup_ui_for_section("accordions")
            fields |= _sizes("txt2img")
            custom_inputs = _scripts(runner, "txt2img")
        panel = ui_common.OutputPanel("txt2img")
    _connect("txt2img", txt2img, fields, submit, custom_inputs, panel, override_settings, id_task)
    infotext_utils.add_paste_fields("txt2img", None, _paste_fields(fields, runner), override_settings)


def build_img2img() -> None:
    runner = scripts.scripts_img2img
    id_task, override_settings = _hidden("img2img")
    fields, submit = _top("img2img")
    with gr.Row():
        with gr.Column(elem_id="img2img_settings", scale=1):
            runner.prepare_ui()
            fields |= _init_image()
            runner.setup_ui_for_section("sampler")
            runner.setup_ui_for_section("accordions")
            fields |= _sizes("img2img")
            fields["denoising_strength"] = gr.Slider(0.0, 1.0, value=0.75, step=0.01, label="Denoising strength",
                                                     elem_id="img2img_denoising_strength")
            custom_inputs = _scripts(runner, "img2img")
        panel = ui_common.OutputPanel("img2img")
    _connect("img2img", img2img, fields, submit, custom_inputs, panel, override_settings, id_task)
    paste = _paste_fields(fields, runner)
    infotext_utils.add_paste_fields("img2img", fields["init_img"], paste, override_settings)
    infotext_utils.add_paste_fields("inpaint", fields["init_img"], paste, override_settings)


def _init_image() -> dict[str, Any]:
    mode = gr.State(0)
    with gr.Tabs(elem_id="mode_img2img"):
        with gradio_extensons.tab_item("img2img", elem_id="img2img_img2img_tab") as single:
            image = gradio_extensons.image_input(label="Image for img2img", elem_id="img2img_image", image_mode="RGBA",
                                                 height=320)
            inpaint = _inpaint()
        with gradio_extensons.tab_item("Batch", elem_id="img2img_batch_tab") as batch:
            batch_fields = _batch()
    for number, tab in ((0, single), (5, batch)):
        tab.select(fn=lambda number=number: number, inputs=[], outputs=[mode])
    resize_mode = gr.Radio(["Just resize", "Crop and resize", "Resize and fill"], value="Just resize", type="index",
                           label="Resize mode", elem_id="resize_mode")
    return {"mode": mode, "init_img": image, **inpaint, **batch_fields, "resize_mode": resize_mode}


def _inpaint() -> dict[str, Any]:
    with gr.Accordion("Inpaint", open=False, elem_id="img2img_inpaint"):
        mask = gradio_extensons.image_input(label="Mask (white is drawn anew)", elem_id="img_inpaint_mask",
                                            image_mode="RGBA", height=200)
        with FormRow():
            blur = gr.Slider(0, 64, value=4, step=1, label="Mask blur", elem_id="img2img_mask_blur")
            padding = gr.Slider(0, 256, value=32, step=4, label="Only masked padding, pixels",
                                elem_id="img2img_inpaint_full_res_padding")
        with FormRow():
            fill = gr.Radio(["fill", "original", "latent noise", "latent nothing"], value="original", type="index",
                            label="Masked content", elem_id="img2img_inpainting_fill")
            full = gr.Radio(["Whole picture", "Only masked"], value="Whole picture", type="index",
                            label="Inpaint area", elem_id="img2img_inpaint_full_res")
    return {"mask": mask, "mask_blur": blur, "inpaint_full_res_padding": padding, "inpainting_fill": fill,
            "inpaint_full_res": full}


def _batch() -> dict[str, Any]:
    """As the host's, but uploads and folders stand in one tab: uploads count where there are any."""
    folder = {"visible": shared.hide_dirs["visible"]}
    upload = gr.File(label="Files", file_count="multiple", interactive=True, elem_id="img2img_batch_upload")
    res = {"upload": upload}
    for name, label in (("input_dir", "Input directory"), ("output_dir", "Output directory"),
                        ("inpaint_mask_dir", "Inpaint batch mask directory"), ("png_info_dir", "PNG info directory")):
        res[name] = gr.Textbox(label=label, elem_id=f"img2img_batch_{name}", **folder)
    res["use_png_info"] = gr.Checkbox(label="Append png info to prompts", elem_id="img2img_batch_use_png_info")
    res["png_info_props"] = gr.CheckboxGroup(
        ["Prompt", "Negative prompt", "Seed", "CFG scale", "Sampler", "Steps", "Model hash"],
        label="Parameters to take from png info", elem_id="img2img_batch_png_info_props")
    return {f"img2img_batch_{name}": x for name, x in res.items()}
