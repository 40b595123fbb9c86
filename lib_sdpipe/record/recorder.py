"""What the hosts call: opens and closes runs, hands lines to the recording log and to the writer thread.

Everything here runs on the generating thread and is quick: a line is appended to a local file, a task is queued.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.names import build_label
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import JobKey, Json, RunOptions, RunRequest
from lib_sdpipe.record.folder_claim import claim_run_folder
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.privacy import without_prompts
from lib_sdpipe.record.writer import Writer
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.machine import process_mark

if TYPE_CHECKING:
    from lib_sdpipe.record.desk import Desk

log = logging.getLogger("sdpipe")

# A run ends when its host has been idle this long. The environment variable is for test suites in a hurry.
CLOSE_AFTER_IDLE_SECONDS = float(os.environ.get("SDPIPE_CLOSE_AFTER_SECONDS", "2.0"))
# Pictures that can be told from files later, or done without, are dropped when the writer is this far behind.
_MOST_WAITING = 96
_MOST_BYTES_HELD = 256 << 20


class Recorder:
    """One a process. `is_host_busy` says whether the host works on a job at this moment, `has_raised` of a job that
    ended without a word whether that was an error.
    """

    def __init__(self, is_host_busy: Callable[[], bool], has_raised: Callable[[JobKey], bool] = lambda key: False) -> None:
        self._is_host_busy = is_host_busy
        self._has_raised = has_raised
        self._lock = threading.RLock()
        self._desk: Desk | None = None
        self._roots: tuple[dict[str, Path], Path | None] = ({}, None)
        self._job: Job | None = None
        self._of_pipeline: dict[str, Job] = {}
        self._is_held = False
        self._last_event = _Moment()
        self._fault: str | None = None
        self._writer = Writer(self._close_when_idle, self.report, is_host_busy)

    # --- for the page ---

    @property
    def fault(self) -> str | None:
        """The last thing that went wrong, for the user; None while all is well."""
        return self._fault

    @property
    def desk(self) -> Desk | None:
        return self._desk

    # --- life ---

    def open_library(self, layout: Layout, roots: dict[str, Path], save_folder: Path | None = None) -> None:
        """Record into this library from the next run on; an unchanged one stays open, an open run stays where it is.

        `save_folder`: the one of `roots` that holds nothing but what the host's Save button copies.
        """
        from lib_sdpipe.record.desk import Desk  # what it brings along would make the host's start slower

        with self._lock:
            is_same = self._desk is not None and self._desk.layout == layout and self._roots == (roots, save_folder)
            if self._job is not None or self._of_pipeline or is_same:
                return
            previous, self._roots = self._desk, (roots, save_folder)
            self._desk = desk = previous if previous is not None and previous.layout == layout else Desk(layout)
        if previous is not None and previous is not desk:
            self._writer.submit(previous.close)
        self._writer.submit(lambda: desk.start(roots, save_folder))

    def close(self) -> None:
        """Let the library go. What is still owed stands in its recording log."""
        with self._lock:
            desk, self._desk = self._desk, None
        if desk is not None:
            desk.close()

    def flush(self, timeout_seconds: float = 10.0) -> bool:
        return self._writer.flush(timeout_seconds)

    def settle(self, timeout_seconds: float) -> bool:
        """Wait until all that was promised stands on disk, also what a busy disk did not take at once; False if not by then."""
        deadline = time.monotonic() + timeout_seconds
        while (left := deadline - time.monotonic()) > 0 and self.flush(left):
            if (desk := self._desk) is None or not desk.owes():
                return True
            self._writer.submit(desk.try_again, at_once=True)
            time.sleep(0.2)
        return False

    # --- runs ---

    def job_of(self, key: JobKey) -> Job | None:
        """The open run of this job, if it is recorded."""
        with self._lock:
            job = self._job if self._job is not None and (self._is_held or self._job.key == key) else None
        if job is not None:
            self.note_event()
        return job

    def note_event(self) -> None:
        """The host has just done something for the open run."""
        self._last_event = _Moment()

    def open_job(self, key: JobKey, options: RunOptions, stage: str, request: RunRequest, extras: Extras) -> Job | None:
        """Begin a run; the previous one ends with it. None where nothing can be recorded."""
        with self._lock:
            self.close_job()
            if self._desk is None:
                return None
            self._job, line = self._build_job(self._desk, key, options, stage, request)
            self.promise(line, extras)
            return self._job

    def close_job(self, run_id: str | None = None) -> None:
        """End the open run, if any, or only if it is this one; one of the pipeline ends only when the pipeline says so."""
        with self._lock:
            if self._is_held or run_id is not None and (self._job is None or self._job.run_id != run_id):
                return
            job, self._job = self._job, None
            if job is not None:
                self.promise(job.end_line(self._last_event.wall), Extras())

    # --- runs of the pipeline: open beside whatever the host does, and given its events while they are held ---

    def open_pipeline_run(
        self, options: RunOptions, stage: str, request: RunRequest, extras: Extras, planned: int, replay: Json | None = None,
    ) -> Job | None:
        """Begin one; nothing is recorded in it until it is held. None where nothing can be recorded.

        `replay` is what its file says of the run it makes again.
        """
        with self._lock:
            if self._desk is None:
                return None
            job, line = self._build_job(self._desk, JobKey(None, 0.0), options, stage, request)
            job.planned = planned
            line["run"]["replay"] = replay
            self._of_pipeline[job.run_id] = job
            self.promise(line, extras)
            return job

    def reopen_pipeline_run(self, run: Json, names: list[str], options: RunOptions, planned: int) -> Job | None:
        """Go on with one that has ended. `run` is what its file says, `names` are its manifests'."""
        with self._lock:
            if self._desk is None:
                return None
            job = Job(JobKey(None, 0.0), run["run_id"], options, run.get("label") or "")
            job.planned, job.config = planned, run.get("config") or {}
            job.go_on_after(names, run.get("images") or {})
            self._of_pipeline[job.run_id] = job
            again = {**run, "status": "running", "process": process_mark().to_json(), "finished_at": None, "error": None}
            self.promise({
                "kind": "run", "run_id": job.run_id, "run": again, "options": asdict(options), "not_replayable": [],
                "has_folder": True, "goes_on": True,
            }, Extras())
            return job

    @property
    def held_job(self) -> Job | None:
        """The run of the pipeline that the host works for at this moment."""
        with self._lock:
            return self._job if self._is_held else None

    def hold(self, job: Job) -> None:
        """Whatever the host does from now on belongs to this run; what ran before has ended."""
        with self._lock:
            self.close_job()
            self._job, self._is_held = job, True
        self.note_event()

    def let_go(self, job: Job) -> None:
        """The host is somebody else's again; the run stays open."""
        with self._lock:
            if self._job is job:
                self._job, self._is_held = None, False

    def end_pipeline_run(self, job: Job, replay: Json | None = None) -> None:
        with self._lock:
            self.let_go(job)
            if self._of_pipeline.pop(job.run_id, None) is not None:
                self.promise(job.end_line(time.time(), replay), Extras())

    # --- lines ---

    def promise(self, line: Json, extras: Extras) -> None:
        """Put a line in the recording log, then in the queue."""
        if line["kind"] != "end":
            self.note_event()
        desk = self._desk
        if desk is None:
            return
        line = self._without_what_is_private(line)
        try:
            desk.promise(line)
        except (OSError, TypeError, ValueError) as fault:
            self.report(fault)  # the living process can still do it
        self._enqueue(desk, line, extras)

    def queue(self, line: Json, extras: Extras) -> None:
        """Put a line in the queue only: it is nothing that could be done after a kill."""
        if self._desk is not None:
            self._enqueue(self._desk, self._without_what_is_private(line), extras)

    def _enqueue(self, desk: Desk, line: Json, extras: Extras) -> None:
        if self._writer.backlog > _MOST_WAITING:
            extras = Extras(_needed(extras.pictures), extras.environment)
        # A run is seen in the tab from its first moment; its images can wait a little.
        self._writer.submit(_Task(desk, line, extras, self._all_is_well), at_once=line["kind"] == "run")

    def may_hold(self, picture: Image.Image) -> bool:
        """Whether the writer keeps up well enough for a picture to be held in memory until its file has been read back."""
        return (self._writer.backlog + 1) * picture.width * picture.height * 4 < _MOST_BYTES_HELD

    # --- parts ---

    def _without_what_is_private(self, line: Json) -> Json:
        """Prompts only where they are wanted."""
        job = self._of_pipeline.get(line.get("run_id", ""), self._job)
        if job is None or job.options.prompts or line.get("run_id") != job.run_id:
            return line
        return without_prompts(line)

    def _build_job(self, desk: Desk, key: JobKey, options: RunOptions, stage: str, request: RunRequest) -> tuple[Job, Json]:
        label = build_label(options.label) or stage
        run_id, has_folder = claim_run_folder(desk, label, self.report)
        job = Job(key, run_id, options, stage)
        return job, job.run_line(request, key.task or str(uuid.uuid4()), label, process_mark().to_json(), time.time(), has_folder)

    def _close_when_idle(self) -> bool:
        """Writer thread, between tasks: whether a run is still open."""
        with self._lock:
            if self._job is None or self._is_held:
                return False
            if not self._is_host_busy() and time.monotonic() - self._last_event.monotonic > CLOSE_AFTER_IDLE_SECONDS:
                if self._has_raised(self._job.key):
                    self._job.note_error("the host ended the call with an error")
                self.close_job()
            return True

    def _all_is_well(self) -> None:
        """A run was recorded to its end."""
        self._fault = None

    def report(self, fault: BaseException) -> None:
        """Say it once in the log, and in the tab."""
        text = str(fault) if isinstance(fault, SdPipeError) else f"{type(fault).__name__}: {fault}"
        if text != self._fault:
            log.error("SDPipe could not record: %s. Generation goes on.", text, exc_info=not isinstance(fault, (SdPipeError, OSError)))
        self._fault = text


@dataclass(frozen=True)
class _Task:
    """One line for the writer thread."""

    desk: Desk
    line: Json
    extras: Extras
    on_end: Callable[[], None]

    @property
    def pictures(self) -> dict[str, Image.Image]:
        return self.extras.pictures

    def __call__(self) -> None:
        self.desk.handle(self.line, self.extras)
        if self.line["kind"] == "end":
            self.on_end()


@dataclass(frozen=True)
class _Moment:
    """One moment on both clocks: the wall's for records, the monotonic one for waiting."""

    wall: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)


def _needed(pictures: dict[str, Image.Image]) -> dict[str, Image.Image]:
    return {key: picture for key, picture in pictures.items() if key not in ("before", "written")}
