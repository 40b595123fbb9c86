"""A recorded run taken apart into the host's passes: each with what was asked of it and the images it made. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.loose_json import list_of
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run

_FINAL = (None, "final")


@dataclass(frozen=True)
class RecordedPass:
    """One request and what came of it. `config` is complete in itself; `finals` are its images in their order.

    A request with a script from the Script menu is one of these, however many passes the script makes.
    """

    config: Json
    stage: str
    finals: tuple[Manifest, ...]
    parents: tuple[ImageLink | None, ...] = ()

    @property
    def has_script(self) -> bool:
        return any(script.get("selected") for script in scripts_of(self.config))

    @property
    def is_extras(self) -> bool:
        return self.config.get("endpoint") == "extras"

    @property
    def size(self) -> int:
        """Images at once."""
        return _count(self.finals[0].batch.size if self.finals and self.finals[0].batch else None, self.config.get("batch_size"))

    @property
    def count(self) -> int:
        """Batches."""
        return _count(self.finals[0].batch.count if self.finals and self.finals[0].batch else None, self.config.get("n_iter"))

    def place_of(self, manifest: Manifest) -> int:
        """Where it stands among the images of the request, from 0."""
        if not self.has_script and not self.is_extras and (slot := slot_of(manifest)) is not None:
            return slot[0] * self.size + slot[1]
        return self.finals.index(manifest)


def split_passes(run: Run, manifests: Sequence[Manifest]) -> list[RecordedPass]:
    """The passes of a run that was asked for by one request, in their order. Those that made no image are not among them."""
    finals = [manifest for manifest in in_order(run, manifests) if is_final(manifest)]
    config = run.config
    stage = "inpaint" if config.get("mask") else str(config.get("endpoint"))
    if any(script.get("selected") for script in scripts_of(config)):
        return [RecordedPass(config, stage, tuple(finals))] if finals else []
    groups = list(iter_groups(finals))
    if len(groups) == 1:
        return [RecordedPass(config, stage, tuple(finals), _parents(finals))]
    return [RecordedPass(_config_of_group(config, group), stage, tuple(group), _parents(group)) for group in groups]


def iter_groups(finals: Sequence[Manifest]) -> Iterator[list[Manifest]]:
    """Images that came of one pass: within it, batch and place count up."""
    group: list[Manifest] = []
    for manifest in finals:
        slot = slot_of(manifest)
        last = slot_of(group[-1]) if group else None
        if group and (slot is None or last is None or slot <= last):
            yield group
            group = []
        group.append(manifest)
    if group:
        yield group


def in_order(run: Run, manifests: Sequence[Manifest]) -> list[Manifest]:
    """As they were saved."""
    listed = [entry.get("name") for entry in run.stage_outputs if isinstance(entry, dict)]
    places = {name: number for number, name in enumerate(listed)}
    return sorted(manifests, key=lambda manifest: (places.get(manifest.name, len(places)), manifest.timestamp or "", manifest.name or ""))


def is_final(manifest: Manifest) -> bool:
    """What was asked for, no grid."""
    return manifest.role in _FINAL and manifest.stage != "grid"


def is_cut_short(manifest: Manifest) -> bool:
    """Whether its sampling was interrupted or skipped: that cannot be repeated."""
    return bool(manifest.config.get("incomplete"))


def slot_of(manifest: Manifest) -> tuple[int, int] | None:
    """Batch and place in it, from 0."""
    batch = manifest.batch
    if batch is None or batch.index is None:
        return None
    return batch.iteration or 0, batch.index


def scripts_of(config: Json) -> list[Json]:
    """A request's scripts; what is no script in a hand-made or damaged one is left out."""
    scripts = config.get("scripts")
    return [script for script in scripts if isinstance(script, dict)] if isinstance(scripts, list) else []


def arguments_of(script: Json) -> list[Json]:
    """A script's arguments."""
    return [argument for argument in list_of(script.get("args")) if isinstance(argument, dict)]


def _config_of_group(config: Json, group: Sequence[Manifest]) -> Json:
    """img2img's batch tab makes a pass for each file, each with its own picture and size."""
    own = group[0].config
    names = ("init_images", "mask", "width", "height", "sampler_name", "scheduler", "steps", "cfg_scale")
    found = {name: own[name] for name in names if own.get(name) is not None}
    if found.get("init_images") and (first := config.get("init_images")):
        found["init_images"] = found["init_images"] * len(first)  # one picture, as often as there are images at once
    return {**config, **found}


def _parents(finals: Sequence[Manifest]) -> tuple[ImageLink | None, ...]:
    parent = finals[0].parent if finals else None
    return (ImageLink(run_id=parent.run_id, name=parent.name),) if parent is not None else ()


def _count(*values: Any) -> int:
    return next((value for value in values if isinstance(value, int) and not isinstance(value, bool) and value > 0), 1)
