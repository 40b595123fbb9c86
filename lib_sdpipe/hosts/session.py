"""From the host's hooks to the recorder: jobs and passes. One session a process; it outlives Reload UI.

Every public method is called on the generating thread (or the page's) and never raises into the host.
"""

from __future__ import annotations

import time
from typing import Any, Callable

from modules import shared

from lib_sdpipe.hosts.asked_and_used import read_warnings
from lib_sdpipe.hosts.extras_tab import ExtrasTab
from lib_sdpipe.hosts.frames import Frame, Frames, never_raises
from lib_sdpipe.hosts.image_values import read_pass
from lib_sdpipe.hosts.inner_passes import enter_inner, is_detailer_on, is_inner, leave_inner, note_hidden_detailer
from lib_sdpipe.hosts.jobs import Jobs, has_left_its_task, is_host_at_work, is_interrupted, read_claim
from lib_sdpipe.hosts.known_pictures import GridCalls, KnownPictures
from lib_sdpipe.hosts.output_folders import output_folders_of
from lib_sdpipe.hosts.own_pass import OwnPass
from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.saves import Saves
from lib_sdpipe.hosts.script_saves import ScriptSaves
from lib_sdpipe.hosts.used_models import read_models
from lib_sdpipe.hosts.variants import read_variant
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass
from lib_sdpipe.record.recorder import Recorder

_SAVE_BEFORE_HIRES = "save_images_before_highres_fix"


