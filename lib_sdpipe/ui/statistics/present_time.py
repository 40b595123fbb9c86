"""Images and time over days, weeks, months or years. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from lib_sdpipe.index.statistics import Sums
from lib_sdpipe.manifest.records import STAGES
from lib_sdpipe.ui import words
from lib_sdpipe.ui.statistics.calendar import begin_of, describe_span, iter_begins, label_span
from lib_sdpipe.ui.statistics.queries import ask_days, narrow
from lib_sdpipe.ui.statistics.scale import round_ticks, round_time_ticks
from lib_sdpipe.ui.statistics.view import Column, Part, TimeChart

Days = dict[tuple["date | None", "str | None"], Sums]
_LABELS = 8
UNKNOWN_SERIES = len(STAGES) + 1


def series_of(stage: str | None) -> int:
    """The colour of a stage, from 1."""
    return STAGES.index(stage) + 1 if stage in STAGES else UNKNOWN_SERIES


def present_time(days: Days, by: str, query: str) -> list[TimeChart]:
    """Two charts with the same bars: how many images, and how long they took; none where no date is known."""
    buckets = _gather(days, by)
    if not buckets:
        return []
    unknown = sum(sums.images for (day, _), sums in days.items() if day is None)
    untimed = sum(sums.untimed for sums in days.values())
    return [_images_chart(buckets, by, query, unknown), _time_chart(buckets, by, query, untimed)]


def _gather(days: Days, by: str) -> dict[date, dict[str | None, Sums]]:
    known = [day for day, _ in days if day is not None]
    if not known:
        return {}
    found: dict[date, dict[str | None, Sums]] = {begin: {} for begin in iter_begins(min(known), max(known), by)}
    for (day, stage), sums in days.items():
        bucket = found.get(begin_of(day, by)) if day is not None else None
        if bucket is not None:
            bucket[stage] = bucket.get(stage, Sums()) + sums
    return found


def _images_chart(buckets: dict[date, dict[str | None, Sums]], by: str, query: str, unknown: int) -> TimeChart:
    ticks = round_ticks(max(sum(s.images for s in bucket.values()) for bucket in buckets.values()), is_whole=True)
    stages = sorted({stage for bucket in buckets.values() for stage in bucket}, key=series_of)

    def parts(bucket: dict[str | None, Sums]) -> tuple[str, list[Part]]:
        found = [
            Part(words.format_stage(stage), f"{bucket[stage].images:,}", series_of(stage), bucket[stage].images / ticks[-1])
            for stage in stages if stage in bucket
        ]
        return words.format_count(sum(sums.images for sums in bucket.values()), "image"), found

    legend = [
        Part(words.format_stage(stage), f"{sum(b[stage].images for b in buckets.values() if stage in b):,}", series_of(stage), 0.0)
        for stage in stages
    ]
    note = f"Of {words.format_count(unknown, 'image')} the day is not known." if unknown else ""
    return TimeChart(f"Images by {by}", "Images", _columns(buckets, by, query, parts), _texts(ticks, lambda t: f"{t:,.0f}"), legend, note)


def _time_chart(buckets: dict[date, dict[str | None, Sums]], by: str, query: str, untimed: int) -> TimeChart:
    ticks = round_time_ticks(max(sum(s.milliseconds for s in bucket.values()) for bucket in buckets.values()))

    def parts(bucket: dict[str | None, Sums]) -> tuple[str, list[Part]]:
        milliseconds = sum(sums.milliseconds for sums in bucket.values())
        text = words.format_duration(milliseconds) if milliseconds else "no time known" if bucket else "0 s"
        return text, [Part("Time", text, 0, milliseconds / ticks[-1])] if milliseconds else []

    note = f"Of {words.format_count(untimed, 'image')} it is not known how long they took." if untimed else ""
    return TimeChart(f"Time by {by}", "Time", _columns(buckets, by, query, parts), _texts(ticks, _format_tick), [], note)


def _columns(
    buckets: dict[date, dict[str | None, Sums]], by: str, query: str, parts: Callable[[dict[str | None, Sums]], tuple[str, list[Part]]]
) -> list[Column]:
    every, before, columns = max(1, -(-len(buckets) // _LABELS)), None, []
    for number, (begin, bucket) in enumerate(buckets.items()):
        is_labelled = number % every == 0
        label = label_span(begin, before, by) if is_labelled else ""
        before = begin if is_labelled else before
        total, pieces = parts(bucket)
        columns.append(Column(describe_span(begin, by), label, total, pieces, narrow(query, ask_days(begin, by)) if bucket else None))
    return columns


def _texts(ticks: list[float], write: Callable[[float], str]) -> list[tuple[float, str]]:
    return [(tick / ticks[-1], write(tick)) for tick in ticks]


def _format_tick(milliseconds: float) -> str:
    return words.format_duration(milliseconds) if milliseconds else "0"
