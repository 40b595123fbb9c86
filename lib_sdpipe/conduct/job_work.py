"""One job, from where it is to its end: pass after pass through the port, what is done noted in the queue."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Callable, Protocol

from PIL import Image

from lib_sdpipe.conduct.pictures import Pictures
from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pipeline.build import build_request
from lib_sdpipe.pipeline.chain import Step, next_step
from lib_sdpipe.pipeline.port import HostPort, PassOutcome, PassRequest, RunStart
from lib_sdpipe.pipeline.recorded_passes import find_recorded
from lib_sdpipe.pipeline.records import DonePass, Job
from lib_sdpipe.pipeline.request_codec import parse_request
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.runs import RunStore

_BREAKS_OFF = ("interrupted", "stopped")
# What has been made is noted in the queue this seldom, and so that noting takes one part in so many of the time: the queue may be
# long, and a chain that goes on after its process died finds what was made by its records.
_NOTE_SECONDS = 5.0
_NOTE_SHARE = 100


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
        self._note_at = time.monotonic() + _NOTE_SECONDS
        self._recorded: dict[Step, DonePass] = {}

    @property
    def run_id(self) -> str:
        assert self.job.run_id is not None
        return self.job.run_id

    def run(self) -> Json:
        """Do it; the changes with which the job ends. What cannot be done is told in them, not raised."""
        try:
            self._begin()
        except (SdPipeError, OSError) as fault:
            return self._ended("failed", error=_error_of(None, fault))
        cut_short, error = self._make_passes()
        if cut_short is None and error is None:
            return self._finish()
        try:
            self.port.wait_recorded()
        except SdPipeError as fault:
            error = error or _error_of(None, fault)
        self.port.close_run(self.run_id, cut_short, error, None)
        return self._ended("failed" if error else "interrupted", error=error)

    # --- parts ---

    def _begin(self) -> None:
        job = self.job
        if job.run_id is not None:
            self.port.reopen_run(job.run_id, job.planned or 0)
            if job.stages:
                manifests = self._store.iter_manifests(job.run_id)
                self._recorded = find_recorded(job, [one for one in manifests if isinstance(one, Manifest)])
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
            if step in self._recorded:
                self._add(self._recorded[step])
                continue
            if not self.may_go_on():
                return "interrupted", None
            try:
                request = self._build(step)
                outcome = self.port.run_pass(self.run_id, request, self._find)
            except (SdPipeError, OSError) as fault:
                return None, _error_of(self._stage_of(step), fault)
            if outcome.error is not None:
                return None, {"stage": self._stage_of(step), **outcome.error}
            if outcome.cut_short in _BREAKS_OFF:
                return outcome.cut_short, None
            if not outcome.images and outcome.cut_short is None:
                return None, {"stage": self._stage_of(step), "type": None, "message": "the host returned no image"}
            try:
                self._note(step, outcome)
            except (SdPipeError, OSError) as fault:
                return None, _error_of(self._stage_of(step), fault)
        return None, None

    def _note(self, step: Step, outcome: PassOutcome) -> None:
        """Of a chain now and then, of requests always: which of their images is compared with which stands nowhere else."""
        for image in outcome.images:
            self.pictures.hold(self.run_id, image.name, image.picture)
        self._add(DonePass(
            stage=step.stage, input=step.input, images=[image.name for image in outcome.images], seconds=round(outcome.seconds, 3),
        ))
        began = time.monotonic()
        if self.job.stages and began < self._note_at:
            return
        self.port.wait_recorded()
        self.job = self.save({"done": self.job.done})
        ended = time.monotonic()
        self._note_at = ended + max(_NOTE_SECONDS, _NOTE_SHARE * (ended - began))

    def _add(self, done: DonePass) -> None:
        self.job = self.job.copy(update={"done": [*self.job.done, done]})

    def _finish(self) -> Json:
        try:
            self.port.wait_recorded()
            replay, message = self.ending(self)
        except (SdPipeError, OSError) as fault:
            error = _error_of(None, fault)
            self.port.close_run(self.run_id, None, error, None)
            return self._ended("failed", error=error)
        self.port.close_run(self.run_id, None, None, replay)
        return self._ended("done", replay=replay, message=message)

    def _build(self, step: Step) -> PassRequest:
        mark: Json = {"stage": step.stage, "input": step.input}
        if self.job.requests:
            return replace(parse_request(self.job.requests[int(step.input)]), step=mark)
        item = self.job.items[int(step.input)] if step.is_first else None
        link = item.source if item is not None else ImageLink(run_id=self.run_id, name=step.input)
        source = self._read(link) if link is not None else None
        return replace(build_request(self.job.stages[step.stage], item, source), step=mark)

    def _read(self, link: ImageLink) -> Manifest:
        """What was made a moment ago, without waiting for the disk."""
        run_id, name = link.run_id or "", link.name or ""
        picture = self.pictures.find_made(run_id, name)
        promised = self.port.promised(run_id, name) if picture is not None else None
        if picture is None or promised is None:
            if run_id == self.run_id:
                self.port.wait_recorded()
            return self._store.read_manifest(run_id, name)
        return Manifest.parse_obj({**promised, "image": {"width": picture.width, "height": picture.height}})

    def _find(self, reference: Json) -> Image.Image:
        link = reference.get("$image")
        is_ours = isinstance(link, dict) and link.get("run_id") == self.run_id
        if is_ours and self.pictures.find_made(self.run_id, str(link.get("name"))) is None:
            self.port.wait_recorded()  # there was no room to keep it
        return self.pictures.find(reference)

    def _ended(self, status: str, error: Json | None = None, replay: Json | None = None, message: str | None = None) -> Json:
        return {
            "status": status, "finished_at": format_utc(time.time()), "error": error, "replay": replay, "message": message,
            "done": self.job.done,
        }

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


def _error_of(stage: str | None, fault: Exception) -> Json:
    return {"stage": stage, "type": type(fault).__name__, "message": str(fault)}
