"""How long a job will still take: from the passes that it has made, else from what this library's images took. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.build import count_images
from lib_sdpipe.pipeline.records import Job

# What a pass is taken to be where nothing says it: the numbers of the hosts' own pages.
_SIDE, _STEPS, _SCALE = 512, 20, 2.0
# Stages without steps: their work is pixels alone.
_NO_STEPS = ("upscale",)
_MEGA = 1_000_000


@dataclass(frozen=True)
class Timed:
    """Images of one stage, size in pixels and number of steps: how many, and the seconds that one of them took."""

    stage: str | None
    width: int | None
    height: int | None
    steps: int | None
    images: int
    seconds: float


@dataclass(frozen=True)
class _Level:
    """Passes of one kind: how many there will be, the work of one of them, and the seconds of those that were made."""

    stage: str
    work: float
    passes: float
    measured: tuple[float, ...]


def learn_speeds(timed: Iterable[Timed]) -> dict[str, float]:
    """Seconds for a megapixel and step, by stage; of upscaling for a megapixel."""
    seconds: dict[str, float] = {}
    works: dict[str, float] = {}
    for one in timed:
        if one.stage is None or not one.width or not one.height or one.images <= 0 or one.seconds <= 0:
            continue
        steps = None if one.stage in _NO_STEPS else one.steps
        if one.stage not in _NO_STEPS and not steps:
            continue
        seconds[one.stage] = seconds.get(one.stage, 0.0) + one.images * one.seconds
        works[one.stage] = works.get(one.stage, 0.0) + one.images * _measure(one.stage, one.width, one.height, steps)
    return {stage: seconds[stage] / works[stage] for stage in seconds}


def estimate_seconds_left(
    job: Job, share: float, speeds: Mapping[str, float], size: tuple[int, int] | None = None
) -> float | None:
    """Seconds until all passes of the job are made; `share` (0 to 1) of the one that runs is done. None where nothing tells.

    `size` is that of the images which the job goes on from.
    """
    levels = _of_requests(job) if job.requests else _of_stages(job, size)
    rates = {**speeds, **_measured_rates(levels)}
    left, is_current = 0.0, True
    for level in levels:
        passes = level.passes - len(level.measured)
        if passes <= 0:
            continue
        if level.stage not in rates:
            return None
        done = min(max(share, 0.0), 1.0) if is_current else 0.0
        left += (passes - done) * level.work * rates[level.stage]
        is_current = False
    return left


def _measured_rates(levels: Sequence[_Level]) -> dict[str, float]:
    seconds: dict[str, float] = {}
    works: dict[str, float] = {}
    for level in levels:
        if level.measured:
            seconds[level.stage] = seconds.get(level.stage, 0.0) + sum(level.measured)
            works[level.stage] = works.get(level.stage, 0.0) + len(level.measured) * level.work
    return {stage: seconds[stage] / works[stage] for stage in seconds if works[stage] > 0 and seconds[stage] > 0}


def _of_requests(job: Job) -> list[_Level]:
    made = {each.input: each.seconds or 0.0 for each in job.done}
    levels = []
    for number, request in enumerate(job.requests):
        found = request.get("config")
        config = found if isinstance(found, dict) else {}
        stage = "upscale" if config.get("endpoint") == "extras" else str(request.get("stage"))
        measured = (made[str(number)],) if str(number) in made else ()
        levels.append(_Level(stage, _work_of(stage, config, _side_of(config)), 1, measured))
    return levels


def _of_stages(job: Job, size: tuple[int, int] | None) -> list[_Level]:
    levels: list[_Level] = []
    passes = float(len(job.items))
    size = size or (_SIDE, _SIDE)
    for number, stage in enumerate(job.stages):
        name = str(stage.stage)
        settings = {**stage.settings, **job.items[0].settings} if number == 0 and job.items else stage.settings
        size = _size_after(name, settings, size)
        done = [each for each in job.done if each.stage == number]
        levels.append(_Level(name, _work_of(name, settings, size), passes, tuple(each.seconds or 0.0 for each in done)))
        an_image = 1 if name in ("upscale", "adetailer") else count_images(settings)
        passes = sum(len(each.images) for each in done) + max(0.0, passes - len(done)) * an_image
    return levels


def _work_of(stage: str, settings: Json, size: tuple[int, int]) -> float:
    """Of one pass, all its images together."""
    images = 1 if stage == "upscale" else count_images(settings)
    return images * _measure(stage, *size, _whole(settings.get("steps"), _STEPS))


def _measure(stage: str, width: int, height: int, steps: int | None) -> float:
    return width * height / _MEGA * (1 if stage in _NO_STEPS else steps or _STEPS)


def _size_after(stage: str, settings: Json, size: tuple[int, int]) -> tuple[int, int]:
    if stage != "upscale":
        return _whole(settings.get("width"), size[0]), _whole(settings.get("height"), size[1])
    if settings.get("resize_mode") == 1:
        return _whole(settings.get("upscaling_resize_w"), size[0]), _whole(settings.get("upscaling_resize_h"), size[1])
    found = settings.get("upscaling_resize")
    scale = found if isinstance(found, (int, float)) and not isinstance(found, bool) and found > 0 else _SCALE
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def _side_of(config: Json) -> tuple[int, int]:
    return _whole(config.get("width"), _SIDE), _whole(config.get("height"), _SIDE)


def _whole(value: Any, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else otherwise
