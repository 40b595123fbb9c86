"""One job, from where it is to its end: pass after pass through the port, what is done noted after each."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Callable, Protocol

from lib_sdpipe.conduct.pictures import Pictures
from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pipeline.build import build_request
from lib_sdpipe.pipeline.chain import Step, next_step
from lib_sdpipe.pipeline.port import HostPort, PassOutcome, PassRequest, RunStart
from lib_sdpipe.pipeline.records import DonePass, Job
from lib_sdpipe.pipeline.request_codec import parse_request
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.runs import RunStore

_BREAKS_OFF = ("interrupted", "stopped")


class Ending(Protocol):
    """What is done once all passes of a job have been made; the run is still open. Answers the run's `replay` and a sentence."""

    def __call__(self, work: JobWork) -> tuple[Json | None, str | None]: ...


@dataclass
class JobWork:
    """`save` notes changes of the job in the queue; `may_go_on` waits while somebody generates by hand: False to break off."""

    layout: Layout
    port: HostPort
    job: Job
    save: Callable[[Json], Job]
    may_go_on: Callable[[], bool]
    ending: Ending
    step: Step | None = None
    pictures: Pictures = field(init=False)

    def __post_init__(self) -> None:
        self.pictures = Pictures(self.layout)
        self._store = RunStore(self.layout)

    @property
    def run_id(self) -> str:
        assert self.job.run_id is not None
        return self.job.run_id

    def run(self) -> Json:
        """Do it; the changes with which the job ends. What cannot be done is told in them, not raised."""
        try:
            self._begin()
        except (SdPipeError, OSError) as fault:
            return _ended("failed", error=_error_of(None, fault))
        cut_short, error = self._make_passes()
        if cut_short is None and error is None:
            return self._finish()
        self.port.close_run(self.run_id, cut_short, error, None)
        return _ended("failed" if error else "interrupted", error=error)

    # --- parts ---

    def _begin(self) -> None:
        job = self.job
        if job.run_id is not None:
            self.port.reopen_run(job.run_id, job.planned or 0)
            return
        run_id = self.port.open_run(RunStart(
            label=job.label or "", stage=_first_stage(job), config=build_config(job), user=job.user, planned=job.planned or 0,
            replay_of=job.replay_of,
        ))
        self.job = self.save({"run_id": run_id})

    def _make_passes(self) -> tuple[str | None, Json | None]:
        """How it broke off, if it did: (cut short, error)."""
        while (step := next_step(self.job)) is not None:
            self.step = step
            if not self.may_go_on():
                return "interrupted", None
            try:
                request = self._build(step)
                outcome = self.port.run_pass(self.run_id, request, self.pictures.find)
                self.port.wait_recorded()
            except (SdPipeError, OSError) as fault:
                return None, _error_of(self._stage_of(step), fault)
            if outcome.error is not None:
                return None, {"stage": self._stage_of(step), **outcome.error}
            if outcome.cut_short in _BREAKS_OFF:
                return outcome.cut_short, None
            if not outcome.images and outcome.cut_short is None:
                return None, {"stage": self._stage_of(step), "type": None, "message": "the host returned no image"}
            self._note(step, outcome)
        return None, None

    def _note(self, step: Step, outcome: PassOutcome) -> None:
        for image in outcome.images:
            self.pictures.hold(self.run_id, image.name, image.picture)
        done = DonePass(
            stage=step.stage, input=step.input, images=[image.name for image in outcome.images], seconds=round(outcome.seconds, 3),
        )
        self.job = self.save({"done": [*self.job.done, done]})

    def _finish(self) -> Json:
        try:
            replay, message = self.ending(self)
        except (SdPipeError, OSError) as fault:
            error = _error_of(None, fault)
            self.port.close_run(self.run_id, None, error, None)
            return _ended("failed", error=error)
        self.port.close_run(self.run_id, None, None, replay)
        return _ended("done", replay=replay, message=message)

    def _build(self, step: Step) -> PassRequest:
        mark: Json = {"stage": step.stage, "input": step.input}
        if self.job.requests:
            return replace(parse_request(self.job.requests[int(step.input)]), step=mark)
        item = self.job.items[int(step.input)] if step.is_first else None
        link = item.source if item is not None else ImageLink(run_id=self.run_id, name=step.input)
        source = self._read(link) if link is not None else None
        return replace(build_request(self.job.stages[step.stage], item, source), step=mark)

    def _read(self, link: ImageLink) -> Manifest:
        return self._store.read_manifest(link.run_id or "", link.name or "")

    def _stage_of(self, step: Step) -> str | None:
        return self.job.stages[step.stage].stage if self.job.stages else _first_stage(self.job)


def build_config(job: Job) -> Json:
    """What the run of a job was asked, as its `config`."""
    if not job.requests:
        return {
            "endpoint": "chain", "items": [_without_nulls(item.to_json()) for item in job.items],
            "stages": [stage.to_json() for stage in job.stages],
        }
    asked = [{"stage": request["stage"], "config": request["config"]} for request in job.requests]
    return dict(asked[0]["config"]) if len(asked) == 1 else {"endpoint": "requests", "requests": asked}


def _first_stage(job: Job) -> str:
    stage = job.requests[0].get("stage") if job.requests else job.stages[0].stage if job.stages else None
    return stage or "img2img"


def _without_nulls(value: Json) -> Json:
    return {name: each for name, each in value.items() if each not in (None, {})}


def _ended(status: str, error: Json | None = None, replay: Json | None = None, message: str | None = None) -> Json:
    return {"status": status, "finished_at": format_utc(time.time()), "error": error, "replay": replay, "message": message}


def _error_of(stage: str | None, fault: Exception) -> Json:
    return {"stage": stage, "type": type(fault).__name__, "message": str(fault)}
