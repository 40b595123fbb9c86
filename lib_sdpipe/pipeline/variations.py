"""Chosen fields of a request changed, under the host API's names. Pure."""

from __future__ import annotations

import math
from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.build_upscale import UPSCALE_FIELDS
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.recorded_pass import scripts_of

_TEXT: tuple[type, ...] = (str,)
_WHOLE: tuple[type, ...] = (int,)
_NUMBER: tuple[type, ...] = (int, float)
_SWITCH: tuple[type, ...] = (bool,)

# What may be changed, and of what kind it is.
CHANGEABLE: dict[str, tuple[type, ...]] = {
    "prompt": _TEXT, "negative_prompt": _TEXT, "seed": _WHOLE, "subseed": _WHOLE, "subseed_strength": _NUMBER, "sampler_name": _TEXT,
    "scheduler": _TEXT, "steps": _WHOLE, "cfg_scale": _NUMBER, "distilled_cfg_scale": _NUMBER, "width": _WHOLE, "height": _WHOLE,
    "batch_size": _WHOLE, "n_iter": _WHOLE, "restore_faces": _SWITCH, "tiling": _SWITCH, "eta": _NUMBER, "denoising_strength": _NUMBER,
    "resize_mode": _WHOLE, "image_cfg_scale": _NUMBER, "initial_noise_multiplier": _NUMBER, "mask_blur_x": _WHOLE, "mask_blur_y": _WHOLE,
    "inpainting_fill": _WHOLE, "inpaint_full_res": _SWITCH, "inpaint_full_res_padding": _WHOLE, "inpainting_mask_invert": _WHOLE,
    "enable_hr": _SWITCH, "hr_scale": _NUMBER, "hr_upscaler": _TEXT, "hr_second_pass_steps": _WHOLE, "hr_resize_x": _WHOLE,
    "hr_resize_y": _WHOLE, "hr_checkpoint_name": _TEXT, "hr_sampler_name": _TEXT, "hr_scheduler": _TEXT, "hr_prompt": _TEXT,
    "hr_negative_prompt": _TEXT, "hr_cfg": _NUMBER, "hr_distilled_cfg": _NUMBER, "refiner_checkpoint": _TEXT,
    "refiner_switch_at": _NUMBER,
}
# Options that a request can override.
CHANGEABLE_OPTIONS: dict[str, tuple[type, ...]] = {"sd_model_checkpoint": _TEXT, "sd_vae": _TEXT, "CLIP_stop_at_last_layers": _WHOLE}
_TXT2IMG_ONLY = ("enable_hr", "hr_")
_LONGEST = 100_000


def vary(request: PassRequest, changes: Json) -> PassRequest:
    """The request with these fields changed. Raises RefusedError for one that cannot be, or has an impossible value."""
    config = dict(request.config)
    is_extras = config.get("endpoint") == "extras"
    for name, value in changes.items():
        if is_extras:
            _change_upscale(config, name, value)
            continue
        kinds = CHANGEABLE.get(name) or CHANGEABLE_OPTIONS.get(name)
        if kinds is None or (config.get("endpoint") != "txt2img" and name.startswith(_TXT2IMG_ONLY)):
            raise RefusedError(f"“{name}” cannot be changed in a re-run.")
        _check(name, value, kinds)
        if name in CHANGEABLE_OPTIONS:
            config["override_settings"] = {**(config.get("override_settings") or {}), name: value}
        else:
            config[name] = value
    if not is_extras:
        _drop_lists(config, changes)
    return PassRequest(
        config, request.stage, parents=request.parents, variant=request.variant, step=request.step,
    )


def _drop_lists(config: Json, changes: Json) -> None:
    """A list has one entry for each image: with another count of images, or beside a changed text, the first is taken."""
    if not {"batch_size", "n_iter", "seed", "subseed", "subseed_strength"}.isdisjoint(changes):
        for name in ("seed", "subseed"):
            config[name] = _first(config.get(name))
    if not {"batch_size", "n_iter"}.isdisjoint(changes):
        for name in ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt"):
            if name in config:
                config[name] = _first(config[name])


def _change_upscale(config: Json, name: str, value: Any) -> None:
    title, label, kinds = UPSCALE_FIELDS.get(name, ("", "", ()))
    if not kinds:
        raise RefusedError(f"“{name}” cannot be changed when a picture is upscaled again.")
    _check(name, value, kinds)
    scripts = []
    for script in [*scripts_of(config), *([] if _has(config, title) else [{"title": title, "selected": False, "args": []}])]:
        if script.get("title") == title:
            others = [argument for argument in script.get("args") or [] if argument.get("label") != label]
            script = {**script, "args": [*others, {"index": None, "label": label, "value": value}]}
        scripts.append(script)
    config["scripts"] = scripts


def _has(config: Json, title: str) -> bool:
    return any(script.get("title") == title for script in scripts_of(config))


def _check(name: str, value: Any, kinds: tuple[type, ...]) -> None:
    is_kind = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
    if not is_kind or (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, str) and len(value) > _LONGEST):
        wanted = {_TEXT: "a text", _WHOLE: "a whole number", _NUMBER: "a number", _SWITCH: "yes or no"}[kinds]
        raise RefusedError(f"“{name}” must be {wanted}.")


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value
