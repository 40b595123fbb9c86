"""The chain after a press of Generate: its stages on each of the pass's images, in the same run, task and turn of the host.

Called in the `postprocess` hook of the pass: the host's lock is held by its own job and never taken here.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field, replace
from typing import Any

from PIL import Image

from modules import shared

from lib_sdpipe.conduct.pictures import Pictures
from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts import settings
from lib_sdpipe.hosts.frames import Frame, never_raises
from lib_sdpipe.hosts.host_turn import read_cut
from lib_sdpipe.hosts.pipeline_port import PipelinePort
from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.session import Session
from lib_sdpipe.hosts.then_gallery import Shown, add_comment, add_to_gallery
from lib_sdpipe.manifest.records import ImageFacts, ImageLink, Json, Manifest
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pipeline.build import build_request, count_batches, count_planned
from lib_sdpipe.pipeline.chain import Step, iter_known_steps, next_step
from lib_sdpipe.pipeline.port import PassOutcome
from lib_sdpipe.pipeline.records import DonePass, Item, Stage
from lib_sdpipe.pipeline.records import Job as QueueJob
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.workspace.jobs import put_broken
from lib_sdpipe.workspace.workspace import Workspace

_BREAKS_OFF = ("interrupted", "stopped")


class ThenChain:
    """One a process. What it does for a run that broke off it leaves in the queue, to be resumed."""

    def __init__(self, session: Session, port: PipelinePort) -> None:
        self._session = session
        self._port = port
        self._work: _Work | None = None

    @property
    def recorder(self) -> Recorder:
        return self._session.recorder

    @never_raises
    def before_process_batch(self, p: Any, iteration: int) -> None:
        """The host knows by now how many batches the pass has: its bar is told of those that come after."""
        frame = self._outermost(p)
        if frame is None or frame.job is None or iteration != 0 or not _goes_on(frame.job, p):
            return
        shared.state.job_count = max(shared.state.job_count, 0) + count_batches(frame.job.then, p.batch_size * p.n_iter)
        shared.state.processing_has_refined_job_count = True

    @never_raises
    def postprocess(self, p: Any, processed: Any) -> None:
        """ADetailer calls this in mid-pass, with copies; only the pass's own object and its own end count."""
        frame = self._outermost(p)
        if frame is None or frame.job is None or not frame.job.then or frame.has_gone_on or not getattr(processed, "images", None):
            return
        frame.has_gone_on = True
        if not _goes_on(frame.job, p):
            frame.job.note_models([], ["The recipe was not run on the pieces that the script puts together."])
            return
        self._session.saves.flush_unsaved(frame)
        sources = self._sources(frame.job, processed)
        if self._work is None or self._work.job is not frame.job:
            layout = self._session.recorder.desk.layout if self._session.recorder.desk is not None else None
            if layout is None:
                return
            self._work = _Work(frame.job, self._port, Pictures(layout), self._session, getattr(p, "user", None))
        self._work.is_saved = not p.do_not_save_samples
        # A script makes its own gallery of what its passes return.
        self._work.go_on(sources, None if frame.job.has_script else processed)
        if self._work.broke_off is not None:
            put_broken(self._work.pictures.layout, self._work.broke_off)

    def _outermost(self, p: Any) -> Frame | None:
        frame = self._session.frames.recorded(p)
        return frame if frame is not None and frame is self._session.frames.here()[0] else None

    def _sources(self, job: Job, processed: Any) -> list[tuple[str, Image.Image]]:
        """The finished images of the pass, no grids and masks, and none whose sampling was cut short."""
        found: dict[str, Image.Image] = {}
        for picture in processed.images:
            name = self._session.known.name_of(picture)
            made = job.made(name) if name is not None else {}
            is_final = made.get("role") == "final" and made.get("stage") != "grid"
            if name is not None and is_final and not (made.get("config") or {}).get("incomplete"):
                found[name] = picture
        return list(found.items())


def _goes_on(job: Job, p: Any) -> bool:
    """Pieces that a script puts together are nobody's images; it has them not saved."""
    return bool(job.then) and not (job.has_script and p.do_not_save_samples)


