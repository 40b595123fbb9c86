"""The page's img2img jobs: an image, an image with a mask, or a batch. No postponed annotations, as in txt2img."""

import os
from contextlib import closing
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import UnidentifiedImageError

from modules import images, processing, scripts, sd_models, shared
from modules.infotext_utils import create_override_settings_dict, parse_generation_parameters
from modules.shared import opts, state
from modules.txt2img import answer, on_generating_thread, process

FIELDS = (
    "mode", "prompt", "negative_prompt", "n_iter", "batch_size", "cfg_scale", "height", "width", "init_img", "mask",
    "mask_blur", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "resize_mode",
    "denoising_strength", "img2img_batch_input_dir", "img2img_batch_output_dir", "img2img_batch_inpaint_mask_dir",
    "img2img_batch_use_png_info", "img2img_batch_png_info_props", "img2img_batch_png_info_dir", "img2img_batch_upload",
)
_KINDS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")


class _Batch:
    """What `process_batch` changes in `p` from picture to picture, and what `p` had before."""

    def __init__(self, p: Any, output_dir: str, mask_dir: str, png_info_props: Any, png_info_dir: str | None) -> None:
        self.p, self.output_dir, self.mask_dir = p, output_dir, mask_dir
        self.png_info_props, self.png_info_dir = png_info_props or {}, png_info_dir
        self.masks = shared.listfiles(mask_dir) if mask_dir else []
        self.before = {x: getattr(p, x) for x in ("prompt", "negative_prompt", "seed", "cfg_scale", "sampler_name", "steps")}
        self.checkpoint = sd_models.get_closet_checkpoint_match(p.override_settings.get("sd_model_checkpoint"))

    def take_mask(self, path: Path) -> bool:
        """The only mask there is, or the one of the same name; False if there is none."""
        found = self.masks if len(self.masks) == 1 else list(Path(self.mask_dir).glob(f"{path.stem}.*"))
        if found:
            self.p.image_mask = images.read(found[0])
        return bool(found)

    def take_png_info(self, image: Any, path: str) -> None:
        p, before = self.p, self.before
        try:
            if self.png_info_dir:
                image = images.read(os.path.join(self.png_info_dir, os.path.basename(path)))
            parsed = parse_generation_parameters(images.read_info_from_image(image)[0])
            found = {k: v for k, v in parsed.items() if k in self.png_info_props}
        except Exception:  # the host goes on with what it has
            found = {}
        p.prompt = before["prompt"] + (" " + found["Prompt"] if "Prompt" in found else "")
        p.negative_prompt = before["negative_prompt"] + (" " + found["Negative prompt"] if "Negative prompt" in found else "")
        for name, label, kind in (("seed", "Seed", int), ("cfg_scale", "CFG scale", float), ("steps", "Steps", int)):
            setattr(p, name, kind(found.get(label, before[name])))
        p.sampler_name = found.get("Sampler", before["sampler_name"])
        info = sd_models.get_closet_checkpoint_match(found.get("Model hash"))
        checkpoint = info.name if info is not None else self.checkpoint
        if checkpoint:
            p.override_settings["sd_model_checkpoint"] = checkpoint
        else:
            p.override_settings.pop("sd_model_checkpoint", None)

    def take_names(self, stem: str) -> None:
        overrides, several = self.p.override_settings, self.p.n_iter > 1 or self.p.batch_size > 1
        pattern = f"{stem}-[generation_number]" if several else stem
        if self.output_dir:
            self.p.outpath_samples = self.output_dir
            overrides["save_to_dirs"] = False
        if shared.is_forge():
            if opts.img2img_batch_use_original_name:
                overrides["samples_filename_pattern"] = pattern
        elif self.output_dir:
            overrides |= {"save_images_replace_action": "Add number suffix", "samples_filename_pattern": pattern}


def process_batch(p: Any, input: Any, output_dir: str, inpaint_mask_dir: str, args: Any, use_png_info: bool = False,
                  png_info_props: Any = None, png_info_dir: str | None = None) -> Any:
    """One request used again and again with other pictures; names of locals are the host's, as extensions look here."""
    output_dir = output_dir.strip()
    processing.fix_seed(p)
    kinds = (*_KINDS, ".avif") if shared.is_forge() else _KINDS
    from_dir = isinstance(input, str)
    batch_images = list(shared.walk_files(input, allowed_extensions=kinds)) if from_dir else [
        os.path.abspath(getattr(x, "name", x)) for x in input]
    state.job_count = len(batch_images) * p.n_iter
    batch = _Batch(p, output_dir, inpaint_mask_dir, png_info_props, png_info_dir)
    batch_results, limit = None, opts.img2img_batch_show_results_limit
    for i, image in enumerate(batch_images):
        state.job = f"{i + 1} out of {len(batch_images)}"
        state.skipped = False
        if state.interrupted or state.stopping_generation:
            break
        try:
            img = images.read(image)
        except UnidentifiedImageError:
            continue
        p.init_images = [img] * p.batch_size
        image_path = Path(image)
        if batch.masks and not batch.take_mask(image_path):
            continue
        if use_png_info:
            batch.take_png_info(img, image)
        batch.take_names(image_path.stem)
        proc = scripts.scripts_img2img.run(p, *args)
        if proc is None:
            if not shared.is_forge():
                p.override_settings.pop("save_images_replace_action", None)
            proc = processing.process_images(p)
        if batch_results is None:
            batch_results = proc
        elif limit < 0 or len(batch_results.images) < limit:
            batch_results.images.extend(proc.images)
            batch_results.infotexts.extend(proc.infotexts)
    if batch_results is not None and limit >= 0:
        batch_results.images, batch_results.infotexts = batch_results.images[:limit], batch_results.infotexts[:limit]
    return batch_results


def img2img_function(request: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
    count = len(FIELDS)
    fields = dict(zip(FIELDS, args, strict=False))
    batch = {x: fields.pop(x) for x in FIELDS if x.startswith("img2img_batch_")}
    is_batch = fields.pop("mode") == 5
    image, mask = (None if is_batch else images.fix_image(x) for x in (fields.pop("init_img"), fields.pop("mask")))
    p = processing.StableDiffusionProcessingImg2Img(
        sd_model=shared.sd_model,
        outpath_samples=opts.outdir_samples or opts.outdir_img2img_samples,
        outpath_grids=opts.outdir_grids or opts.outdir_img2img_grids,
        init_images=[image], mask=mask, override_settings=create_override_settings_dict(args[count]), **fields)
    p.scripts = scripts.scripts_img2img
    p.script_args = args[count + 1:]
    p.user = getattr(request, "username", None)
    with closing(p):
        return answer(_run_batch(p, batch) if is_batch else process(p, scripts.scripts_img2img))


def _run_batch(p: Any, batch: dict[str, Any]) -> Any:
    info = {x: batch[f"img2img_batch_{x}"] for x in ("use_png_info", "png_info_props", "png_info_dir")}
    if batch["img2img_batch_upload"]:
        source = (batch["img2img_batch_upload"], "", "")
    else:
        assert not shared.cmd_opts.hide_ui_dir_config, "Launched with --hide-ui-dir-config, batch img2img disabled"
        source = tuple(batch[f"img2img_batch_{x}"] for x in ("input_dir", "output_dir", "inpaint_mask_dir"))
    processed = process_batch(p, *source, p.script_args, **info)
    return processing.Processed(p, [], p.seed, "") if processed is None else processed


def img2img(id_task: str, request: gr.Request, *args):
    return on_generating_thread(img2img_function, request, args)
