"""Grids, masks and pictures on the way: they are made again through the image that they belong to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.recorded_pass import RecordedPass, slot_of

GRID = "grid"
# The option under which the host, or ADetailer, saves each.
_SAVED_BY = {
    "before-highres-fix": "save_images_before_highres_fix", "before-adetailer": "ad_save_images_before",
    "before-face-restoration": "save_images_before_face_restoration", "before-color-correction": "save_images_before_color_correction",
    "mask": "save_mask", "mask-composite": "save_mask_composite", "preview": "ad_save_previews",
}


def role_of(manifest: Manifest) -> str | None:
    """What a companion is to its image; None for an image."""
    if manifest.stage == GRID:
        return GRID
    return None if manifest.role in (None, "final") else manifest.role


def find_image(manifest: Manifest, passes: Sequence[RecordedPass]) -> tuple[RecordedPass, Manifest]:
    """The pass and the image that a companion belongs to; an image itself is its own. Raises RefusedError."""
    role = role_of(manifest)
    for recorded in passes:
        for final in recorded.finals:
            if final.name == manifest.name or (role == GRID and final.name in manifest.members):
                return recorded, final
    if role == "init":
        raise RefusedError(f"{manifest.run_id}/{manifest.name} is an input picture: nothing made it that could be repeated.")
    if role not in (None, GRID):
        for recorded in passes:
            for final in recorded.finals:
                if _belongs(manifest, final):
                    return recorded, final
    raise RefusedError(f"{manifest.run_id}/{manifest.name}: which image it was made with is not recorded.")


def with_companion(request: PassRequest, role: str) -> PassRequest:
    """The request, with the host told to save that companion."""
    config: Json = dict(request.config)
    if role == GRID:
        config["do_not_save_grid"] = False
        options: dict[str, Any] = {"grid_save": True, "return_grid": True}
    else:
        options = {_SAVED_BY[role]: True} if role in _SAVED_BY else {}
    config["override_settings"] = {**(config.get("override_settings") or {}), **options}
    return PassRequest(config, request.stage, request.save, request.kept, request.parents, request.variant, request.step)


def _belongs(companion: Manifest, final: Manifest) -> bool:
    """The same place of the same pass."""
    rows = [(one.variant or {}).get("row") for one in (companion, final)]
    slots = slot_of(companion), slot_of(final)
    return slots[0] == slots[1] and slots[0] is not None and rows[0] == rows[1] and companion.actual_seed in (None, final.actual_seed)
