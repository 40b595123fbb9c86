"""StableNew's settings beside a pack (`preset_data`) as stages of a chain, as far as they mean something to the host. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.manifest.loose_json import object_of, text_of
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.packs.rows import to_host_words
from lib_sdpipe.pipeline.records import Stage
from lib_sdpipe.pipeline.stage_fields import FIELDS, check_setting, show_name

# The order in which it runs them; the switch of each, in its `pipeline`.
_ORDER = ("txt2img", "img2img", "adetailer", "upscale")
_NO_MODEL = ("", "None", "none", "Automatic", "Use base model")
# Its name -> the host's.
_NAMES: dict[str, str] = {
    "sampler": "sampler_name", "upscaler": "upscaler_1", "upscale_by": "upscaling_resize", "refiner_model_name": "refiner_checkpoint",
    "hires_steps": "hr_second_pass_steps",
}
# Its name -> the host's option.
_OPTIONS: dict[str, str] = {
    "model": "sd_model_checkpoint", "model_name": "sd_model_checkpoint", "vae": "sd_vae", "vae_name": "sd_vae",
    "clip_skip": "CLIP_stop_at_last_layers",
}
_MODELS = ("model", "model_name", "vae", "vae_name")
# Says nothing to us: where its own files go, what it writes twice under another name, and switches that are off.
_SILENT = {
    "output_dir", "filename_pattern", "image_format", "seed_mode", "upscale_mode", "hires_use_base_model", "use_refiner", "enabled",
    "adetailer_enabled", "mask_mode", "tile_size",
}
_HIRES = tuple(name for name in FIELDS["txt2img"] if name.startswith("hr_")) + ("denoising_strength", "enable_hr")
# ADetailer uses these only where it is told to.
_AD_SWITCHES = {"ad_steps": "ad_use_steps", "ad_cfg_scale": "ad_use_cfg_scale", "ad_sampler": "ad_use_sampler"}
_AD_NAMES = {"ad_mask_k_largest": "ad_mask_k"}
_AD_ARGUMENTS = {
    "ad_model", "ad_prompt", "ad_negative_prompt", "ad_confidence", "ad_mask_filter_method", "ad_mask_k", "ad_mask_min_ratio",
    "ad_mask_max_ratio", "ad_dilate_erode", "ad_x_offset", "ad_y_offset", "ad_mask_merge_invert", "ad_mask_blur", "ad_denoising_strength",
    "ad_inpaint_only_masked", "ad_inpaint_only_masked_padding", "ad_use_inpaint_width_height", "ad_inpaint_width", "ad_inpaint_height",
    "ad_steps", "ad_cfg_scale", "ad_sampler", "ad_scheduler",
}


@dataclass
class PresetStages:
    """`notes`: sentences on what of the preset has no place in a chain."""

    stages: list[Stage] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def build_stages(preset: Json) -> PresetStages:
    """The stages that the preset has switched on, in StableNew's order; none where it is empty."""
    found = PresetStages()
    pipeline = object_of(preset.get("pipeline"))
    for stage in _ORDER:
        if _is_on(pipeline, stage, preset):
            settings, left = _BUILDERS[stage](object_of(preset.get(stage)))
            if stage == "txt2img":
                _add_batch(settings, pipeline)
            found.stages.append(Stage(stage=stage, settings=settings))
            if left:
                found.notes.append(f"{stage}: {', '.join(map(show_name, sorted(set(left))[:30]))} of the preset has no place here")
    return found


def _is_on(pipeline: Json, stage: str, preset: Json) -> bool:
    """Without a switch the first stage is on, where the preset has anything."""
    switch = pipeline.get(f"{stage}_enabled")
    return switch is True if isinstance(switch, bool) else stage == "txt2img" and bool(preset.get("txt2img"))


def _read_simple(stage: str, preset: Json) -> tuple[Json, list[str]]:
    settings: Json = {}
    options: Json = {}
    left: list[str] = []
    for name, value in preset.items():
        if name in _SILENT or value is None or value == "":
            continue
        if name in _OPTIONS and stage != "upscale":
            if value not in _NO_MODEL and isinstance(value, (str, int)):
                options[_OPTIONS[name]] = value
            continue
        own = _NAMES.get(name, name)
        if own in FIELDS[stage] and check_setting(stage, own, value) is None:
            settings[own] = value
        elif value not in (False, 0, "None", "none"):
            left.append(name)
    if options:
        settings["override_settings"] = options
    return settings, left


def _read_txt2img(preset: Json) -> tuple[Json, list[str]]:
    settings, left = _read_simple("txt2img", preset)
    if not settings.get("enable_hr"):
        settings = {name: value for name, value in settings.items() if name not in _HIRES}
    elif settings.get("hr_checkpoint_name") in _NO_MODEL:
        settings.pop("hr_checkpoint_name")
    if preset.get("use_refiner") is not True or settings.get("refiner_checkpoint") in _NO_MODEL:
        settings.pop("refiner_checkpoint", None)
        settings.pop("refiner_switch_at", None)
    return settings, left


def _read_img2img(preset: Json) -> tuple[Json, list[str]]:
    """Later stages use the model of the first one in StableNew too, whatever theirs says."""
    return _read_simple("img2img", {name: value for name, value in preset.items() if name not in _MODELS})


def _read_upscale(preset: Json) -> tuple[Json, list[str]]:
    if preset.get("face_restore") is not True:
        preset = {name: value for name, value in preset.items() if not name.endswith(("gfpgan_visibility", "codeformer_visibility"))}
    if preset.get("upscale_mode", "single") != "single":
        settings, left = _read_simple("upscale", {name: value for name, value in preset.items() if name != "upscale_mode"})
        return settings, [*left, "upscale_mode"]
    # Steps and denoising are for its other way to upscale, through img2img.
    return _read_simple("upscale", {name: value for name, value in preset.items() if name not in ("steps", "denoising_strength")})


def _read_adetailer(preset: Json) -> tuple[Json, list[str]]:
    """ADetailer's own names where the preset has both; a second tab for hands, as StableNew makes a second pass of them."""
    first: Json = {}
    left: list[str] = []
    for name, value in preset.items():
        own = _AD_NAMES.get(name, name)
        if own in _AD_ARGUMENTS and isinstance(value, (str, int, float)):
            first[own] = to_host_words(value) if own.endswith("_prompt") and isinstance(value, str) else value
            if own in _AD_SWITCHES:
                first[_AD_SWITCHES[own]] = True
        elif name.startswith("ad_"):
            left.append(name)
    left += [name for name in ("mask_feather", "only_faces", "only_hands") if preset.get(name)]
    model = text_of(preset.get("face_model")) if preset.get("enable_face_pass") is True else None
    first["ad_model"] = first.get("ad_model") or text_of(preset.get("adetailer_model")) or model or "face_yolov8n.pt"
    tabs = [first]
    hands = text_of(preset.get("hands_model"))
    if preset.get("enable_hands_pass") is True and hands and hands != first["ad_model"]:
        tabs.append({**first, "ad_model": hands})
    return {"adetailer": tabs}, left


def _add_batch(settings: Json, pipeline: Json) -> None:
    """StableNew sends the images of a prompt as so many batches of one."""
    for name, own in (("images_per_prompt", "n_iter"), ("batch_size", "batch_size")):
        value: Any = pipeline.get(name)
        if value is not None and check_setting("txt2img", own, value) is None and value > 1:
            settings[own] = value


_BUILDERS = {"txt2img": _read_txt2img, "img2img": _read_img2img, "adetailer": _read_adetailer, "upscale": _read_upscale}
