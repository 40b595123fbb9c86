"""From the host's hooks to the recorder: jobs and passes. One session a process; it outlives Reload UI.

Every public method is called on the generating thread (or the page's) and never raises into the host.
"""

from __future__ import annotations

import functools
import time
from dataclasses import dataclass
from typing import Any, Callable

from modules import progress, shared

from lib_sdpipe.hosts import settings
from lib_sdpipe.hosts.controls import read_options
from lib_sdpipe.hosts.environment import read_environment
from lib_sdpipe.hosts.frames import Frame, Frames, never_raises
from lib_sdpipe.hosts.image_values import read_pass, stage_of
from lib_sdpipe.hosts.inner_passes import enter_inner, is_inner, leave_inner
from lib_sdpipe.hosts.output_folders import read_output_folders
from lib_sdpipe.hosts.request import PictureBox, read_request
from lib_sdpipe.hosts.saves import Saves
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import JobKey, RunOptions
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.layout import find_layout

_SAVE_BEFORE_HIRES = "save_images_before_highres_fix"
_LONGEST_LOADING_SECONDS = 60.0


@dataclass(frozen=True)
class _Announced:
    """A pass whose before_process was seen and whose main loop has not begun."""

    p: Any
    arguments: tuple[Any, ...]
    job: Job | None
    at: float


