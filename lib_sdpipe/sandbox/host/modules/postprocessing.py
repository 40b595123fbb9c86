"""Extras jobs: no request object exists, files are saved with `p=None`, and the API saves nothing."""

from __future__ import annotations

from typing import Any

from PIL import Image

from modules import gradio_extensons, images, infotext_quote, scripts, scripts_postprocessing, shared
from modules.shared import opts


def run_postprocessing_webui(id_task: str, image: Any, upscaler: str, scale: float, *args: Any) -> tuple[Any, ...]:
    assert image is not None, "image not selected"
    results, info = run(image, upscaler, scale, list(args), save_output=True)
    return gradio_extensons.for_gallery(results), info, ""


def run_extras(image: Any, upscaler_1: str = "None", upscaling_resize: float = 2, save_output: bool = False,
               **_: Any) -> tuple[list[Any], str]:
    """The API's way: scripts of extensions run with all their arguments None."""
    args = scripts.scripts_postproc.create_args_for_run({})
    return run(image, upscaler_1, upscaling_resize, args, save_output=save_output)


def run(image: Image.Image, upscaler: str, scale: float, args: list[Any], save_output: bool) -> tuple[list[Any], str]:
    shared.state.begin(job="extras")
    parameters, existing = images.read_info_from_image(image)
    pp = scripts_postprocessing.PostprocessedImage(image if image.mode == "RGBA" else image.convert("RGB"))
    if upscaler != "None" and scale > 1:
        found = next((x for x in shared.sd_upscalers if x.name == upscaler), None)
        assert found is not None, f"could not find upscaler named {upscaler}"
        pp.image = found.scaler.upscale(pp.image, scale, found.data_path)
        pp.info.update({"Postprocess upscale by": scale, "Postprocess upscaler": upscaler})
    scripts.scripts_postproc.run(pp, args)
    infotext = ", ".join(k if k == v else f"{k}: {infotext_quote.quote(v)}" for k, v in pp.info.items() if v is not None)
    if opts.enable_pnginfo:
        pp.image.info = dict(existing)
        if parameters is not None:
            existing["parameters"] = pp.image.info["parameters"] = parameters
        existing["postprocessing"] = pp.image.info["postprocessing"] = infotext
    if save_output:
        section = "postprocessing" if shared.is_forge() else "extras"
        images.save_image(pp.image, path=opts.outdir_extras_samples, basename="", extension=opts.samples_format,
                          info=infotext, short_filename=True, no_prompt=True, grid=False,
                          pnginfo_section_name=section, existing_info=existing, forced_filename=None,
                          suffix=pp.get_suffix())
    shared.state.end()
    return [pp.image], infotext