@dataclass
class _Work:
    """The chain of one run. `todo` has the form of a job of the queue, so that it can go on from where it broke off."""

    job: Job
    port: PipelinePort
    pictures: Pictures
    session: Session
    user: str | None
    is_saved: bool = True
    broke_off: QueueJob | None = None
    todo: QueueJob = field(init=False)

    def __post_init__(self) -> None:
        now = format_utc(time.time())
        self.todo = QueueJob(
            id=uuid.uuid4().hex, kind="chain", label=self.job.options.label or None, user=self.user, created_at=now, started_at=now,
            run_id=self.job.run_id, stages=list(self.job.then),
        )

    def go_on(self, sources: list[tuple[str, Image.Image]], processed: Any) -> None:
        """All stages on these images. Once the chain has broken off, what comes later is only added to what is left."""
        if not sources:
            return
        items = [Item(source=ImageLink(run_id=self.job.run_id, name=name)) for name, _ in sources]
        for name, picture in sources:
            self.pictures.hold(self.job.run_id, name, picture)
        self.todo = self.todo.copy(update={"items": [*self.todo.items, *items]})
        begun = len(self.job.passes)
        self.job.plan_more(count_planned(self.todo.stages, items))
        try:
            broke = (self.broke_off.status, None) if self.broke_off is not None else self._make_passes(processed)
        finally:
            for one in self.job.passes[begun:]:
                one.is_nested = True  # also those that upscaled, which the host knows nothing of
                self.job.plan_more(-one.planned)
            shared.state.textinfo = None
            self.pictures = Pictures(self.pictures.layout)  # what is held is let go
        if broke is not None:
            self._break_off(broke[0] or "failed", broke[1], processed)

    def _make_passes(self, processed: Any) -> tuple[str, Json | None] | None:
        """How it broke off, if it did: (status, error)."""
        while (step := next_step(self.todo)) is not None:
            if read_cut() in _BREAKS_OFF:
                return "interrupted", None
            shared.state.skipped = False  # that was for the batch before
            shared.state.textinfo = self._describe(step)
            stage = self.todo.stages[step.stage]
            try:
                outcome = self._make(step, stage)
            except (SdPipeError, OSError) as fault:
                return "failed", {"stage": stage.stage, "type": type(fault).__name__, "message": str(fault)}
            add_to_gallery(processed, [Shown(image.picture, image.infotext, self.job.made(image.name)) for image in outcome.images])
            if outcome.error is not None:
                return "failed", {"stage": stage.stage, **outcome.error}
            if outcome.cut_short in _BREAKS_OFF:
                return "interrupted", None
            if not outcome.images and outcome.cut_short is None:
                return "failed", {"stage": stage.stage, "type": None, "message": "the host returned no image"}
            self._note(step, outcome)
        return None

    def _make(self, step: Step, stage: Stage) -> PassOutcome:
        name = self.todo.items[int(step.input)].source.name if step.is_first else step.input  # type: ignore[union-attr]
        request = build_request(stage, None, self._manifest(name or ""), {"stage": step.stage, "input": name})
        if not self.is_saved:
            request = replace(request, save=())
        return self.port.run_nested(request, self._find, self.user, is_counted=True)

    def _note(self, step: Step, outcome: PassOutcome) -> None:
        """An image whose sampling was skipped is none to go on from."""
        whole = [image for image in outcome.images if not (self.job.made(image.name).get("config") or {}).get("incomplete")]
        for image in whole:
            self.pictures.hold(self.job.run_id, image.name, image.picture)
        done = DonePass(stage=step.stage, input=step.input, images=[image.name for image in whole], seconds=round(outcome.seconds, 3))
        self.todo = self.todo.copy(update={"done": [*self.todo.done, done]})

    def _break_off(self, status: str, error: Json | None, processed: Any) -> None:
        error = hide_home(error)
        if error is not None:
            self.job.note_error(str(error.get("message")), error.get("type"), error.get("stage"))
            told = f"SDPipe: the stage {error.get('stage')} failed: {error.get('message')}"
            add_comment(processed, f"{told.rstrip('.')}. What is left can be resumed in Runs, Pipelines.")
        if status == "interrupted":
            self.job.note_interrupted(True)
        error = error or (self.broke_off.error.to_json() if self.broke_off is not None and self.broke_off.error is not None else None)
        self.broke_off = QueueJob.parse_obj({
            **self.todo.to_json(), "status": status, "finished_at": format_utc(time.time()), "error": error,
            "planned": self.job.count_planned(),
        })

    def _find(self, reference: Json) -> Image.Image:
        """Of other runs only what whoever pressed Generate may see: anybody can write a recipe."""
        link = reference.get("$image")
        run_id = link.get("run_id") if isinstance(link, dict) else None
        if run_id is not None and run_id != self.job.run_id and settings.shows_own_runs_only():
            Workspace(self.pictures.layout, viewer=self.user).check_sees(str(run_id))
        elif run_id is not None and self.pictures.find_made(self.job.run_id, str(link.get("name"))) is None:
            self.port.wait_recorded()  # there was no room to keep it
        return self.pictures.find(reference)

    def _manifest(self, name: str) -> Manifest:
        """As it will stand on disk, as far as requests need it."""
        picture = self.pictures.find_made(self.job.run_id, name)
        manifest = Manifest.parse_obj(self.job.made(name))
        return manifest.copy(update={"image": ImageFacts(width=picture.width, height=picture.height)}) if picture is not None else manifest

    def _describe(self, step: Step) -> str:
        """For the host's own bar."""
        stages = self.todo.stages
        known = [one for one in iter_known_steps(self.todo) if one.stage == step.stage]
        return f"Stage {step.stage + 1} of {len(stages)} ({stages[step.stage].stage}), image {known.index(step) + 1} of {len(known)}:"