class Session:
    """All state between hooks."""

    def __init__(self) -> None:
        self.recorder = Recorder(self.is_host_busy)
        self._frames = Frames()
        self.saves = Saves(self.recorder, self._frames)
        self._announced: _Announced | None = None

    def is_host_busy(self) -> bool:
        """A pass runs, the host says it has a job, or a pass was announced and a model may be loading for it."""
        announced = self._announced
        loading = announced is not None and announced.job is not None and time.monotonic() - announced.at < _LONGEST_LOADING_SECONDS
        return self._frames.any_anywhere() or bool(getattr(shared.state, "job", "")) or loading

    @never_raises
    def open_library(self) -> None:
        """Use the runs folder that the settings name now."""
        self.recorder.open_library(find_layout(settings.runs_folder(), settings.cache_folder()), read_output_folders())

    @never_raises
    def before_process(self, p: Any, arguments: tuple[Any, ...]) -> None:
        """The host is about to prepare a pass. ADetailer also calls this on copies in mid-pass: those are not ours."""
        if not self._frames.here() and not is_inner(p):
            self._announced = _Announced(p, arguments, self._join_job(p, arguments), time.monotonic())

    @never_raises
    def enter_pass(self, p: Any) -> None:
        frame = Frame(p, time.monotonic())
        standing = list(self._frames.here())
        outside = standing[:1]
        self._frames.push(frame)
        if any(other.p is p for other in standing):
            return  # the host's function is wrapped twice: another extension kept an older wrapper of ours
        if outside and is_inner(p):
            enter_inner(self.recorder, outside[0], frame)
            return
        frame.job = outside[0].job if outside else self._job_of_announced(p)
        if frame.job is not None:
            frame.outer = frame.job.start_pass(read_pass(p))
            self._send_parents(frame, frame.job)
            if frame.job.options.keep_stages and getattr(p, "enable_hr", False):
                frame.put_back = _save_before_hires()

    @never_raises
    def leave_pass(self, p: Any, error: BaseException | None) -> None:
        frame = self._frames.pop(p)
        if frame is None:
            return
        if frame.put_back is not None:
            frame.put_back()
        outside = self._frames.here()[:1]
        if outside and is_inner(p):
            leave_inner(outside[0], frame, error)
        elif frame.job is not None and frame.outer is not None:
            self._end_pass(frame, frame.job, frame.outer, error)

    @never_raises
    def process(self, p: Any) -> None:
        frame = self._frames.recorded(p)
        if frame is not None and frame.job is not None and frame.job.options.write_run_id:
            p.extra_generation_params["Run ID"] = frame.job.run_id

    @never_raises
    def before_process_batch(self, p: Any, iteration: int) -> None:
        frame = self._frames.recorded(p)
        if frame is not None and frame.outer is not None:
            self.saves.flush_unsaved(frame)
            frame.outer.start_batch(iteration, p.batch_size * p.n_iter, time.monotonic())

    @never_raises
    def postprocess_batch_list(self, p: Any, images: int) -> None:
        frame = self._frames.recorded(p)
        if frame is not None and frame.outer is not None:
            cut_short = "interrupted" if shared.state.interrupted else "skipped" if shared.state.skipped else None
            frame.outer.finish_batch(images, time.monotonic(), cut_short)

    @never_raises
    def after_composite(self, p: Any, picture: Any) -> None:
        """One image is finished; the host saves it next, or not at all."""
        frame = self._frames.recorded(p)
        if frame is not None and frame.outer is not None:
            self.saves.flush_unsaved(frame)
            frame.outer.composite(getattr(p, "batch_index", None) or 0)
            frame.unsaved = frame.finished = picture

    def _end_pass(self, frame: Frame, job: Job, outer: Pass, error: BaseException | None) -> None:
        self.saves.flush_unsaved(frame)
        interrupted = bool(shared.state.interrupted or getattr(shared.state, "stopping_generation", False))
        failure = {"stage": outer.facts.stage, "type": type(error).__name__, "message": str(error)} if error else None
        job.end_pass(outer, interrupted, failure)
        self.recorder.note_event()

    def _job_of_announced(self, p: Any) -> Job | None:
        """The job that before_process opened for this pass; one that was closed meanwhile is opened anew."""
        announced, self._announced = self._announced, None
        if announced is None or announced.p is not p:
            return self._join_job(p, ())
        if announced.job is None or self.recorder.job_of(announced.job.key) is announced.job:
            return announced.job
        return self._join_job(p, announced.arguments)

    def _join_job(self, p: Any, arguments: tuple[Any, ...]) -> Job | None:
        """The open run of the host's current job, or a new one; None where it is not to be recorded."""
        is_api = bool(getattr(p, "is_api", False))
        options = read_options(arguments, is_api, settings.default_options())
        if settings.is_paused() or not options.record or not settings.records_source("api" if is_api else "ui"):
            return None
        key = JobKey(progress.current_task, float(getattr(shared.state, "time_start", None) or 0.0))
        return self.recorder.job_of(key) or self._open_job(p, key, options)

    def _open_job(self, p: Any, key: JobKey, options: RunOptions) -> Job | None:
        self.recorder.close_job()
        self.open_library()
        box = PictureBox()
        request = read_request(p, box)
        options_now = dict(shared.opts.data)
        environment = functools.partial(read_environment, options_now) if settings.records_environment() else None
        return self.recorder.open_job(key, options, stage_of(p), request, Extras(box.pictures, environment))

    def _send_parents(self, frame: Frame, job: Job) -> None:
        """The input pictures of a pass, and the text each carried. Decoded here: two threads must not decode one file."""
        picture = getattr(frame.p, "firstpass_image", None)
        pictures = getattr(frame.p, "init_images", None) or ([picture] if picture is not None else [])
        for number, picture in enumerate(pictures[: max(1, frame.p.batch_size)]):
            if frame.outer is not None and hasattr(picture, "load"):
                picture.load()
                line = job.pass_line(frame.outer, number, "parent", read_infotext(picture))
                self.recorder.promise(line, Extras({"parent": picture}))


def _save_before_hires() -> Callable[[], None] | None:
    """Have the host save the picture before hires fix during this pass; the call that puts its option back.

    None where the host saves it anyway. The option's data is set directly: `opts.set` runs callbacks and is refused
    where settings are frozen, and this lasts for one pass.
    """
    data = shared.opts.data
    if data.get(_SAVE_BEFORE_HIRES):
        return None
    missing = object()
    previous = data.get(_SAVE_BEFORE_HIRES, missing)
    data[_SAVE_BEFORE_HIRES] = True

    def put_back() -> None:
        if previous is missing:
            data.pop(_SAVE_BEFORE_HIRES, None)
        else:
            data[_SAVE_BEFORE_HIRES] = previous

    return put_back
