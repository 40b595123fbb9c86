"""The queue as a page shows it: what is made now and how far it is, what waits, what has ended. No gradio and no HTML here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.conduct.conductor import Working
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.build import count_images
from lib_sdpipe.pipeline.chain import Step, iter_known_steps
from lib_sdpipe.pipeline.records import Job, Queue, Stage
from lib_sdpipe.ui import words
from lib_sdpipe.ui.words import Status

# Small pictures of what a job has made so far.
MOST_MADE = 12
_KINDS = {"chain": "Chain", "rerun": "Made again", "regenerate": "Regenerate", "release": "Release space"}
_STATUSES = {
    "waiting": Status("unknown", "…", "Waiting"), "running": Status("running", "▶", "Running"), "done": Status("completed", "✓", "Done"),
    "interrupted": Status("interrupted", "■", "Interrupted"), "failed": Status("failed", "✕", "Failed"),
    "cancelled": Status("unknown", "⊘", "Cancelled"),
}


@dataclass(frozen=True)
class JobView:
    """One entry. `run_id` opens its run, if it has begun; `can_resume`: it broke off, and can go on from where it was."""

    id: str
    title: str
    kind: str
    status: Status
    facts: list[str]
    run_id: str | None = None
    message: str = ""
    error: str = ""
    verdict: Status | None = None
    can_resume: bool = False


@dataclass(frozen=True)
class WorkingView:
    """The job that is made now. `share` from 0 to 1, None where nobody knows; `made` are names of images of its run."""

    job: JobView
    steps: list[str]
    share: float | None
    left: str
    made: list[str]
    more: int
    is_here: bool
    is_waiting: bool
    is_stopping: bool


@dataclass(frozen=True)
class QueueView:
    """Ended jobs come newest first."""

    working: list[WorkingView] = field(default_factory=list)
    waiting: list[JobView] = field(default_factory=list)
    ended: list[JobView] = field(default_factory=list)
    is_paused: bool = False


def present_queue(queue: Queue, working: Working | None, seconds_left: float | None) -> QueueView:
    """`seconds_left` is that of the job which is made here."""
    running = [job for job in queue.jobs if job.status == "running"]
    ended = [job for job in queue.jobs if job.status not in ("running", "waiting")]
    ended.sort(key=lambda job: job.finished_at or "", reverse=True)
    return QueueView(
        [_present_working(job, working if working is not None and working.job.id == job.id else None, seconds_left) for job in running],
        [present_job(job) for job in queue.jobs if job.status == "waiting"], [present_job(job) for job in ended], queue.paused,
    )


def present_job(job: Job) -> JobView:
    stages = list_stages(job)
    facts = [
        _KINDS.get(job.kind or "", job.kind or ""), stages if job.label else "", _count_sources(job),
        words.format_count(job.planned, "image") if job.planned else "", job.user or "",
        words.format_span(job.started_at, job.finished_at) if job.finished_at else "",
        words.format_moment(job.finished_at) if job.finished_at else "",
    ]
    return JobView(
        job.id or "", job.label or stages or _KINDS.get(job.kind or "", "Job"), job.kind or "",
        _STATUSES.get(job.status or "") or words.format_status(job.status), [text for text in facts if text], job.run_id,
        job.message or "", describe_error(job), present_verdict(job.replay), job.status in ("interrupted", "failed", "cancelled"),
    )


def present_verdict(replay: Json | None) -> Status | None:
    """Of a re-run, once it has one."""
    verdict = replay.get("verdict") if isinstance(replay, dict) else None
    return words.format_verdict(verdict) if isinstance(verdict, str) else None


def describe_error(job: Job) -> str:
    """Why it broke off; empty for one that did not fail."""
    if job.error is None:
        return ""
    where = f"in {words.format_stage(job.error.stage)}" if job.error.stage else ""
    what = ": ".join(part for part in (job.error.type if job.error.type != "RuntimeError" else "", job.error.message) if part)
    return ": ".join(part for part in (where, what) if part)


def list_stages(job: Job) -> str:
    """`txt2img → img2img → upscale`."""
    names = [stage.stage for stage in job.stages] or list(dict.fromkeys(_stage_of(request) for request in job.requests))
    return " → ".join(words.format_stage(name) for name in names)


def _stage_of(request: Json) -> str | None:
    found: Any = request.get("stage")
    return found if isinstance(found, str) else None


def _count_sources(job: Job) -> str:
    sources = sum(1 for item in job.items if item.source is not None)
    prompts = sum(1 for item in job.items if item.variant is not None)
    return words.format_count(sources, "source image") if sources else words.format_count(prompts, "prompt") if prompts else ""


def _present_working(job: Job, working: Working | None, seconds_left: float | None) -> WorkingView:
    made = [name for each in job.done for name in each.images]
    step = working.step if working is not None else None
    share = working.progress.share if working is not None else 0.0
    return WorkingView(
        present_job(job), _describe_steps(job, step, working), _overall(job, share, len(made)),
        words.format_duration(seconds_left * 1000) if working is not None and seconds_left is not None else "",
        made[-MOST_MADE:], max(0, len(made) - MOST_MADE), working is not None,
        working is not None and working.is_waiting, working is not None and working.is_stopping,
    )


def _describe_steps(job: Job, step: Step | None, working: Working | None) -> list[str]:
    """`Stage 2 of 4`, `img2img`, `image 3 of 8`."""
    if step is None:
        return []
    of_stage = [known for known in iter_known_steps(job) if known.stage == step.stage]
    stage, at_once = _pass_of(job, step)
    before = sum(len(each.images) for each in job.done if each.stage == step.stage)
    total = max(len(of_stage) * at_once, before + at_once)
    texts = [
        f"Stage {step.stage + 1} of {len(job.stages)}" if len(job.stages) > 1 else "", words.format_stage(stage),
        f"image {before + 1:,} of {total:,}" if at_once == 1 else f"images {before + 1:,} to {before + at_once:,} of {total:,}",
        working.progress.text if working is not None else "",
    ]
    return [text for text in texts if text]


def _pass_of(job: Job, step: Step) -> tuple[str | None, int]:
    """The stage of a pass, and how many images it makes."""
    if job.requests:
        request = job.requests[int(step.input)] if step.input.isdigit() and int(step.input) < len(job.requests) else {}
        config = request.get("config")
        return _stage_of(request), count_images(config) if isinstance(config, dict) else 1
    stage = job.stages[step.stage] if step.stage < len(job.stages) else Stage()
    return stage.stage, 1 if stage.stage in ("upscale", "adetailer") else count_images(stage.settings)


def _overall(job: Job, share: float, made: int) -> float | None:
    """By images where it is known how many there will be, else by passes."""
    firsts = len(job.requests) or len(job.items)
    if job.planned:
        per_pass = made / len(job.done) if job.done else job.planned / max(1, firsts * max(1, len(job.stages)))
        return min(1.0, (made + share * per_pass) / job.planned)
    return min(1.0, (len(job.done) + share) / firsts) if firsts and len(job.stages) <= 1 else None
