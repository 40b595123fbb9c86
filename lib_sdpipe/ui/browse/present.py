"""Runs as rows. No gradio and no HTML here: `markup` makes the page's text of these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lib_sdpipe.manifest.records import ImageCounts, Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Status
from lib_sdpipe.workspace import RunPage, RunSummary


@dataclass(frozen=True)
class RunRow:
    """One line of the list of runs."""

    run_id: str
    label: str
    status: Status
    images: str
    stages: str
    source: str
    when: str
    moment: str
    error: str | None = None


@dataclass(frozen=True)
class RunList:
    """A page of runs under the headings of their days."""

    total: int
    days: list[tuple[str, list[RunRow]]]
    is_running: bool


def present_runs(page: RunPage, now: datetime) -> RunList:
    """The page as rows, newest first, grouped by day in local time."""
    days: list[tuple[str, list[RunRow]]] = []
    for summary in page.runs:
        moment = _started(summary)
        day = words.format_day(moment, now) if moment else "Without a date"
        if not days or days[-1][0] != day:
            days.append((day, []))
        days[-1][1].append(_row(summary, moment, now))
    return RunList(page.total, days, any(run.status == "running" for run in page.runs))


def _row(summary: RunSummary, moment: datetime | None, now: datetime) -> RunRow:
    return RunRow(
        run_id=summary.run_id,
        label=summary.label or words.format_label(summary.run_id),
        status=words.UNREADABLE if summary.error else words.format_status(summary.status),
        images=words.count_images(_counts(summary.images), summary.status),
        stages=words.list_stages(summary.stages),
        source=words.format_source(summary.source),
        when=words.format_when(moment, now) if moment else "",
        moment=words.format_moment(summary.started_at) if summary.started_at else "",
        error=summary.error,
    )


def _started(summary: RunSummary) -> datetime | None:
    """The recorded start; for a run file that cannot be read, the local time in its name."""
    moment = words.to_local(summary.started_at)
    if moment is None:
        try:
            moment = datetime.strptime(summary.run_id[: len("20251225_143022")], "%Y%m%d_%H%M%S")
        except ValueError:
            return None
    return moment


def _counts(images: Json) -> ImageCounts:
    return ImageCounts(**{name: images.get(name) for name in ("planned", "returned", "saved")})
