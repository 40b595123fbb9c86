"""A request concluded from an image's own record, where the request behind it is not known: adopted, imported, older runs. Pure."""

from __future__ import annotations

import re

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.from_infotext import build_from_infotext, guess_stage
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.pipeline.detailer_arguments import detailer_script
from lib_sdpipe.pipeline.image_settings import generation_entry, picture_of
from lib_sdpipe.pipeline.recorded_pass import RecordedPass
from lib_sdpipe.pipeline.repeat_upscale import concluded_scripts
from lib_sdpipe.pipeline.used_settings import recorded_settings

_IN_INFOTEXT = (
    "prompt", "negative_prompt", "model", "vae", "actual_seed", "actual_subseed", "subseed_strength", "refiner", "hires", "adetailer",
)
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
_FROM_PICTURES = ("img2img", "inpaint")


def conclude_pass(manifest: Manifest) -> RecordedPass:
    """A pass that makes this image by itself. Raises RefusedError with a sentence where too little is known."""
    manifest = _with_infotext(manifest)
    stage = manifest.stage
    if stage == "upscale":
        scripts = concluded_scripts([], manifest.config)
        extras = {"endpoint": "extras", "extras_mode": 0, "image": _input(manifest), "scripts": scripts}
        return RecordedPass(extras, "upscale", (manifest,), _parents(manifest))
    entry = generation_entry(manifest) if stage == "adetailer" else None
    made, settings = (entry.stage, entry.settings) if entry is not None else (stage, manifest.config)
    if made not in ("txt2img", *_FROM_PICTURES):
        raise RefusedError(f"{manifest.run_id}/{manifest.name}: nothing tells how this image was made.")
    if not manifest.prompt and manifest.actual_seed is None:
        raise RefusedError(f"{manifest.run_id}/{manifest.name}: neither its prompt nor its seed is recorded.")
    config: Json = {
        "endpoint": "txt2img" if made == "txt2img" else "img2img", "prompt": manifest.prompt or "",
        "negative_prompt": manifest.negative_prompt or "", "styles": [], "batch_size": 1, "n_iter": 1,
    }
    config.update(recorded_settings(manifest, settings, config["endpoint"]))
    config.update(_of_pictures(manifest, settings, made) if made in _FROM_PICTURES else _of_hires(manifest))
    config["scripts"] = [detailer_script(manifest.adetailer)] if manifest.adetailer else []
    return RecordedPass(config, str(stage), (manifest,), _parents(manifest) if made in _FROM_PICTURES else ())


def _with_infotext(manifest: Manifest) -> Manifest:
    """What the record does not say, its infotext may."""
    if not manifest.infotext or manifest.stage == "upscale":
        return manifest
    parsed = parse_infotext(manifest.infotext)
    said = build_from_infotext(parsed)
    found = {name: said[name] for name in _IN_INFOTEXT if name in said and not getattr(manifest, name) and getattr(manifest, name) != 0}
    found["config"] = {**(said.get("config") or {}), **manifest.config}
    return manifest.copy(update={"stage": manifest.stage or guess_stage(parsed), **found})


def _of_pictures(manifest: Manifest, settings: Json, stage: str) -> Json:
    found: Json = {"init_images": [_input(manifest)]}
    if stage == "inpaint":
        mask = manifest.config.get("mask") or settings.get("mask")
        if not isinstance(mask, dict):
            raise RefusedError(f"{manifest.run_id}/{manifest.name}: its mask is not recorded.")
        found["mask"] = mask
        blur = settings.get("mask_blur")
        found.update({name: blur for name in ("mask_blur_x", "mask_blur_y") if blur is not None and name not in settings})
    return found


def _input(manifest: Manifest) -> Json:
    """The picture it was made from: as recorded, else the image that it is known to descend from."""
    pictures = manifest.config.get("init_images")
    picture = pictures[0] if isinstance(pictures, list) and pictures else manifest.config.get("image")
    if isinstance(picture, dict) and ("$input" in picture or "$image" in picture):
        return picture
    if manifest.parent is not None and manifest.parent.run_id and manifest.parent.name:
        return picture_of(manifest.parent.run_id, manifest.parent.name)
    raise RefusedError(f"{manifest.run_id}/{manifest.name}: the picture that it was made from was not kept.")


def _of_hires(manifest: Manifest) -> Json:
    """As an infotext has it: the strength among the others, the size in one text."""
    if manifest.hires is None:
        return {}
    found: Json = {}
    strength = manifest.config.get("denoising_strength")
    if manifest.hires.get("denoising_strength") is None and strength is not None:
        found["denoising_strength"] = strength
    match = _SIZE.fullmatch(str(manifest.hires.get("hr_resize") or ""))
    if match is not None:
        found["hr_resize_x"], found["hr_resize_y"] = int(match.group(1)), int(match.group(2))
    return found


def _parents(manifest: Manifest) -> tuple[ImageLink | None, ...]:
    parent = manifest.parent
    return (ImageLink(run_id=parent.run_id, name=parent.name),) if parent is not None else ()
