"""Which settings each stage of a chain takes: names and ranges of the hosts' API, widened to what recorded requests have."""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.loose_json import is_deep
from lib_sdpipe.manifest.records import Json

# Characters. The host's own text boxes have no limit; a prompt of a book would fill the queue's file.
LONGEST_PROMPT = 20_000
LONGEST_TEXT = 1_000
_MOST_ENTRIES = 200
# Levels of lists and objects in a script's argument.
_MOST_LEVELS = 20
_LARGEST_SEED = (1 << 64) - 1
_LARGEST_SIDE = 16384


@dataclass(frozen=True)
class Setting:
    """What a value has to be: `kind` is whole, number, flag, text, prompt, texts, object, objects, scripts or picture.

    `low` and `high` are both allowed values. `scripts` and `objects` are lists of objects.
    """

    kind: str
    low: float | None = None
    high: float | None = None

    def describe(self) -> str:
        """`a whole number from 1 to 150`, as it goes on after "must be"."""
        if self.kind in ("whole", "number"):
            span = f" from {_show(self.low)} to {_show(self.high)}" if self.low is not None else ""
            return f"a {'whole ' if self.kind == 'whole' else ''}number{span}"
        return _DESCRIPTIONS[self.kind]

    def accepts(self, value: Any) -> bool:
        if self.kind in ("whole", "number"):
            return self._accepts_number(value)
        if self.kind in ("text", "prompt"):
            return isinstance(value, str) and len(value) <= (LONGEST_PROMPT if self.kind == "prompt" else LONGEST_TEXT)
        if self.kind == "flag":
            return isinstance(value, bool)
        if self.kind == "texts":
            return _is_list(value, lambda entry: isinstance(entry, str) and len(entry) <= LONGEST_TEXT)
        if self.kind == "picture":
            return is_picture(value)
        if self.kind == "object":
            return isinstance(value, dict) and len(value) <= _MOST_ENTRIES and not is_deep(value, _MOST_LEVELS)
        is_entry = _is_script if self.kind == "scripts" else lambda entry: isinstance(entry, dict)
        return _is_list(value, is_entry) and not is_deep(value, _MOST_LEVELS)

    def _accepts_number(self, value: Any) -> bool:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or (isinstance(value, float) and not math.isfinite(value)):
            return False
        if self.kind == "whole" and not isinstance(value, int):
            return False  # nothing cuts 20.0 off on its way to the host, which would not take it
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)


_DESCRIPTIONS = {
    "flag": "true or false",
    "text": f"a text of at most {LONGEST_TEXT:,} characters",
    "prompt": f"a text of at most {LONGEST_PROMPT:,} characters",
    "texts": "a list of texts",
    "object": "an object of names and values",
    "objects": "a list of objects",
    "scripts": 'a list of objects with "title" and "args", as a run has them',
    "picture": 'a picture of the library: {"$input": sha256} or {"$image": {"run_id", "name"}}',
}


def _whole(low: float, high: float) -> Setting:
    return Setting("whole", low, high)


def _number(low: float, high: float) -> Setting:
    return Setting("number", low, high)


_FLAG, _TEXT, _PROMPT = Setting("flag"), Setting("text"), Setting("prompt")
_SHARE, _SEED, _SIDE = _number(0, 1), _whole(-1, _LARGEST_SEED), _whole(64, _LARGEST_SIDE)

_ASKED: dict[str, Setting] = {
    "prompt": _PROMPT, "negative_prompt": _PROMPT, "styles": Setting("texts"),
    "seed": _SEED, "subseed": _SEED, "subseed_strength": _SHARE,
    "seed_resize_from_h": _whole(-1, _LARGEST_SIDE), "seed_resize_from_w": _whole(-1, _LARGEST_SIDE),
    "sampler_name": _TEXT, "scheduler": _TEXT, "steps": _whole(1, 150),
    "cfg_scale": _number(0, 100), "distilled_cfg_scale": _number(0, 100), "width": _SIDE, "height": _SIDE,
    "eta": _SHARE, "s_min_uncond": _number(0, 15), "s_churn": _number(0, 100), "s_tmax": _number(0, 1000), "s_tmin": _number(0, 10),
    "s_noise": _number(0, 2), "restore_faces": _FLAG, "tiling": _FLAG, "disable_extra_networks": _FLAG,
    "refiner_checkpoint": _TEXT, "refiner_switch_at": _SHARE,
    "override_settings": Setting("object"), "scripts": Setting("scripts"), "alwayson_scripts": Setting("object"),
}
_BATCH: dict[str, Setting] = {"batch_size": _whole(1, 256), "n_iter": _whole(1, 10_000)}
_HIRES: dict[str, Setting] = {
    "enable_hr": _FLAG, "denoising_strength": _SHARE,
    "firstphase_width": _whole(0, _LARGEST_SIDE), "firstphase_height": _whole(0, _LARGEST_SIDE),
    "hr_scale": _number(1, 16), "hr_upscaler": _TEXT, "hr_second_pass_steps": _whole(0, 150),
    "hr_resize_x": _whole(0, _LARGEST_SIDE), "hr_resize_y": _whole(0, _LARGEST_SIDE), "hr_checkpoint_name": _TEXT,
    "hr_additional_modules": Setting("texts"), "hr_sampler_name": _TEXT, "hr_scheduler": _TEXT,
    "hr_prompt": _PROMPT, "hr_negative_prompt": _PROMPT, "hr_cfg": _number(0, 100), "hr_distilled_cfg": _number(0, 100),
}
_FROM_IMAGE: dict[str, Setting] = {
    "denoising_strength": _SHARE, "resize_mode": _whole(0, 3), "image_cfg_scale": _number(0, 100),
    "initial_noise_multiplier": _number(0, 1.5),
}
_MASKED: dict[str, Setting] = {
    "mask": Setting("picture"), "mask_blur": _whole(0, 256), "mask_blur_x": _whole(0, 256), "mask_blur_y": _whole(0, 256),
    "mask_round": _FLAG, "inpainting_fill": _whole(0, 3), "inpaint_full_res": _FLAG,
    "inpaint_full_res_padding": _whole(0, 1024), "inpainting_mask_invert": _whole(0, 1),
}
_EXTRAS: dict[str, Setting] = {
    "upscaler_1": _TEXT, "upscaler_2": _TEXT, "extras_upscaler_2_visibility": _SHARE, "resize_mode": _whole(0, 1),
    "upscaling_resize": _number(0.1, 16), "upscaling_resize_w": _whole(1, _LARGEST_SIDE), "upscaling_resize_h": _whole(1, _LARGEST_SIDE),
    "upscaling_crop": _FLAG, "max_side_length": _whole(0, 65536), "upscale_first": _FLAG,
    "gfpgan_visibility": _SHARE, "codeformer_visibility": _SHARE, "codeformer_weight": _SHARE, "scripts": Setting("scripts"),
}

