"""One stage of a chain as a request to the host: what the stage says, and what it leaves open as the image before has it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.pipeline.build_upscale import build_upscale
from lib_sdpipe.pipeline.image_settings import generation_settings, picture_of, picture_size
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.records import STAGES, Item, Stage

DETAILER = "ADetailer"

_AS_BEFORE = ("sampler_name", "scheduler", "steps", "cfg_scale", "distilled_cfg_scale", "tiling")
# Where neither the stage nor an image before says it: the numbers of the hosts' own pages.
_USUAL: Json = {"steps": 20, "cfg_scale": 7, "width": 512, "height": 512}
_USUAL_IMG2IMG: Json = {"denoising_strength": 0.75, "resize_mode": 0}
_USUAL_INPAINT: Json = {
    "mask_blur_x": 4, "mask_blur_y": 4, "inpainting_fill": 1, "inpaint_full_res": True, "inpaint_full_res_padding": 32,
    "inpainting_mask_invert": 0,
}
# Ours, and what stands in a request under another name.
_NOT_ASKED = ("adetailer", "mask", "mask_blur", "scripts", "alwayson_scripts", "init_images", "endpoint")
_HIRES_SIZE = ("width", "height")


def build_request(
    stage: Stage, item: Item | None = None, source: Manifest | None = None, step: Json | None = None,
) -> PassRequest:
    """`source` is the image that the stage is run on. Raises RefusedError with a sentence where something needed is missing.

    `item`, with its settings over those of the stage, is for the first stage alone.
    """
    if stage.stage not in STAGES:
        raise RefusedError(f"“{stage.stage}” is no stage that can be run; there are {', '.join(STAGES)}.")
    settings = {**stage.settings, **(item.settings if item is not None else {})}
    if stage.stage != "txt2img" and source is None:
        raise RefusedError(f"The stage {stage.stage} needs an image to work on.")
    config = build_upscale(settings, source) if stage.stage == "upscale" and source else _build_pass(stage.stage, settings, source)
    variant = item.variant if item is not None and item.variant is not None else source.variant if source is not None else None
    parents = (ImageLink(run_id=source.run_id, name=source.name),) if source is not None and stage.stage != "txt2img" else ()
    return PassRequest(config, stage.stage, parents=parents, variant=variant, step=step)


def count_images(settings: Json) -> int:
    """How many images one pass with these settings makes."""
    return _whole(settings.get("batch_size")) * _whole(settings.get("n_iter"))


def count_planned(stages: Sequence[Stage], items: Sequence[Item]) -> int:
    """Images planned in all, those that later stages work on included; each later stage has one pass for each image."""
    total = 0
    at_hand = len(items)
    for number, stage in enumerate(stages):
        if stage.stage == "upscale":
            made = at_hand
        elif number == 0:
            made = sum(count_images({**stage.settings, **item.settings}) for item in items)
        else:
            made = at_hand * count_images(stage.settings)
        total, at_hand = total + made, made
    return total


def count_batches(stages: Sequence[Stage], images: int) -> int:
    """Batches in all of stages that go on from so many images; each stage has one pass for each image."""
    total = 0
    for stage in stages:
        is_upscale = stage.stage == "upscale"
        total += images * (1 if is_upscale else _whole(stage.settings.get("n_iter")))
        images *= 1 if is_upscale else count_images(stage.settings)
    return total


def _build_pass(stage: str, settings: Json, source: Manifest | None) -> Json:
    is_txt2img = stage == "txt2img"
    config: Json = {"endpoint": "txt2img" if is_txt2img else "img2img", **_USUAL, "batch_size": 1, "n_iter": 1}
    if source is not None:
        config.update(_as_before(source))
        config.update(_own_hires(source) if is_txt2img else _size_of(source))
    if not is_txt2img and source is not None:
        config.update(_USUAL_IMG2IMG, init_images=[picture_of(source.run_id, source.name)])
    if stage == "inpaint":
        config.update(_USUAL_INPAINT, mask=_mask(settings))
    config.update({name: value for name, value in settings.items() if name not in _NOT_ASKED and value is not None})
    if "mask_blur" in settings and not is_txt2img:
        config.update({name: settings["mask_blur"] for name in ("mask_blur_x", "mask_blur_y") if name not in settings})
    if not isinstance(config.get("prompt"), (str, list)):
        raise RefusedError(f"The stage {stage} needs a prompt: the image before it has none that is recorded.")
    config["scripts"] = _scripts(stage, settings)
    return config


def _as_before(source: Manifest) -> Json:
    """Styles are applied in recorded prompts."""
    before = generation_settings(source)
    seeds = {"seed": source.actual_seed, "subseed": source.actual_subseed, "subseed_strength": source.subseed_strength}
    found = {
        "prompt": source.prompt, "negative_prompt": source.negative_prompt, "styles": [],
        **{name: before.get(name) for name in _AS_BEFORE}, **seeds,
    }
    return {name: value for name, value in found.items() if value is not None}


def _size_of(source: Manifest) -> Json:
    size = picture_size(source)
    return {"width": size[0], "height": size[1]} if size else {}


def _own_hires(source: Manifest) -> Json:
    """Made anew from its prompt, an image keeps its size, and its hires fix where it had one."""
    before = generation_settings(source)
    size = {name: before[name] for name in ("width", "height") if before.get(name) is not None}
    if source.hires is None:
        return size
    return {**size, "enable_hr": True, **{name: value for name, value in source.hires.items() if name not in _HIRES_SIZE}}


def _mask(settings: Json) -> Json:
    mask = settings.get("mask")
    if not isinstance(mask, dict) or not ("$input" in mask or "$image" in mask):
        raise RefusedError("The stage inpaint needs a mask: give it one in its settings.")
    return mask


def _scripts(stage: str, settings: Json) -> list[Json]:
    """Those of the settings, in the form of a run's `config` or of the host's API, and ADetailer's for its own stage."""
    found = [script for script in settings.get("scripts") or [] if isinstance(script, dict)]
    named = settings.get("alwayson_scripts")
    for title, script in (named if isinstance(named, dict) else {}).items():
        arguments = script.get("args") if isinstance(script, dict) else None
        found.append(_script(title, list(arguments) if isinstance(arguments, list) else []))
    if stage != "adetailer":
        return found
    models = settings.get("adetailer")
    if not isinstance(models, list) or not any(isinstance(model, dict) and model.get("ad_model") for model in models):
        raise RefusedError("The stage adetailer needs a detector: give it at least one, such as {\"ad_model\": \"face_yolov8n.pt\"}.")
    others = [script for script in found if script.get("title") != DETAILER]
    # Its first two arguments: switched on, and "skip img2img": only what it detects is painted over.
    return [*others, _script(DETAILER, [True, True, *models])]


def _script(title: str, values: list[Any]) -> Json:
    arguments = [{"index": index, "label": None, "value": value} for index, value in enumerate(values)]
    return {"title": title, "file": None, "selected": False, "args": arguments}


def _whole(value: Any) -> int:
    return max(1, value) if isinstance(value, int) and not isinstance(value, bool) else 1
