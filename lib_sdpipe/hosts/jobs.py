"""Which run an event belongs to: the open one of the host's current job, or a new one."""

from __future__ import annotations

import functools
import logging
import time
import weakref
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from modules import call_queue, progress, shared

from lib_sdpipe.hosts import settings
from lib_sdpipe.hosts.controls import read_options
from lib_sdpipe.hosts.environment import read_environment
from lib_sdpipe.hosts.image_values import stage_of
from lib_sdpipe.hosts.output_folders import find_save_folder, read_output_folders
from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.request import PictureBox, has_selected_script, read_request
from lib_sdpipe.hosts.then_choice import NOTHING, read_then
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Claim, JobKey, RunOptions, RunRequest
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.layout import find_layout

log = logging.getLogger("sdpipe")

_LONGEST_LOADING_SECONDS = 60.0


@dataclass(frozen=True)
class _Asked:
    """A request as it was before the script in it began to change it."""

    key: JobKey
    request: RunRequest
    box: PictureBox


@dataclass(frozen=True)
class _Announced:
    """A pass whose before_process was seen and whose main loop has not begun."""

    p: weakref.ref[Any]
    options: RunOptions
    job: Job | None
    at: float


class Jobs:
    """The door from the host's jobs to the recorder's runs."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._asked: _Asked | None = None
        self._announced: _Announced | None = None

    def is_loading(self) -> bool:
        """A pass was announced and a model may be loading for it."""
        announced = self._announced
        return announced is not None and announced.job is not None and time.monotonic() - announced.at < _LONGEST_LOADING_SECONDS

    def open_library(self) -> None:
        """Use the runs folder that the settings name now."""
        roots = read_output_folders()
        self.recorder.open_library(find_layout(settings.runs_folder(), settings.cache_folder()), roots, find_save_folder(roots))

    def current(self) -> Job | None:
        """The run of what the host does at this moment, if it is recorded."""
        return self.recorder.job_of(current_key())

    def note_request(self, p: Any) -> None:
        """A request with a script from the Script menu: the script will change it before its first pass."""
        if has_selected_script(p) and self.recorder.held_job is None:
            box = PictureBox()
            self._asked = _Asked(current_key(), read_request(p, box), box)

    def announce(self, p: Any, arguments: tuple[Any, ...]) -> None:
        options = _options_of(p, arguments)
        self._announced = _Announced(weakref.ref(p), options, self._join(p, options), time.monotonic())

    def job_of_pass(self, p: Any) -> Job | None:
        """The job that was announced for this pass; one that was closed meanwhile is opened anew."""
        announced, self._announced = self._announced, None
        if announced is None or announced.p() is not p:
            return self._join(p, _options_of(p, ()))
        if announced.job is None or self.recorder.job_of(announced.job.key) is announced.job:
            return announced.job
        return self._join(p, announced.options)

    def is_recorded(self, options: RunOptions, source: str) -> bool:
        return options.record and not settings.is_paused() and settings.records_source(source)

    def open(self, key: JobKey, options: RunOptions, stage: str, request: RunRequest, box: PictureBox) -> Job | None:
        self.recorder.close_job()
        self.open_library()
        then = read_then(options.then, find_layout(settings.runs_folder(), settings.cache_folder()))
        if then.stages:
            request = replace(request, config={**request.config, "then": hide_home(then.to_json())})
        options_now = dict(shared.opts.data)
        environment = functools.partial(read_environment, options_now) if settings.records_environment() else None
        job = self.recorder.open_job(key, options, stage, request, Extras(box.pictures, environment))
        if job is not None:
            job.then = then.stages
            job.note_models([], hide_home(list(then.faults)))
        for fault in then.faults:
            log.warning("SDPipe: %s", fault)
        return job

    def _join(self, p: Any, options: RunOptions) -> Job | None:
        """The open run of the host's current job, or a new one; None where it is not to be recorded."""
        held = self.recorder.held_job
        if held is not None:
            self._asked = None
            return held
        if not self.is_recorded(options, "api" if _is_api(p) else "ui"):
            self._asked = None  # its pictures are let go
            if options.then not in ("", NOTHING):
                log.warning("SDPipe: nothing comes after a generation that is not recorded")
            return None
        key = current_key()
        return self.recorder.job_of(key) or self._open_for(p, key, options)

    def _open_for(self, p: Any, key: JobKey, options: RunOptions) -> Job | None:
        asked, self._asked = self._asked, None
        if asked is None or asked.key != key:
            box = PictureBox()
            return self.open(key, options, stage_of(p), read_request(p, box), box)
        stage = "inpaint" if asked.request.config.get("mask") else asked.request.config["endpoint"]
        job = self.open(key, options, stage, replace(asked.request, user=getattr(p, "user", None)), asked.box)
        if job is not None:
            job.has_script = True
            self._send_request_input(job, asked)
        return job

    def _send_request_input(self, job: Job, asked: _Asked) -> None:
        pictures = asked.request.config.get("init_images") or []
        key = pictures[0].get("$picture") if pictures and isinstance(pictures[0], dict) else None
        if key is not None:
            picture = asked.box.pictures[key]
            self.recorder.promise(job.request_input_line(read_claim(picture)), Extras({"parent": picture}))


def _is_api(p: Any) -> bool:
    return bool(getattr(p, "is_api", False))


def _options_of(p: Any, arguments: tuple[Any, ...]) -> RunOptions:
    return read_options(arguments, _is_api(p), settings.default_options())


def is_host_at_work() -> bool:
    """Whether the host is in a job. A call that raised leaves its name behind: then the host's lock is free."""
    lock = getattr(call_queue.queue_lock, "_lock", None)
    return bool(getattr(shared.state, "job", "")) and (lock is None or lock.locked())


def is_interrupted() -> bool:
    return bool(shared.state.interrupted or getattr(shared.state, "stopping_generation", False))


def has_left_its_task(key: JobKey) -> bool:
    """Whether the host is idle but still names this job's task: only an API call that raised leaves it so."""
    return key.task is not None and progress.current_task == key.task and not is_host_at_work()


def current_key() -> JobKey:
    return JobKey(progress.current_task, float(getattr(shared.state, "time_start", None) or 0.0))


def read_claim(picture: Image.Image) -> Claim | None:
    """What the text in a picture says about its run; None where it says nothing."""
    text = read_infotext(picture)
    parsed = parse_infotext(text) if text else None
    return Claim(parsed.run_id, parsed.seed) if parsed is not None and parsed.run_id else None
