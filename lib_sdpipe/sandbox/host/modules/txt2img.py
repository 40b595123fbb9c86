"""The page's txt2img job. No postponed annotations: gradio looks for `gr.Request` in the signature."""

from contextlib import closing
from typing import Any

import gradio as gr

from modules import gradio_extensons, processing, scripts, shared
from modules.infotext_utils import create_override_settings_dict
from modules.ui_common import plaintext_to_html

FIELDS = (
    "prompt", "negative_prompt", "n_iter", "batch_size", "cfg_scale", "height", "width", "enable_hr",
    "denoising_strength", "hr_scale", "hr_upscaler", "hr_second_pass_steps", "hr_resize_x", "hr_resize_y",
    "hr_prompt", "hr_negative_prompt",
)


def on_generating_thread(func: Any, *args: Any) -> Any:
    """Forge does the page's jobs on its main thread; other hosts on the thread that gradio chose."""
    if not shared.is_forge():
        return func(*args)
    from modules_forge import main_thread

    res = main_thread.run_and_wait_result(func, *args)
    if res is None and main_thread.last_exception is not None:
        raise main_thread.last_exception
    return res


def run(p: Any, runner: Any) -> tuple[Any, ...]:
    """Run the selected script or else the request itself; return what the page shows."""
    with closing(p):
        processed = runner.run(p, *p.script_args)
        if processed is None:
            processed = processing.process_images(p)
    shared.total_tqdm.clear()
    images = [] if shared.opts.do_not_show_images else processed.images + getattr(processed, "extra_images", [])
    return (gradio_extensons.for_gallery(images), processed.js(), plaintext_to_html(processed.info),
            plaintext_to_html(processed.comments, classname="comments"))


def txt2img_function(request: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    opts = shared.opts
    count = len(FIELDS)
    forge = {"hr_additional_modules": ["Use same choices"], "hr_cfg": args[4]} if shared.is_forge() else {}
    p = processing.StableDiffusionProcessingTxt2Img(
        sd_model=shared.sd_model,
        outpath_samples=opts.outdir_samples or opts.outdir_txt2img_samples,
        outpath_grids=opts.outdir_grids or opts.outdir_txt2img_grids,
        override_settings=create_override_settings_dict(args[count]),
        **dict(zip(FIELDS, args, strict=False)), **forge)
    p.scripts = scripts.scripts_txt2img
    p.script_args = args[count + 1:]
    p.user = getattr(request, "username", None)
    return run(p, scripts.scripts_txt2img)


def txt2img(id_task: str, request: gr.Request, *args):
    return on_generating_thread(txt2img_function, request, args)
