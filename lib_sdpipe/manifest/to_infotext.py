"""The infotext of a recorded image: its own to the letter, else what a host would have written for what is recorded."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.manifest.infotext import Infotext, format_infotext
from lib_sdpipe.manifest.records import Json, Manifest

# Keys of the hosts in their order (modules/processing.py:create_infotext), and where a manifest has the value.
_CONFIG = (("Steps", "steps"), ("Sampler", "sampler_name"), ("Schedule type", "scheduler"), ("CFG scale", "cfg_scale"),
           ("Distilled CFG Scale", "distilled_cfg_scale"))
_HIRES = (
    ("Hires upscale", "hr_scale"), ("Hires resize", "hr_resize"), ("Hires steps", "hr_second_pass_steps"),
    ("Hires upscaler", "hr_upscaler"),
    ("Hires checkpoint", "hr_checkpoint_name"), ("Hires sampler", "hr_sampler_name"), ("Hires schedule type", "hr_scheduler"),
    ("Hires prompt", "hr_prompt"), ("Hires negative prompt", "hr_negative_prompt"),
)
_REFINER = (("Refiner", "refiner_checkpoint"), ("Refiner switch at", "refiner_switch_at"))


def build_infotext(manifest: Manifest) -> str | None:
    """None where neither a text nor a prompt nor any setting is known."""
    if manifest.infotext:
        return manifest.infotext
    parameters = {key: text for key, value in _iter_values(manifest) if (text := _format_value(value))}
    config = manifest.config
    prompt, negative = (manifest.prompt or _text(config, "prompt"), manifest.negative_prompt or _text(config, "negative_prompt"))
    text = format_infotext(Infotext(prompt, negative, parameters))
    return text or None


def _iter_values(manifest: Manifest) -> Any:
    config, image = manifest.config, manifest.image
    width, height = config.get("width") or (image and image.width), config.get("height") or (image and image.height)
    yield from ((key, config.get(name)) for key, name in _CONFIG)
    yield "Seed", manifest.actual_seed if manifest.actual_seed is not None else manifest.requested_seed
    yield "Size", f"{width}x{height}" if _is_number(width) and _is_number(height) else None
    yield "Model hash", manifest.model_hash
    yield "Model", manifest.model
    yield "VAE hash", manifest.vae_hash
    yield "VAE", manifest.vae
    if manifest.subseed_strength:
        yield "Variation seed", manifest.actual_subseed
        yield "Variation seed strength", manifest.subseed_strength
    hires: Json = manifest.hires or {}
    strength = hires.get("denoising_strength")
    yield "Denoising strength", strength if strength is not None else config.get("denoising_strength")
    clip_skip = config.get("clip_skip")
    yield "Clip skip", None if clip_skip == 1 else clip_skip
    yield from ((key, hires.get(name)) for key, name in _HIRES if hires.get(name))
    yield from ((key, (manifest.refiner or {}).get(name)) for key, name in _REFINER)


def _format_value(value: Any) -> str:
    if _is_number(value):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return value if isinstance(value, str) else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _text(config: Json, name: str) -> str:
    return config[name] if isinstance(config.get(name), str) else ""