FIELDS: dict[str, dict[str, Setting]] = {
    "txt2img": {**_ASKED, **_BATCH, **_HIRES},
    "img2img": {**_ASKED, **_BATCH, **_FROM_IMAGE},
    "inpaint": {**_ASKED, **_BATCH, **_FROM_IMAGE, **_MASKED},
    "adetailer": {**_ASKED, "adetailer": Setting("objects")},
    "upscale": _EXTRAS,
}
# Fields of a request that are no setting of a stage, and why.
NOT_SETTINGS: dict[str, str] = {
    "init_images": "a stage is given the images of the one before, the first one those that it is run on",
    "image": "a stage is given the images of the one before, the first one those that it is run on",
    "endpoint": "the stage says it", "extras_mode": "each image is a pass of its own",
    "do_not_save_samples": "the images of a chain are saved as the WebUI is set to save them",
    "do_not_save_grid": "the images of a chain are saved as the WebUI is set to save them",
    "override_settings_restore_afterwards": "the WebUI's options are always set back",
    "firstpass_image": "it is a picture of one run", "latent_mask": "name the picture as \"mask\" of an inpaint stage",
}
# Options that a recipe from somebody else must not set: where files are read and written, and what the API may do.
_OF_THIS_COMPUTER = re.compile(r"outdir|(^|_)dirs?(_|$)|director|path|folder|pattern|^api_", re.IGNORECASE)
# What people and other programs call some of them.
_OTHER_NAMES: dict[str, str] = {
    "upscaler": "upscaler_1", "upscaler_1_name": "upscaler_1", "extras_upscaler_1": "upscaler_1", "upscale_by": "upscaling_resize",
    "sampler": "sampler_name", "sampler_index": "sampler_name", "cfg": "cfg_scale", "denoise": "denoising_strength",
    "batch_count": "n_iter", "negative": "negative_prompt", "model": "override_settings", "sd_model_checkpoint": "override_settings",
    "image_mask": "mask",
}


def check_setting(stage: str, name: str, value: Any) -> str | None:
    """What is wrong with one setting of a stage, to go on after "stage 2: "; None where nothing is."""
    fields = FIELDS[stage]
    setting = fields.get(name)
    if setting is not None:
        if value is None:
            return f"{name} is null; leave it out to have it as the image before has it"
        if name == "override_settings" and isinstance(value, dict) and (places := find_place_options(value)):
            return f"override_settings: {show_name(places[0])} is set in the WebUI's settings alone"
        return None if setting.accepts(value) else f"{name} must be {setting.describe()}, not {show_value(value)}"
    if name in NOT_SETTINGS:
        return f"{show_name(name)} cannot be set: {NOT_SETTINGS[name]}"
    others = [other for other, taken in FIELDS.items() if name in taken]
    near = _find_near(name, fields)
    hint = f"; it is one of {', '.join(others)}" if others else f"; is {near} meant?" if near else ""
    return f"{stage} has no setting {show_name(name)}{hint}"


def find_place_options(options: Json) -> list[str]:
    """Those of `override_settings` that no recipe sets."""
    return [name for name in options if _OF_THIS_COMPUTER.search(name)]


def _find_near(name: str, fields: dict[str, Setting]) -> str | None:
    known = _OTHER_NAMES.get(name)
    found = [known] if known in fields else difflib.get_close_matches(name[:100], fields, 1, 0.7)
    return found[0] if found else None


def is_picture(value: Any) -> bool:
    """Whether it is a reference to a picture, as the config of a run has them."""
    if not isinstance(value, dict):
        return False
    image = value.get("$image")
    if isinstance(image, dict):
        return all(isinstance(image.get(field), str) and image[field] for field in ("run_id", "name"))
    digest = value.get("$input")
    return isinstance(digest, str) and len(digest) == 64 and set(digest) <= set("0123456789abcdef")


def show_value(value: Any) -> str:
    """A value in a sentence: short, whatever it is."""
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:40] + "…")
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return _show(value)


def show_name(name: str) -> str:
    return repr(name if len(name) <= 60 else name[:60] + "…")


def _show(number: Any) -> str:
    if isinstance(number, int):
        return str(number) if abs(number) < 10**24 else "a very large number"
    return f"{number:g}"


def _is_list(value: Any, is_entry: Any) -> bool:
    return isinstance(value, list) and len(value) <= _MOST_ENTRIES and all(map(is_entry, value))


def _is_script(entry: Json) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("title"), str) and isinstance(entry.get("args"), list)
