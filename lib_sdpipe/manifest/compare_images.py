"""What is compared of recorded images: their settings as fields, their stages as steps. Prompts are compared word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.compare_fields import FieldRow, Path, compare_fields, flatten
from lib_sdpipe.manifest.records import Json, Manifest, StageEntry
from lib_sdpipe.manifest.stage_settings import clear_sizes

# Compared word by word instead.
_PROMPTS = ("prompt", "negative_prompt")
StageKey = tuple[str, int]


@dataclass(frozen=True)
class StageStep:
    """One stage that some of the images went through; `entries` has None for an image that did not."""

    stage: str | None
    entries: tuple[StageEntry | None, ...]
    rows: list[FieldRow]


def collect_settings(manifest: Manifest) -> dict[Path, Any]:
    """How an image was made, by field; what is unknown is left out."""
    image = manifest.image
    found: dict[str, Any] = {
        "stage": manifest.stage,
        "model": _named(manifest.model, manifest.model_hash),
        "vae": _named(manifest.vae, manifest.vae_hash),
        "loras": [_short_lora(lora) for lora in manifest.loras],
        "embeddings": manifest.embeddings,
        "actual_seed": manifest.actual_seed,
        "actual_subseed": manifest.actual_subseed if manifest.subseed_strength else None,
        "subseed_strength": manifest.subseed_strength or None,
        "config": _without_prompts(manifest.config),
        "hires": _without_prompts(manifest.hires),
        "refiner": manifest.refiner,
        "adetailer": manifest.adetailer,
        "variant": (manifest.variant or {}).get("values"),
        "image": {"size": f"{image.width}×{image.height}" if image.width and image.height else None, "format": image.format}
        if image else None,
    }
    return flatten(found)


def compare_settings(manifests: Sequence[Manifest]) -> list[FieldRow]:
    return compare_fields([collect_settings(manifest) for manifest in manifests])


def compare_stages(manifests: Sequence[Manifest]) -> list[StageStep]:
    """The stages of all images in one order; those of one kind stand beside each other, the image itself last."""
    histories = [_number_stages([*clear_sizes(manifest.stage_history), _own_stage(manifest)]) for manifest in manifests]
    steps = []
    for key in _merge([list(history) for history in histories]):
        entries = tuple(history.get(key) for history in histories)
        steps.append(StageStep(key[0] or None, entries, _compare_entries(entries)))
    return steps


def _compare_entries(entries: Sequence[StageEntry | None]) -> list[FieldRow]:
    """Who did not go through a stage makes no difference in it."""
    rows = compare_fields([_stage_fields(entry) for entry in entries if entry is not None])
    spread = []
    for row in rows:
        values = iter(row.values)
        spread.append(FieldRow(row.path, tuple(next(values) if entry is not None else None for entry in entries), row.is_equal))
    return spread


def _own_stage(manifest: Manifest) -> StageEntry:
    settings = dict(manifest.config)
    if manifest.image is not None and manifest.image.width and manifest.image.height:
        settings.update(width=manifest.image.width, height=manifest.image.height)
    return StageEntry(
        stage=manifest.stage, role=manifest.role, run_id=manifest.run_id, name=manifest.name, settings=settings,
        requested_seed=manifest.requested_seed, actual_seed=manifest.actual_seed, actual_subseed=manifest.actual_subseed,
        duration_ms=manifest.stage_duration_ms,
    )


def _number_stages(entries: list[StageEntry]) -> dict[StageKey, StageEntry]:
    """By stage, and which of its kind it is: a plain picture stands beside the first pass of one with hires fix."""
    found: dict[StageKey, StageEntry] = {}
    counts: dict[str, int] = {}
    for entry in entries:
        stage = entry.stage or ""
        counts[stage] = counts.get(stage, 0) + 1
        found[(stage, counts[stage])] = entry
    return found


def _merge(orders: list[list[StageKey]]) -> list[StageKey]:
    """One order that keeps as much of each as it can: what is new comes after what stood before it."""
    merged: list[StageKey] = []
    for order in orders:
        place = 0
        for key in order:
            if key in merged:
                place = merged.index(key) + 1
            else:
                merged.insert(place, key)
                place += 1
    return merged


def _stage_fields(entry: StageEntry) -> dict[Path, Any]:
    return flatten({"actual_seed": entry.actual_seed, "config": _without_prompts(entry.settings)})


def _short_lora(lora: Json) -> Json:
    """The second weight only where it is another."""
    return {name: value for name, value in lora.items() if name != "unet_weight" or value != lora.get("weight")}


def _named(name: str | None, digest: str | None) -> str | None:
    """A model with its hash: two files of one name are two models."""
    return f"{name or 'unknown'} [{digest}]" if digest else name


def _without_prompts(settings: Json | None) -> Json:
    return {name: value for name, value in (settings or {}).items() if name not in _PROMPTS}