class Session:
    """All state between hooks."""

    def __init__(self) -> None:
        self.recorder = Recorder(self.is_host_busy, has_left_its_task)
        self.jobs = Jobs(self.recorder)
        # Set while a pass of the pipeline runs.
        self.own: OwnPass | None = None
        self.frames = Frames()
        self.known = KnownPictures()
        self._grids = GridCalls(self.known)
        self.extras_tab = ExtrasTab(self.jobs, self.frames)
        scripts = ScriptSaves(self.jobs, self.known, self._grids)
        self.saves = Saves(self.recorder, self.frames, self.known, scripts, self.extras_tab)

    def is_host_busy(self) -> bool:
        """A pass runs, the host says it has a job and holds its lock for it, or one is about to begin."""
        return self.frames.any_anywhere() or is_host_at_work() or self.jobs.is_loading()

    @never_raises
    def open_library(self) -> None:
        self.jobs.open_library()

    @never_raises
    def setup(self, p: Any) -> None:
        """The host has put a request together; nothing has changed it yet."""
        if not self.frames.here() and not is_inner(p):
            self.jobs.note_request(p)

    @never_raises
    def before_process(self, p: Any, arguments: tuple[Any, ...]) -> None:
        """The host is about to prepare a pass. ADetailer also calls this on copies in mid-pass: those are not ours."""
        if self.own is not None:
            self.own.options.cover(getattr(p, "override_settings", None) or {})
        if not self.frames.here() and not is_inner(p):
            self.jobs.announce(p, arguments)

    @never_raises
    def enter_pass(self, p: Any) -> None:
        frame = Frame(p, time.monotonic())
        standing = list(self.frames.here())
        outside = standing[:1]
        self.frames.push(frame)
        if any(other.p is p for other in standing):
            return  # the host's function is wrapped twice: another extension kept an older wrapper of ours
        if outside and is_inner(p):
            enter_inner(self.recorder, outside[0], frame)
            return
        frame.job = outside[0].job if outside else self.jobs.job_of_pass(p)
        if frame.job is not None:
            self._begin_pass(frame, frame.job)

    @never_raises
    def leave_pass(self, p: Any, error: BaseException | None, result: Any = None) -> None:
        frame = self.frames.pop(p)
        if frame is None:
            return
        if frame.put_back is not None:
            frame.put_back()
        outside = self.frames.here()[:1]
        if outside and is_inner(p):
            leave_inner(outside[0], frame, error)
        elif frame.job is not None and frame.outer is not None:
            self._end_pass(frame, frame.job, frame.outer, error, result)

    @never_raises
    def process(self, p: Any) -> None:
        frame = self.frames.recorded(p)
        if frame is not None and frame.job is not None and frame.job.options.write_run_id:
            p.extra_generation_params["Run ID"] = frame.job.run_id

    @never_raises
    def before_process_batch(self, p: Any, iteration: int) -> None:
        frame = self.frames.recorded(p)
        if frame is not None and frame.outer is not None:
            self.saves.flush_unsaved(frame)
            frame.outer.start_batch(iteration, p.batch_size * p.n_iter, time.monotonic())

    @never_raises
    def postprocess_batch_list(self, p: Any, images: list[Any]) -> None:
        frame = self.frames.recorded(p)
        if frame is not None and frame.outer is not None:
            cut_short = "interrupted" if shared.state.interrupted else "skipped" if shared.state.skipped else None
            frame.outer.finish_batch(len(images), time.monotonic(), cut_short)
            if self.own is not None and cut_short == "skipped":
                self.own.is_skipped = True
            frame.decoded = list(images) if is_detailer_on(p) else []

    @never_raises
    def after_composite(self, p: Any, picture: Any) -> None:
        """One image is finished; the host saves it next, or not at all."""
        frame = self.frames.recorded(p)
        if frame is not None and frame.outer is not None:
            self.saves.flush_unsaved(frame)
            frame.outer.composite(getattr(p, "batch_index", None) or 0)
            note_hidden_detailer(self.recorder, frame, picture)
            frame.unsaved = frame.finished = picture

    def _begin_pass(self, frame: Frame, job: Job) -> None:
        self._grids.clear()
        if not job.passes:
            self.known.clear()
        job.folders = output_folders_of(frame.p)
        frame.outer = job.start_pass(read_pass(frame.p))
        self.saves.forget_failed()
        frame.outer.is_nested = frame is not self.frames.here()[0]
        self._note_variant(frame, frame.outer, job)
        self._send_inputs(frame, frame.outer, job)
        if job.options.keep_stages and getattr(frame.p, "enable_hr", False):
            frame.put_back = _save_before_hires()

    def _end_pass(self, frame: Frame, job: Job, outer: Pass, error: BaseException | None, result: Any) -> None:
        self.saves.flush_unsaved(frame)
        self.saves.record_returned(frame, result)
        failure = {"stage": outer.facts.stage, "type": type(error).__name__, "message": str(error)} if error else None
        job.end_pass(outer, is_interrupted(), hide_home(failure))
        self._note_models(frame, job)
        self.recorder.note_event()

    @never_raises
    def _note_variant(self, frame: Frame, outer: Pass, job: Job) -> None:
        """By itself behind the door: it reads another program's variables. What comes after a pass has that of its image."""
        if not outer.is_nested:
            first = self.own.first if self.own is not None else 0
            frame.variant = read_variant(sum(1 for one in job.passes[first:outer.number] if not one.is_nested))

    @never_raises
    def _note_models(self, frame: Frame, job: Job) -> None:
        """By itself behind the door: what a host says of its models differs most between versions."""
        warnings = read_warnings(frame.p, self.own.config if self.own is not None else job.config, job.options.prompts)
        job.note_models(read_models(frame.p), hide_home(warnings))

    def _send_inputs(self, frame: Frame, outer: Pass, job: Job) -> None:
        """The input pictures of a pass. Decoded here: two threads must not decode one file."""
        firstpass = getattr(frame.p, "firstpass_image", None)
        pictures = getattr(frame.p, "init_images", None) or ([firstpass] if firstpass is not None else [])
        mask = getattr(frame.p, "image_mask", None)
        for number, picture in enumerate(pictures[: max(1, frame.p.batch_size)]):
            if hasattr(picture, "load"):
                picture.load()
                beside = {"parent": picture}
                if number == 0 and hasattr(mask, "load"):
                    mask.load()
                    beside["mask"] = mask
                self.recorder.promise(job.pass_line(outer, number, read_claim(picture)), Extras(beside))


def _save_before_hires() -> Callable[[], Any] | None:
    """Have the host save the picture before hires fix during this pass; the call that puts its option back.

    None where the host saves it anyway. The settings themselves are left as they are, since somebody may save them
    meanwhile: the hosts look an option up among them only where the object has no attribute of that name.
    """
    if getattr(shared.opts, _SAVE_BEFORE_HIRES, False):
        return None
    attributes = vars(shared.opts)
    attributes[_SAVE_BEFORE_HIRES] = True
    return lambda: attributes.pop(_SAVE_BEFORE_HIRES, None)
