"""Records without `schema` (StableNew's and older) in today's shape. Every field of theirs is optional, and none is refused.

Their stage manifests never had a version; what they called things is in the tables below. Nothing is dropped: a field that
has no place here stays under its own name, a value that cannot stand where it stood moves to `as_found`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lib_sdpipe.manifest.loose_json import integer_of, number_of, object_of, seed_of, text_of
from lib_sdpipe.manifest.times import format_utc

Json = dict[str, Any]
Clock = Callable[[datetime], float]

AS_FOUND = "as_found"

# Ours: theirs, best first. A value of theirs that means "unknown" there (-1, "Unknown", "") becomes None.
_TEXTS: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt", "final_prompt", "original_prompt"),
    "negative_prompt": ("negative_prompt", "final_negative_prompt", "original_negative_prompt"),
    "path": ("path", "output_path"),
    **{name: (name,) for name in (
        "name", "run_id", "job_id", "stage", "role", "timestamp", "root", "kept", "model", "model_hash", "vae", "vae_hash", "infotext",
        "lost_at",
    )},
}
_SEEDS: dict[str, tuple[str, ...]] = {
    "requested_seed": ("requested_seed", "seed"), "actual_seed": ("actual_seed",), "actual_subseed": ("actual_subseed",),
}
# In `seeds`, the nested form. An unknown final seed is written there as -1, like a random one.
_NESTED_SEEDS = {"requested_seed": "original_seed", "actual_seed": "final_seed", "actual_subseed": "final_subseed"}
_LISTS = ("loras", "embeddings", "members", "beside", "revisions", "inferred", "stage_history")
_OBJECTS = ("refiner", "adetailer", "hires", "image", "parent", "batch", "variant")
_UNKNOWN = ("unknown", "-1")
_STAGE_NAMES = {"upscaled": "upscale"}
_LOCAL_TIME = re.compile(r"(\d{8})_(\d{6})", re.ASCII)


def upgrade_manifest(document: Json, name: str | None = None, local_time: Clock = datetime.timestamp) -> Json:
    """An older stage manifest as `sdpipe.manifest/1`; `schema` stays absent (None) so that readers can tell.

    `name`: its file's, which is right where the two differ (older programs number a file that exists already, and not the
    name in it). `local_time`: seconds since 1970 of a time without zone.
    """
    upgraded: Json = {**document, "schema": None}
    upgraded.update({ours: _first_text(document, theirs) for ours, theirs in _TEXTS.items()})
    upgraded.update(_read_seeds(document))
    upgraded["stage"] = _STAGE_NAMES.get(upgraded["stage"], upgraded["stage"])
    upgraded["stage_duration_ms"] = integer_of(document.get("stage_duration_ms"))
    upgraded["config"] = object_of(document.get("config"))
    for field in _LISTS:
        upgraded[field] = _read_list(field, document.get(field))
    for field in _OBJECTS:
        upgraded[field] = document.get(field) if isinstance(document.get(field), dict) else None
    inferred = []
    if name is not None and upgraded["name"] != name:
        upgraded["name"] = name
        inferred.append("name")
    timestamp = _utc(upgraded["timestamp"], local_time)
    if timestamp != upgraded["timestamp"]:
        upgraded["timestamp"] = timestamp
        inferred.append("timestamp")
    upgraded["inferred"] = [*upgraded["inferred"], *inferred]
    return _keep_displaced(document, upgraded)


def upgrade_run(document: Json) -> Json:
    """An older run file. It has no status of its own, and names its job only where a later run of it is described."""
    upgraded: Json = {**document, "schema": None}
    for field in ("run_id", "job_id", "label", "status", "timestamp", "started_at", "finished_at", "source", "user", "environment"):
        upgraded[field] = text_of(document.get(field))
    upgraded["config"] = object_of(document.get("config"))
    for field in ("stage_outputs", "packs", "inferred", "models", "warnings"):
        upgraded[field] = document[field] if isinstance(document.get(field), list) else []
    upgraded["images"] = object_of(document.get("images"))
    for field in ("process", "error", "parent", "replay"):
        upgraded[field] = document.get(field) if isinstance(document.get(field), dict) else None
    for field in ("one_click_action", "not_replayable_because"):
        upgraded[field] = text_of(document.get(field))
    upgraded["replayable"] = document["replayable"] if isinstance(document.get("replayable"), bool) else None
    config = upgraded["config"]
    if upgraded["job_id"] is None:
        upgraded["job_id"] = text_of(object_of(config.get("replay_descriptor")).get("job_id"))
    success = object_of(config.get("diagnostics_descriptor")).get("success")
    if upgraded["status"] is None and isinstance(success, bool):
        upgraded["status"] = "completed" if success else "failed"
        upgraded["inferred"] = [*upgraded["inferred"], "status"]
    return _keep_displaced(document, upgraded)


def _first_text(document: Json, names: tuple[str, ...]) -> str | None:
    return next((text for name in names if (text := text_of(document.get(name))) and text.strip().lower() not in _UNKNOWN), None)


def _read_seeds(document: Json) -> Json:
    nested = object_of(document.get("seeds"))
    found: Json = {}
    for ours, theirs in _SEEDS.items():
        seeds = [*(seed_of(document.get(name)) for name in theirs), seed_of(nested.get(_NESTED_SEEDS[ours]))]
        found[ours] = next((seed for seed in seeds if seed is not None), None)
    strength = number_of(document.get("subseed_strength"))
    found["subseed_strength"] = strength if strength is not None else number_of(nested.get("subseed_strength"))
    return found


def _read_list(field: str, value: Any) -> list[Any]:
    if not isinstance(value, list):
        return []
    if field == "stage_history":
        return [_upgrade_stage(entry) for entry in value if isinstance(entry, dict)]
    wanted = str if field in ("beside", "inferred") else object if field == "members" else dict
    return value if all(isinstance(item, wanted) for item in value) else []


def _upgrade_stage(entry: Json) -> Json:
    """An earlier stage, in today's words beside its own."""
    settings = entry.get("settings") if isinstance(entry.get("settings"), dict) else object_of(entry.get("config"))
    texts = {name: text_of(entry.get(name)) for name in ("stage", "role", "run_id", "name", "pixel_sha256")}
    seeds = {name: seed for name, seed in _read_seeds(entry).items() if name != "subseed_strength"}
    return {**entry, **texts, **seeds, "settings": settings, "duration_ms": integer_of(entry.get("duration_ms"))}


def _utc(timestamp: str | None, local_time: Clock) -> str | None:
    """`20251225_143022` in local time as UTC; any other text stays as it is."""
    match = _LOCAL_TIME.fullmatch(timestamp or "")
    if match is None:
        return timestamp
    try:
        return format_utc(local_time(datetime.strptime("".join(match.groups()), "%Y%m%d%H%M%S")))
    except (ValueError, OverflowError, OSError):  # no such day, or none that this platform's clock reaches
        return timestamp


def _keep_displaced(document: Json, upgraded: Json) -> Json:
    """Values that stand no longer under their own name, and say more than "unknown"."""
    displaced = {name: value for name, value in document.items() if upgraded[name] != value and _is_displaced(name, value)}
    if displaced:
        upgraded[AS_FOUND] = {**object_of(document.get(AS_FOUND)), **displaced}
    return upgraded


def _is_displaced(name: str, value: Any) -> bool:
    if name == "inferred" and isinstance(value, list) or name == AS_FOUND and isinstance(value, dict):
        return False
    if name == "stage_history" and isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
        return False  # each entry holds all it held
    return value not in (None, -1, [], {}) and not (isinstance(value, str) and value.strip().lower() in ("", *_UNKNOWN))
