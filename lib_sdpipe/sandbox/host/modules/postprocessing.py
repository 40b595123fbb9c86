"""Extras jobs: no request object exists, files are saved with `p=None`, and the API saves nothing.

`run_postprocessing` has the host's name and the host's local names: extensions look at them from the save callbacks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

from modules import gradio_extensons, images, infotext_quote, scripts, scripts_postprocessing, shared, ui_common
from modules.shared import opts


def _sources(extras_mode: int, image: Any, image_folder: Any, input_dir: str) -> Iterator[tuple[Any, str | None]]:
    """(picture or path, name): one picture without a name, uploaded ones, or the files of a folder."""
    if extras_mode == 1:
        for item in image_folder:
            if not hasattr(item, "name"):
                yield images.fix_image(item), ""
            else:
                own_name = item.name if shared.is_forge() else getattr(item, "orig_name", item.name)
                yield images.read(os.path.abspath(item.name)), os.path.splitext(own_name)[0]
    elif extras_mode == 2:
        assert not shared.cmd_opts.hide_ui_dir_config, "--hide-ui-dir-config option must be disabled"
        assert input_dir, "input directory not selected"
        yield from ((path, path) for path in shared.listfiles(input_dir))
    else:
        assert image, "image not selected"
        yield image, None


def run_postprocessing(extras_mode: int, image: Any, image_folder: Any, input_dir: str, output_dir: str,
                       show_extras_results: bool, *args: Any, save_output: bool = True) -> tuple[list[Any], str, str]:
    state = shared.state
    state.begin(job="extras")
    outputs: list[Any] = []
    outpath = output_dir if extras_mode == 2 and output_dir != "" else opts.outdir_samples or opts.outdir_extras_samples
    infotext = ""
    data_to_process = list(_sources(extras_mode, image, image_folder, input_dir))
    state.job_count = len(data_to_process)
    for image_placeholder, name in data_to_process:
        state.nextjob()
        state.textinfo = name
        state.skipped = False
        if state.interrupted or state.stopping_generation:
            break
        image_data = _read(image_placeholder)
        if image_data is None:
            continue
        parameters, existing_pnginfo = images.read_info_from_image(image_data)
        if parameters:
            existing_pnginfo["parameters"] = parameters
        initial_pp = scripts_postprocessing.PostprocessedImage(image_data)
        scripts.scripts_postproc.run(initial_pp, args)
        if state.skipped:
            continue
        used_suffixes: dict[str, int] = {}
        for pp in [initial_pp, *initial_pp.extra_images]:
            infotext = _finish(pp, name, pp.get_suffix(used_suffixes), existing_pnginfo, outpath if save_output else None)
            if extras_mode != 2 or show_extras_results:
                outputs.append(pp.image)
    state.end()
    return outputs, ui_common.plaintext_to_html(infotext), ""


def _read(source: Any) -> Any:
    """The picture in RGB or RGBA; None for a file that is no picture."""
    if isinstance(source, str):
        try:
            source = images.read(source)
        except Exception:  # the host takes any fault for "no picture"
            return None
    return source if source.mode in ("RGBA", "RGB") else source.convert("RGB")


def _finish(pp: Any, name: str | None, suffix: str, existing: dict[str, Any], outpath: str | None) -> str:
    """Put the texts on the picture and save it. All pictures of one source share one dict of texts, as in the host."""
    basename, forced_filename = "", None
    if opts.use_original_name_batch and name is not None:
        basename = os.path.splitext(os.path.basename(name))[0]
        forced_filename = basename + suffix
    infotext = ", ".join(k if k == v else f"{k}: {infotext_quote.quote(v)}" for k, v in pp.info.items() if v is not None)
    if opts.enable_pnginfo:
        pp.image.info = existing
        if not shared.is_forge():
            existing["postprocessing"] = infotext
    shared.state.assign_current_image(pp.image)
    if outpath is not None:
        section = "postprocessing" if shared.is_forge() else "extras"
        fullfn, _ = images.save_image(
            pp.image, path=outpath, basename=basename, extension=opts.samples_format, info=infotext, short_filename=True,
            no_prompt=True, grid=False, pnginfo_section_name=section, existing_info=existing,
            forced_filename=forced_filename, suffix=suffix)
        if pp.caption:
            with open(os.path.splitext(fullfn)[0] + ".txt", "w", encoding="utf8") as file:
                file.write(pp.caption.strip())
    return infotext


def run_postprocessing_webui(id_task: str, *args: Any, **kwargs: Any) -> tuple[Any, ...]:
    results, info, log = run_postprocessing(*args, **kwargs)
    return gradio_extensons.for_gallery(results), info, log


def run_extras(extras_mode: int, image: Any, image_folder: Any, input_dir: str, output_dir: str,
               show_extras_results: bool, save_output: bool = True, **given: Any) -> tuple[list[Any], str, str]:
    """The API's way: scripts of extensions run with all their arguments None."""
    args = scripts.scripts_postproc.create_args_for_run({"Upscale": {
        "upscale_enabled": True, "upscale_mode": given["resize_mode"], "upscale_by": given["upscaling_resize"],
        "max_side_length": given.get("max_side_length", 0), "upscale_to_width": given["upscaling_resize_w"],
        "upscale_to_height": given["upscaling_resize_h"], "upscale_crop": given["upscaling_crop"],
        "upscaler_1_name": given["upscaler_1"], "upscaler_2_name": given["upscaler_2"],
        "upscaler_2_visibility": given["extras_upscaler_2_visibility"],
    }})
    return run_postprocessing(extras_mode, image, image_folder, input_dir, output_dir, show_extras_results, *args,
                              save_output=save_output)
