"""Records without `schema` (StableNew's and older) in today's shape. Every field of theirs is optional.

Their stage manifests never had a version; what they called things is in the table below. Nothing is dropped: a
field that has no place here stays under its own name.
"""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

# Ours: theirs, best first. A value of theirs that means "unknown" there (-1, "Unknown", "") becomes None.
_MANIFEST_NAMES: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "final_prompt", "original_prompt"),
    "negative_prompt": ("negative_prompt", "final_negative_prompt", "original_negative_prompt"),
    "path": ("path", "output_path"),
    "requested_seed": ("requested_seed", "seed"),
    "actual_seed": ("actual_seed",),
    "actual_subseed": ("actual_subseed",),
}
_UNKNOWN = (-1, "-1", "", "Unknown", "unknown")
_STAGE_NAMES = {"upscaled": "upscale"}


def upgrade_manifest(document: Json) -> Json:
    """An older stage manifest as `sdpipe.manifest/1`; `schema` stays absent (None) so that readers can tell."""
    upgraded: Json = {**document, "schema": None}
    for ours, theirs in _MANIFEST_NAMES.items():
        upgraded[ours] = _first_known(document, theirs)
    for name in ("model", "vae"):
        upgraded[name] = _first_known(document, (name,))
    seeds = document.get("seeds")
    if isinstance(seeds, dict):
        if upgraded["actual_seed"] is None:
            upgraded["actual_seed"] = _first_known(seeds, ("final_seed",))
        if upgraded["actual_subseed"] is None:
            upgraded["actual_subseed"] = _first_known(seeds, ("final_subseed",))
    stage = document.get("stage")
    upgraded["stage"] = _STAGE_NAMES.get(stage, stage) if isinstance(stage, str) else None
    for name, kind in (("config", dict), ("stage_history", list), ("loras", list), ("embeddings", list), ("inferred", list)):
        if not isinstance(upgraded.get(name), kind):
            upgraded[name] = kind()
    upgraded["stage_history"] = [entry for entry in upgraded["stage_history"] if isinstance(entry, dict)]
    for name in ("refiner", "adetailer", "hires", "image", "parent", "batch", "variant"):
        if not isinstance(upgraded.get(name), dict):
            upgraded[name] = None
    return upgraded


def upgrade_run(document: Json) -> Json:
    """An older run file. It has no status: what it does not say stays None."""
    upgraded: Json = {**document, "schema": None}
    for name, kind in (("config", dict), ("stage_outputs", list), ("packs", list), ("inferred", list)):
        if not isinstance(upgraded.get(name), kind):
            upgraded[name] = kind()
    if not isinstance(upgraded.get("images"), dict):
        upgraded["images"] = {}
    return upgraded


def _first_known(document: Json, names: tuple[str, ...]) -> Any:
    for name in names:
        value = document.get(name)
        if value is not None and not isinstance(value, (dict, list)) and value not in _UNKNOWN:
            return value
    return None
