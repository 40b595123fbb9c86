"""The page's img2img job: an image, or an image with a mask. No postponed annotations, as in txt2img."""

from typing import Any

import gradio as gr

from modules import images, processing, scripts, shared
from modules.infotext_utils import create_override_settings_dict
from modules.txt2img import on_generating_thread, run

FIELDS = (
    "prompt", "negative_prompt", "n_iter", "batch_size", "cfg_scale", "height", "width", "init_img", "mask",
    "mask_blur", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "resize_mode",
    "denoising_strength",
)


def img2img_function(request: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    opts = shared.opts
    count = len(FIELDS)
    fields = dict(zip(FIELDS, args, strict=False))
    image, mask = images.fix_image(fields.pop("init_img")), images.fix_image(fields.pop("mask"))
    assert image is not None, "img2img needs an image"
    p = processing.StableDiffusionProcessingImg2Img(
        sd_model=shared.sd_model,
        outpath_samples=opts.outdir_samples or opts.outdir_img2img_samples,
        outpath_grids=opts.outdir_grids or opts.outdir_img2img_grids,
        init_images=[image], mask=mask, override_settings=create_override_settings_dict(args[count]), **fields)
    p.scripts = scripts.scripts_img2img
    p.script_args = args[count + 1:]
    p.user = getattr(request, "username", None)
    return run(p, scripts.scripts_img2img)


def img2img(id_task: str, request: gr.Request, *args):
    return on_generating_thread(img2img_function, request, args)
