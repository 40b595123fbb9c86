"""Which passes of a chain are whole by what is recorded of them, where the process died before it was noted. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from lib_sdpipe.manifest.records import Batch, Manifest
from lib_sdpipe.pipeline.build import count_images
from lib_sdpipe.pipeline.chain import Step
from lib_sdpipe.pipeline.records import DonePass, Job


def find_recorded(job: Job, manifests: Iterable[Manifest]) -> dict[Step, DonePass]:
    """The passes of which every image is recorded in the job's run. One that lacks an image is to be made again whole."""
    found: dict[Step, list[Manifest]] = defaultdict(list)
    for manifest in manifests:
        mark = manifest.step or {}
        is_final = manifest.role == "final" and manifest.stage != "grid" and not (manifest.config or {}).get("incomplete")
        if is_final and isinstance(mark.get("stage"), int) and isinstance(mark.get("input"), str):
            found[Step(mark["stage"], mark["input"])].append(manifest)
    return {
        step: DonePass(stage=step.stage, input=step.input, images=[one.name or "" for one in sorted(made, key=_find_place)])
        for step, made in found.items() if _is_whole(made, _count_expected(job, step))
    }


def _is_whole(made: list[Manifest], expected: int) -> bool:
    """Of two attempts that were cut short each has its first images: they are in the same places."""
    return len(made) == len({_find_place(one) for one in made}) == expected


def _find_place(manifest: Manifest) -> tuple[int, int]:
    """(batch, place in it), each from 0."""
    batch = manifest.batch or Batch()
    return batch.iteration or 0, batch.index or 0


def _count_expected(job: Job, step: Step) -> int:
    """0 where the job has no such pass."""
    if not 0 <= step.stage < len(job.stages):
        return 0
    stage = job.stages[step.stage]
    if not step.is_first:
        return 1 if stage.stage == "upscale" else count_images(stage.settings)
    if not step.input.isdigit() or int(step.input) >= len(job.items):
        return 0
    return 1 if stage.stage == "upscale" else count_images({**stage.settings, **job.items[int(step.input)].settings})
