"""The open run as facts and sentences. No gradio and no HTML here: `markup` makes the page's text of these."""

from __future__ import annotations

from dataclasses import dataclass, field

from lib_sdpipe.manifest.records import Json, Manifest, Run, RunError
from lib_sdpipe.ui import words
from lib_sdpipe.ui.field_names import list_fields
from lib_sdpipe.ui.run.stages import Bar, present_run_timings
from lib_sdpipe.ui.run.verdict import VerdictView, present_verdict
from lib_sdpipe.ui.words import Fact, Status
from lib_sdpipe.workspace import RunView

_SHORT_DIGEST = 16


@dataclass(frozen=True)
class RunFacts:
    """What is shown of one run above its images."""

    run_id: str
    label: str
    status: Status
    summary: list[str]
    facts: list[Fact]
    timings: list[Bar] = field(default_factory=list)
    error: str | None = None
    problems: list[str] = field(default_factory=list)
    verdict: VerdictView | None = None


def present_run(view: RunView) -> RunFacts:
    run = view.run or Run(run_id=view.run_id)
    status = words.format_status(run.status) if view.run else words.UNREADABLE
    started = run.started_at or run.timestamp
    summary = [
        words.format_moment(started),
        words.format_span(started, run.finished_at),
        _count_recorded(view) if run.status == "running" else words.count_images(run.images, run.status),
        words.list_stages([m.stage for m in view.manifests]),
        words.format_source(run.source),
    ]
    return RunFacts(
        view.run_id, run.label or words.format_label(view.run_id), status, [text for text in summary if text],
        _facts(run), present_run_timings(run, view.manifests), _describe_error(run.error), [*run.warnings, *view.problems],
        present_verdict(run.replay),
    )


def first_choice(manifests: list[Manifest]) -> str | None:
    """The image to show of a run that was just opened: the first final one, else the first of all."""
    for manifest in manifests:
        if manifest.role in (None, "final") and manifest.stage != "grid" and manifest.name:
            return manifest.name
    return next((manifest.name for manifest in manifests if manifest.name), None)


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
        Fact("Concluded", list_fields(run.inferred)),
    ]
    return [fact for fact in facts if fact and (fact.value or fact.link)]


def _describe_models(models: list[Json]) -> str:
    """Every model of the run with what it is; the checkpoint needs no word."""
    parts = []
    for model in models:
        kind = "" if model.get("kind") == "checkpoint" else f" ({words.format_value(model.get('kind'))})"
        digest = f" [{words.format_value(model.get('hash'))}]" if model.get("hash") else ""
        parts.append(f"{words.format_value(model.get('name'))}{digest}{kind}")
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
