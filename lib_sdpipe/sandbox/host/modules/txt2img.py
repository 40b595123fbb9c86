"""The page's txt2img jobs. No postponed annotations: gradio looks for `gr.Request` in the signature."""

import json
from contextlib import closing
from typing import Any

import gradio as gr

from modules import gradio_extensons, infotext_utils, processing, scripts, shared
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


def process(p: Any, runner: Any) -> Any:
    """Run the selected script or else the request itself."""
    processed = runner.run(p, *p.script_args)
    return processing.process_images(p) if processed is None else processed


def answer(processed: Any) -> tuple[Any, ...]:
    """What the page shows."""
    shared.total_tqdm.clear()
    images = [] if shared.opts.do_not_show_images else processed.images + getattr(processed, "extra_images", [])
    return (gradio_extensons.for_gallery(images), processed.js(), plaintext_to_html(processed.info),
            plaintext_to_html(processed.comments, classname="comments"))


def txt2img_create_processing(request: Any, args: tuple[Any, ...], force_enable_hr: bool = False) -> Any:
    opts = shared.opts
    count = len(FIELDS)
    fields = dict(zip(FIELDS, args, strict=False))
    if force_enable_hr:
        fields["enable_hr"] = True
    forge = {"hr_additional_modules": ["Use same choices"], "hr_cfg": args[4]} if shared.is_forge() else {}
    p = processing.StableDiffusionProcessingTxt2Img(
        sd_model=shared.sd_model,
        outpath_samples=opts.outdir_samples or opts.outdir_txt2img_samples,
        outpath_grids=opts.outdir_grids or opts.outdir_txt2img_grids,
        override_settings=infotext_utils.create_override_settings_dict(args[count]), **fields, **forge)
    p.scripts = scripts.scripts_txt2img
    p.script_args = args[count + 1:]
    p.user = getattr(request, "username", None)
    return p


def txt2img_upscale_function(request: Any, gallery: Any, gallery_index: int, generation_info: str,
                             args: tuple[Any, ...]) -> tuple[Any, ...]:
    """The hires button: only the second pass, on a picture of the gallery, which is replaced by the result."""
    assert len(gallery) > 0, "No image to upscale"
    assert 0 <= gallery_index < len(gallery), f"Bad image index: {gallery_index}"
    geninfo = json.loads(generation_info)
    texts = geninfo["infotexts"]
    if shared.is_forge() and len(gallery) > 1 and not geninfo["index_of_first_image"] <= gallery_index < len(texts):
        return gallery, generation_info, "Unable to upscale grid or control images.", ""
    p = txt2img_create_processing(request, args, force_enable_hr=True)
    p.batch_size = p.n_iter = 1
    p.txt2img_upscale = True
    p.firstpass_image = infotext_utils.image_from_url_text([gallery[gallery_index]])
    parameters = infotext_utils.parse_generation_parameters(texts[gallery_index], [])
    p.seed, p.subseed = parameters.get("Seed", -1), parameters.get("Variation seed", -1)
    if shared.is_forge():
        p.extra_generation_params["Original Size"] = f"{p.width}x{p.height}"
        p.width, p.height = p.firstpass_image.size
    p.override_settings["save_images_before_highres_fix"] = False
    with closing(p):
        processed = process(p, scripts.scripts_txt2img)
    _, _, info, comments = answer(processed)
    if not shared.is_forge():
        texts[gallery_index: gallery_index + 1] = processed.infotexts
    texts[gallery_index] = processed.info
    # Gradio 3 hands out dictionaries and takes none.
    shown: list[Any] = [x["name"] if isinstance(x, dict) else x[0] if isinstance(x, (list, tuple)) else x for x in gallery]
    shown[gallery_index: gallery_index + 1] = gradio_extensons.for_gallery(processed.images)
    return shown, json.dumps(geninfo), info, comments


def txt2img_function(request: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    with closing(txt2img_create_processing(request, args)) as p:
        return answer(process(p, scripts.scripts_txt2img))


def txt2img_upscale(id_task: str, request: gr.Request, gallery, gallery_index, generation_info, *args):
    return on_generating_thread(txt2img_upscale_function, request, gallery, gallery_index, generation_info, args)


def txt2img(id_task: str, request: gr.Request, *args):
    return on_generating_thread(txt2img_function, request, args)
