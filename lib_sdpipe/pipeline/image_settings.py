"""How a recorded image was generated, whatever was done to it since: what a later stage takes where it says nothing. Pure."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.manifest.records import Json, Manifest, StageEntry

_GENERATED = ("txt2img", "img2img", "inpaint")
# ADetailer's "skip img2img" makes the pass around it as small as this (its `set_skip_img2img`).
_SHRUNK = {"steps": 1, "width": 128, "height": 128}
# Latents are made of 8 x 8 pixels.
_STEP = 8
_SMALLEST = 64


def generation_settings(manifest: Manifest) -> Json:
    """The settings of the pass that the image came from; {} where nothing tells.

    Of an image that ADetailer painted over, its own settings are those of an inner pass; of an upscaled one, none.
    """
    if manifest.stage in _GENERATED or (manifest.stage is None and manifest.config):
        return manifest.config
    for entry in reversed(manifest.stage_history):
        if entry.stage in _GENERATED and entry.settings and not is_shrunk(entry.settings):
            return entry.settings
    return manifest.config if manifest.stage == "adetailer" else {}


def generation_entry(manifest: Manifest) -> StageEntry | None:
    """The earlier stage of this very pass that ADetailer or hires fix worked on."""
    own = [entry for entry in manifest.stage_history if entry.run_id == manifest.run_id and entry.role == "before-adetailer"]
    return own[-1] if own else None


def is_shrunk(settings: Json) -> bool:
    """Whether this is ADetailer's "skip img2img", whose pass makes nothing."""
    return all(settings.get(name) == value for name, value in _SHRUNK.items())


def picture_size(manifest: Manifest) -> tuple[int, int] | None:
    """Pixels across and down of a pass that works on this image: multiples of 8, rounded down."""
    image, config = manifest.image, generation_settings(manifest)
    width, height = (image.width, image.height) if image is not None else (config.get("width"), config.get("height"))
    return (_fit(width), _fit(height)) if _is_size(width) and _is_size(height) else None


def picture_of(run_id: str | None, name: str | None) -> Json:
    """A recorded image as requests name it."""
    return {"$image": {"run_id": run_id, "name": name}}


def _fit(pixels: int) -> int:
    return max(_SMALLEST, pixels // _STEP * _STEP)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
