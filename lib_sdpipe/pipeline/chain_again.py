"""A recorded chain run again from its beginning: its items with the seeds they had, its stages with the models they used. Pure.

`plan_rerun` asks for each pass by itself, from the recorded images; this is for a chain whose images between are gone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.loose_json import object_of
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.recorded_pass import in_order, is_cut_short, is_final, slot_of
from lib_sdpipe.pipeline.records import ComparedImage, Item, Stage
from lib_sdpipe.pipeline.seeds import is_random, request_seeds
from lib_sdpipe.pipeline.split_run import CHAIN, read_chain, step_of
from lib_sdpipe.pipeline.used_settings import used_options


@dataclass(frozen=True)
class ChainAgain:
    """A chain job's parts. `notes` say what cannot be the same."""

    items: list[Item]
    stages: list[Stage]
    compare: list[ComparedImage]
    notes: list[str]


def plan_chain(run: Run, manifests: Sequence[Manifest], environment: Json | None) -> ChainAgain:
    """Raises RefusedError where the run is no chain, or a random seed of its first stage is not known."""
    if run.config.get("endpoint") != CHAIN:
        raise RefusedError(f"Run {run.run_id} is no chain.")
    stages, items = read_chain(run)
    made = [[final for final in in_order(run, manifests) if is_final(final) and step_of(final).get("stage") == number]
            for number in range(len(stages))]
    notes = [
        f"Stage {number + 1}, {stage.stage}, drew its own seeds: its images will be others."
        for number, stage in enumerate(stages) if number and "seed" in stage.settings and is_random(stage.settings["seed"])
    ]
    fixed = [_with_seed(item, stages[0], [final for final in made[0] if step_of(final).get("input") == str(number)])
             for number, item in enumerate(items)]
    used = [_with_models(stage, finals, environment) for stage, finals in zip(stages, made)]
    compare = [
        ComparedImage(of=ImageLink(run_id=run.run_id, name=final.name), place=place)
        for place, final in enumerate(_as_made(made, len(items))) if not is_cut_short(final)
    ]
    return ChainAgain(fixed, used, compare, notes)


def _with_seed(item: Item, first: Stage, finals: Sequence[Manifest]) -> Item:
    settings = {**first.settings, **item.settings}
    if first.stage == "upscale":
        return item
    strength = next((final.subseed_strength for final in finals if final.subseed_strength is not None), 0) or 0
    size = next((final.batch.size for final in finals if final.batch is not None and final.batch.size), 1)
    places = {(slot or (0, 0))[0] * size + (slot or (0, 0))[1]: final for final in finals for slot in [slot_of(final)]}
    seed, subseed = request_seeds(
        {place: (final.actual_seed, final.actual_subseed) for place, final in places.items()}, strength, max(places, default=-1) + 1,
    )
    if seed is None and is_random(settings.get("seed")) and item.source is None:
        raise RefusedError("The seed was random, and no image tells which one it was.")
    found = {name: value for name, value in (("seed", seed), ("subseed", subseed)) if value is not None}
    return item.copy(update={"settings": {**item.settings, **found}})


def _with_models(stage: Stage, finals: Sequence[Manifest], environment: Json | None) -> Stage:
    """Upscaling has no checkpoint; of a stage that made nothing, none is known."""
    if stage.stage == "upscale" or not finals:
        return stage
    options = {**object_of(stage.settings.get("override_settings")), **used_options(finals, environment)}
    return stage.copy(update={"settings": {**stage.settings, "override_settings": options}})


def _as_made(made: Sequence[Sequence[Manifest]], items: int) -> Iterator[Manifest]:
    """Stage by stage, each in the order of what it was made from: as a job makes them, also where the run was resumed."""
    inputs = [str(number) for number in range(items)]
    for finals in made:
        ordered = [final for name in inputs for final in finals if step_of(final).get("input") == name]
        yield from ordered
        inputs = [final.name or "" for final in ordered]
