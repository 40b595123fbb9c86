"""ADetailer's arguments from what it writes into an infotext (its `args.py`). Pure."""

from __future__ import annotations

import re
from typing import Any

from lib_sdpipe.manifest.records import Json

TITLE = "ADetailer"

# What it writes, without its prefix and with blanks as manifests have them, and the argument's name.
_ARGUMENTS = {
    "model": "ad_model", "model_classes": "ad_model_classes", "prompt": "ad_prompt", "negative_prompt": "ad_negative_prompt",
    "confidence": "ad_confidence", "method_to_decide_top_k_masks": "ad_mask_filter_method", "mask_only_top_k": "ad_mask_k",
    "mask_min_ratio": "ad_mask_min_ratio", "mask_max_ratio": "ad_mask_max_ratio", "x_offset": "ad_x_offset", "y_offset": "ad_y_offset",
    "dilate_erode": "ad_dilate_erode", "mask_merge_invert": "ad_mask_merge_invert", "mask_blur": "ad_mask_blur",
    "denoising_strength": "ad_denoising_strength", "inpaint_only_masked": "ad_inpaint_only_masked",
    "inpaint_padding": "ad_inpaint_only_masked_padding", "use_inpaint_width_height": "ad_use_inpaint_width_height",
    "inpaint_width": "ad_inpaint_width", "inpaint_height": "ad_inpaint_height", "use_separate_steps": "ad_use_steps",
    "steps": "ad_steps", "use_separate_CFG_scale": "ad_use_cfg_scale", "CFG_scale": "ad_cfg_scale",
    "use_separate_checkpoint": "ad_use_checkpoint", "checkpoint": "ad_checkpoint", "use_separate_VAE": "ad_use_vae", "VAE": "ad_vae",
    "use_separate_sampler": "ad_use_sampler", "sampler": "ad_sampler", "scheduler": "ad_scheduler",
    "use_separate_noise_multiplier": "ad_use_noise_multiplier", "noise_multiplier": "ad_noise_multiplier",
    "use_separate_CLIP_skip": "ad_use_clip_skip", "CLIP_skip": "ad_clip_skip", "restore_face": "ad_restore_face",
    "ControlNet_model": "ad_controlnet_model", "ControlNet_module": "ad_controlnet_module", "ControlNet_weight": "ad_controlnet_weight",
    "ControlNet_guidance_start": "ad_controlnet_guidance_start", "ControlNet_guidance_end": "ad_controlnet_guidance_end",
}
_OF_TAB = re.compile(r"(.+?)_(\d{1,2})(?:nd|rd|th|st)", re.ASCII)
# Written only where it is on.
_ONLY_MASKED = "ad_inpaint_only_masked"
_MOST_TABS = 15
# In an infotext every value is text.
_TEXTS = {"True": True, "False": False}
_NUMBER = re.compile(r"-?\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_STAYS_TEXT = ("ad_model", "ad_model_classes", "ad_prompt", "ad_negative_prompt", "ad_checkpoint", "ad_vae", "ad_sampler", "ad_scheduler")


def detailer_script(written: Json) -> Json:
    """An entry of a request's `scripts`; what the infotext leaves out is ADetailer's default."""
    tabs: dict[int, Json] = {}
    for key, value in written.items():
        match = _OF_TAB.fullmatch(key)
        name, tab = (match.group(1), int(match.group(2)) - 1) if match is not None else (key, 0)
        if name in _ARGUMENTS and 0 <= tab < _MOST_TABS:
            tabs.setdefault(tab, {_ONLY_MASKED: False})[_ARGUMENTS[name]] = _read(_ARGUMENTS[name], value)
    models = [tabs.get(tab, {"ad_model": "None"}) for tab in range(max(tabs, default=-1) + 1)]
    values = [True, False, *models]
    return {
        "title": TITLE, "file": "!adetailer.py", "selected": False,
        "args": [{"index": index, "label": None, "value": value} for index, value in enumerate(values)],
    }


def _read(name: str, value: Any) -> Any:
    if not isinstance(value, str) or name in _STAYS_TEXT:
        return value
    if value in _TEXTS:
        return _TEXTS[value]
    if _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    return value
