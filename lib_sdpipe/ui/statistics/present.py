"""From what was counted to what is shown. Pure."""

from __future__ import annotations

from datetime import datetime

from lib_sdpipe.index.statistics import Counted, Sums
from lib_sdpipe.ui import words
from lib_sdpipe.ui.statistics.calendar import choose_span, list_spans
from lib_sdpipe.ui.statistics.present_bars import present_disk, present_names, present_stages
from lib_sdpipe.ui.statistics.present_scatter import present_scatters
from lib_sdpipe.ui.statistics.present_time import present_time
from lib_sdpipe.ui.statistics.queries import DAY, FINAL, ask_days, narrow
from lib_sdpipe.ui.statistics.view import Figure, StatisticsView

_SPAN_WORDS = {"day": "Days", "week": "Weeks", "month": "Months", "year": "Years"}


def present_statistics(counted: Counted, query: str, wanted_span: str | None, counted_at: datetime) -> StatisticsView:
    days = [day for day, _ in counted.days if day is not None]
    by = choose_span(days, wanted_span)
    # Charts count images without those saved on the way to them; what they lead to leaves those out as well.
    made = (narrow(query, FINAL) or query) if counted.others else query
    scatters, scatter_note = present_scatters(counted.timings, made)
    bars = [
        present_names("By checkpoint", "model", counted.models, made), present_names("By sampler", "sampler", counted.samplers, made),
        present_stages(((stage, sums) for (_, stage), sums in counted.days.items()), made), *present_disk(counted.disk, query),
    ]
    return StatisticsView(
        query=query,
        figures=_present_figures(counted, made),
        spans=[(span, _SPAN_WORDS[span], span == by) for span in list_spans(days)],
        over_time=present_time(counted.days, by, made),
        bars=[bar for bar in bars if bar.rows],
        scatters=scatters,
        scatter_note=scatter_note,
        counted=f"{counted_at:%H:%M:%S}",
        is_empty=not counted.days and not counted.disk,
    )


def _present_figures(counted: Counted, query: str) -> list[Figure]:
    total = sum(counted.days.values(), Sums())
    grids = sum(sums.images for (_, stage), sums in counted.days.items() if stage == "grid")
    others = sum(counted.others.values())
    notes = [words.format_count(grids, "grid") + " among them" if grids else "",
             f"{others:,} more were saved on the way" if others else ""]
    timed = total.images - total.untimed - grids
    figures = [
        Figure("Images", f"{total.images:,}", "; ".join(note for note in notes if note), query.strip() or None),
        Figure("Time", words.format_duration(total.milliseconds) if total.milliseconds else "Not known", _describe_time(total, timed)),
    ]
    size, files = sum(part.bytes for part in counted.disk), sum(part.files for part in counted.disk)
    return [*figures, *_present_busiest(counted, query), Figure("On the disk", words.format_bytes(size), words.format_count(files, "file"))]


def _describe_time(total: Sums, timed: int) -> str:
    each = f"{words.format_duration(total.milliseconds / timed)} an image" if timed > 0 and total.milliseconds else ""
    unknown = f"not known of {total.untimed:,}" if total.untimed else ""
    return "; ".join(note for note in (each, unknown) if note)


def _present_busiest(counted: Counted, query: str) -> list[Figure]:
    days: dict[object, int] = {}
    for (day, _), sums in counted.days.items():
        if day is not None:
            days[day] = days.get(day, 0) + sums.images
    if not days:
        return []
    day, images = max(days.items(), key=lambda item: item[1])
    note = f"{day:%a} {day.day} {day:%b} {day.year}"  # type: ignore[attr-defined]
    most = Figure("Most on one day", f"{images:,}", note, narrow(query, ask_days(day, DAY)))  # type: ignore[arg-type]
    return [Figure("Days with images", f"{len(days):,}"), most]
