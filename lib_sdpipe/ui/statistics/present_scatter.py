"""Seconds of an image against the work in it: one small chart for each stage, a point for each size and number of steps. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from lib_sdpipe.index.statistics import Timing
from lib_sdpipe.manifest.records import STAGES
from lib_sdpipe.ui import words
from lib_sdpipe.ui.statistics.present_time import series_of
from lib_sdpipe.ui.statistics.queries import ask_settings, narrow
from lib_sdpipe.ui.statistics.scale import round_ticks, round_time_ticks
from lib_sdpipe.ui.statistics.view import Point, Scatter

_MOST_POINTS = 150


def present_scatters(timings: list[Timing], query: str) -> tuple[list[Scatter], str]:
    """The charts, and what they leave out as a sentence. Stages without steps are drawn against megapixels alone."""
    sized = [timing for timing in timings if timing.width and timing.height]
    charts = []
    for stage in (*STAGES, None):
        own = [timing for timing in sized if timing.stage == stage or stage is None and timing.stage not in STAGES]
        for with_steps in (True, False):
            drawn = sorted((t for t in own if (t.steps is not None) == with_steps), key=lambda t: -t.images)
            if drawn:
                charts.append(_present_stage(stage, with_steps, drawn[:_MOST_POINTS], query))
    shown = sum(len(chart.points) for chart in charts)
    left = len(timings) - shown
    return charts, f"{words.format_count(left, 'rarer combination')} of size and steps are not drawn." if left else ""


def _present_stage(stage: str | None, with_steps: bool, timings: list[Timing], query: str) -> Scatter:
    x_ticks = round_ticks(max(_work(timing) for timing in timings), wanted=3)
    y_ticks = round_time_ticks(max(max(timing.mean_ms for timing in timings), 1.0), wanted=3)
    heaviest = math.log1p(max(timing.images for timing in timings))
    return Scatter(
        words.format_stage(stage), "megapixels × steps" if with_steps else "megapixels", series_of(stage),
        [_present_point(timing, x_ticks[-1], y_ticks[-1], heaviest, query) for timing in timings],
        [(tick / x_ticks[-1], f"{tick:g}") for tick in x_ticks],
        [(tick / y_ticks[-1], words.format_duration(tick) if tick else "0") for tick in y_ticks],
    )


def _present_point(timing: Timing, most_x: float, most_y: float, heaviest: float, query: str) -> Point:
    steps = "" if timing.steps is None else f", {words.format_count(timing.steps, 'step')}"
    times = list(_differing(timing))
    between = f" ({words.format_duration(times[0])} to {words.format_duration(times[1])})" if times else ""
    return Point(
        f"{timing.width}×{timing.height}{steps}",
        f"{words.format_duration(timing.mean_ms)} each{between}, {words.format_count(timing.images, 'image')}",
        _work(timing) / most_x, timing.mean_ms / most_y, math.log1p(timing.images) / heaviest,
        narrow(query, ask_settings(timing.stage, timing.width, timing.height, timing.steps)),
    )


def _differing(timing: Timing) -> Iterable[int]:
    texts = {words.format_duration(ms) for ms in (timing.least_ms, timing.most_ms)}
    return (timing.least_ms, timing.most_ms) if len(texts) > 1 else ()


def _work(timing: Timing) -> float:
    megapixels = (timing.width or 0) * (timing.height or 0) / 1e6
    return max(megapixels * (1 if timing.steps is None else max(timing.steps, 0)), 0.0)
