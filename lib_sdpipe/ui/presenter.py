"""Runs and images as rows, captions and sentences. No gradio and no HTML here: `markup` makes the page's text of these."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from lib_sdpipe.manifest.records import ImageCounts, ImageLink, Json, Manifest, Run, RunError
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Status
from lib_sdpipe.workspace import RunPage, RunSummary, RunView

_SHORT_DIGEST = 16
_LONGEST_VARIANT = 40
_STAMP_LENGTH = len("20251225_143022_")


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


@dataclass(frozen=True)
class Fact:
    """A name and its value; `link` names a recorded image or a run (then its name is None)."""

    name: str
    value: str
    link: ImageLink | None = None


@dataclass(frozen=True)
class RunFacts:
    """What is shown of one run above its images."""

    run_id: str
    label: str
    status: Status
    summary: list[str]
    facts: list[Fact]
    error: str | None = None
    problems: list[str] = field(default_factory=list)


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


def present_run(view: RunView) -> RunFacts:
    run = view.run or Run(run_id=view.run_id)
    status = words.format_status(run.status) if view.run else words.UNREADABLE
    started = run.started_at or run.timestamp
    summary = [
        words.format_moment(started),
        words.format_span(started, run.finished_at),
        _count_recorded(view) if run.status == "running" else _count_images(run.images, run.status),
        _list_stages([m.stage for m in view.manifests]),
        words.format_source(run.source),
    ]
    return RunFacts(
        view.run_id, run.label or _label_of(view.run_id), status, [text for text in summary if text],
        _facts(run), _describe_error(run.error), [*run.warnings, *view.problems],
    )


def first_choice(manifests: list[Manifest]) -> str | None:
    """The image to show of a run that was just opened: the first final one, else the first of all."""
    for manifest in manifests:
        if manifest.role in (None, "final") and manifest.stage != "grid" and manifest.name:
            return manifest.name
    return next((manifest.name for manifest in manifests if manifest.name), None)


def build_caption(manifest: Manifest, absence: str | None = None) -> str:
    """A thumbnail's caption; `absence` says why there is no picture."""
    role = words.format_role(manifest.role)
    varied = words.format_value((manifest.variant or {}).get("values"))
    if len(varied) > _LONGEST_VARIANT:
        varied = varied[:_LONGEST_VARIANT] + "…"
    return " · ".join(part for part in (manifest.name or "unnamed", role, varied, absence) if part)


def _row(summary: RunSummary, moment: datetime | None, now: datetime) -> RunRow:
    return RunRow(
        run_id=summary.run_id,
        label=summary.label or _label_of(summary.run_id),
        status=words.UNREADABLE if summary.error else words.format_status(summary.status),
        images=_count_images(_counts(summary.images), summary.status),
        stages=_list_stages(summary.stages),
        source=words.format_source(summary.source),
        when=words.format_when(moment, now) if moment else "",
        moment=words.format_moment(summary.started_at) if summary.started_at else "",
        error=summary.error,
    )


def _list_stages(stages: list[str | None]) -> str:
    """A grid goes without saying where there are images."""
    shown = [stage for stage in stages if stage != "grid"] or stages
    return ", ".join(dict.fromkeys(words.format_stage(stage) for stage in shown))


def _started(summary: RunSummary) -> datetime | None:
    """The recorded start; for a run file that cannot be read, the local time in its name."""
    moment = words.to_local(summary.started_at)
    if moment is None:
        try:
            moment = datetime.strptime(summary.run_id[: _STAMP_LENGTH - 1], "%Y%m%d_%H%M%S")
        except ValueError:
            return None
    return moment


def _label_of(run_id: str) -> str:
    return run_id[_STAMP_LENGTH:] or run_id


def _counts(images: Json) -> ImageCounts:
    return ImageCounts(**{name: images.get(name) for name in ("planned", "returned", "saved")})


def _count_images(images: ImageCounts, status: str | None) -> str:
    """`4 images`, `1 of 4 images` where fewer came than were asked for, and `2 saved` where not all were."""
    made = images.returned if images.returned is not None else images.saved
    if made is None:
        return f"{images.planned:,} planned" if status == "running" and images.planned is not None else ""
    planned = images.planned
    text = words.format_count(made, "image")
    if planned is not None and planned > made:
        text = f"{made:,} of {words.format_count(planned, 'image')}"
    if images.saved is not None and images.saved < made:
        text += f", {images.saved:,} saved"
    return text


def _count_recorded(view: RunView) -> str:
    """The run file learns the number at the end; until then its manifests tell."""
    recorded = sum(1 for m in view.manifests if m.role in (None, "final") and m.stage != "grid")
    return f"{words.format_count(recorded, 'image')} so far" if recorded else ""


def _facts(run: Run) -> list[Fact]:
    facts = [
        Fact("Finished", words.format_moment(run.finished_at)),
        Fact("Made from", run.parent.name or "", run.parent) if run.parent and run.parent.run_id else None,
        Fact("User", run.user or ""),
        Fact("Planned", words.format_value(run.images.planned)),
        Fact("Returned", words.format_value(run.images.returned)),
        Fact("Saved", words.format_value(run.images.saved)),
        Fact("Models", _describe_models(run.models)),
        Fact("Can be re-run", _describe_replay(run)),
        Fact("Environment", (run.environment or "")[:_SHORT_DIGEST]),
        Fact("Job", run.job_id or ""),
        Fact("Concluded", ", ".join(run.inferred)),
    ]
    return [fact for fact in facts if fact and (fact.value or fact.link)]


def _describe_models(models: list[Json]) -> str:
    """Every model of the run with what it is; the checkpoint needs no word."""
    parts = []
    for model in models:
        kind = "" if model.get("kind") == "checkpoint" else f" ({words.format_value(model.get('kind'))})"
        parts.append(f"{words.format_value(model.get('name'))}{kind}")
    return ", ".join(parts)


def _describe_replay(run: Run) -> str:
    if run.replayable is None:
        return ""
    if run.replayable:
        return "yes"
    return f"no: {run.not_replayable_because}" if run.not_replayable_because else "no"


def _describe_error(error: RunError | None) -> str | None:
    if error is None:
        return None
    where = f" in {words.format_stage(error.stage)}" if error.stage else ""
    what = ": ".join(part for part in (error.type, error.message) if part)
    return f"Failed{where}: {what}" if what else f"Failed{where}."
