"""What is compared of two runs: what was asked, where it ran, how long its stages took, and which image belongs to which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from lib_sdpipe.manifest.compare_fields import FieldRow, Path, compare_fields, flatten
from lib_sdpipe.manifest.records import Json, Manifest, Run

# Prompts stand beside each other word by word; the others say nothing about a picture.
_PROMPTS = ("prompt", "negative_prompt")
_NOT_COMPARED = ("schema", "script_defaults")


@dataclass(frozen=True)
class ImagePair:
    """Two images that correspond, or one that the other run has no partner for."""

    one: Manifest | None
    other: Manifest | None


@dataclass(frozen=True)
class StageTimes:
    """One stage of a run: how many images have a time, and their sum and median in milliseconds."""

    count: int
    total_ms: int
    median_ms: float


def compare_configs(runs: Sequence[Run]) -> list[FieldRow]:
    """What was asked of each run."""
    return compare_fields([
        flatten({name: value for name, value in run.config.items() if name not in _PROMPTS}) for run in runs
    ])


def compare_models(runs: Sequence[Run]) -> list[FieldRow]:
    """The models of each run by kind and name, with their hashes."""
    return compare_fields([dict(_iter_models(run)) for run in runs])


def compare_environments(environments: Sequence[Json | None]) -> list[FieldRow]:
    """Versions, device, options, extensions. Defaults of scripts are left out: what was asked is in the config."""
    return compare_fields([
        flatten({name: value for name, value in (environment or {}).items() if name not in _NOT_COMPARED}) for environment in environments
    ])


def sum_times(manifests: Sequence[Manifest]) -> dict[str, StageTimes]:
    """By stage, in the order in which stages come; images without a time are not counted."""
    found: dict[str, list[int]] = defaultdict(list)
    for manifest in manifests:
        if manifest.stage_duration_ms is not None and manifest.stage not in (None, "grid") and manifest.role in (None, "final"):
            found[manifest.stage or ""].append(manifest.stage_duration_ms)
    return {stage: StageTimes(len(times), sum(times), median(times)) for stage, times in found.items()}


def pair_images(one: Sequence[Manifest], other: Sequence[Manifest]) -> list[ImagePair]:
    """Images of one stage and role that belong together: by seed and place in the batch, by seed, by number.

    In the order of the first run; what only the second has comes last. Each image stands in one pair.
    """
    partners: dict[int, int] = {}
    for key in (_key_by_place, _key_by_seed, _key_by_name):
        _pair_by(key, one, other, partners)
    taken = set(partners.values())
    pairs = [ImagePair(manifest, other[partners[number]] if number in partners else None) for number, manifest in enumerate(one)]
    return pairs + [ImagePair(None, manifest) for number, manifest in enumerate(other) if number not in taken]


def _pair_by(
    key: Callable[[Manifest], Hashable | None], one: Sequence[Manifest], other: Sequence[Manifest], partners: dict[int, int],
) -> None:
    taken = set(partners.values())
    waiting: dict[Hashable, list[int]] = defaultdict(list)
    for number, manifest in enumerate(other):
        if number not in taken and (found := key(manifest)) is not None:
            waiting[found].append(number)
    for number, manifest in enumerate(one):
        if number not in partners and (found := key(manifest)) is not None and waiting.get(found):
            partners[number] = waiting[found].pop(0)


def _kind(manifest: Manifest) -> tuple[str | None, str]:
    return manifest.stage, manifest.role or "final"


def _key_by_place(manifest: Manifest) -> Hashable | None:
    batch = manifest.batch
    if manifest.actual_seed is None or batch is None or batch.index is None:
        return None
    return (*_kind(manifest), manifest.actual_seed, manifest.actual_subseed, batch.iteration, batch.index)


def _key_by_seed(manifest: Manifest) -> Hashable | None:
    return (*_kind(manifest), manifest.actual_seed) if manifest.actual_seed is not None else None


def _key_by_name(manifest: Manifest) -> Hashable | None:
    return (*_kind(manifest), manifest.name) if manifest.name else None


def _iter_models(run: Run) -> list[tuple[Path, Any]]:
    found = []
    for model in run.models:
        kind, name, digest = (model.get(key) for key in ("kind", "name", "hash"))
        if kind in ("lora", "embedding", "module"):  # a run has several
            found.append(((str(kind), str(name)), digest or "yes"))
        else:
            found.append(((str(kind),), f"{name} [{digest}]" if digest else name))
    return found
