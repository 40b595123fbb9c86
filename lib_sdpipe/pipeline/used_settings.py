"""What a recorded image was made with: its settings by the host API's names; checkpoint, VAE, CLIP skip as options. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.pipeline.image_settings import generation_settings

SETTINGS = (
    "sampler_name", "scheduler", "steps", "cfg_scale", "distilled_cfg_scale", "width", "height", "restore_faces", "tiling", "eta",
)
_OF_PICTURES = (
    "denoising_strength", "resize_mode", "image_cfg_scale", "initial_noise_multiplier", "mask_blur_x", "mask_blur_y",
    "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "inpainting_mask_invert",
)
_OF_HIRES = (
    "hr_scale", "hr_upscaler", "hr_second_pass_steps", "hr_resize_x", "hr_resize_y", "hr_checkpoint_name", "hr_additional_modules",
    "hr_sampler_name", "hr_scheduler", "hr_prompt", "hr_negative_prompt", "hr_cfg", "hr_distilled_cfg", "denoising_strength",
)
CHECKPOINT, VAE, MODULES, CLIP_SKIP = "sd_model_checkpoint", "sd_vae", "forge_additional_modules", "CLIP_stop_at_last_layers"
NO_VAE = "None"
_HAS_MODULES = ("Forge",)
_HAS_VAE = ("A1111", "SDPipe sandbox")


def used_options(finals: Sequence[Manifest], environment: Json | None) -> Json:
    """Options under which all these images were made; one that was not the same for all is left out.

    "No VAE" is said only where the host tells it: elsewhere an unknown one looks the same.
    """
    found = {CHECKPOINT: _same([final.model for final in finals])}
    found[CLIP_SKIP] = _same([generation_settings(final).get("clip_skip") for final in finals])
    host = ((environment or {}).get("host") or {}).get("name")
    modules = [generation_settings(final).get(MODULES) for final in finals]
    if host in _HAS_MODULES or any(modules):
        found[MODULES] = _same([names or [] for names in modules])
    elif host in _HAS_VAE:
        found[VAE] = _same([final.vae or NO_VAE for final in finals])
    else:
        found[VAE] = _same([final.vae for final in finals])
    return {name: value for name, value in found.items() if value is not None}


def recorded_settings(manifest: Manifest, settings: Json, endpoint: str) -> Json:
    """Fields of a request as an image's record has them; `settings` are those of the pass that it came from."""
    found = {**picked(settings, SETTINGS), **picked(manifest.refiner or {}, ("refiner_checkpoint", "refiner_switch_at"))}
    if endpoint == "txt2img":
        hires = picked(manifest.hires or {}, _OF_HIRES)
        return {**found, "enable_hr": True, **hires} if manifest.hires is not None else found
    return {**found, **picked(settings, _OF_PICTURES)}


def picked(values: Json, names: tuple[str, ...]) -> dict[str, Any]:
    """Those that are known."""
    return {name: values[name] for name in names if values.get(name) is not None}


def _same(values: list[Any]) -> Any:
    """The one value of all; None where they differ."""
    return values[0] if values and all(value == values[0] for value in values) else None
