"""The thread that works off the queue of the library in use: one a process, for as long as that lives.

It begins a job's pass only while nobody generates by hand; between passes the host is everybody's.
"""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import Callable

from lib_sdpipe.conduct.endings import end_of
from lib_sdpipe.conduct.job_work import JobWork
from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import Json, ProcessMark
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pipeline.chain import Step, count_passes
from lib_sdpipe.pipeline.port import HostPort, PassProgress
from lib_sdpipe.pipeline.queue import change_job, claim_next, end_job, find_job
from lib_sdpipe.pipeline.records import Job, Queue
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.machine import is_process_alive, process_mark
from lib_sdpipe.store.queue import change_queue, read_queue

log = logging.getLogger("sdpipe")

_LOOK_SECONDS = 1.0
_WAIT_SECONDS = 0.1
_OTHERS_SECONDS = 15


@dataclass(frozen=True)
class Working:
    """What is being made now. `passes` is None while nobody knows how many there will be.

    `job` is as it is here: the queue's file learns a few seconds later what has been made of it.
    """

    job: Job
    step: Step | None
    stages: int
    done: int
    passes: int | None
    progress: PassProgress
    is_waiting: bool
    is_stopping: bool

    def bring_up(self, job: Job) -> Job:
        """A job as the queue's file has it; the one that is made here with all that has been made of it."""
        return job.copy(update={"done": self.job.done}) if job.id == self.job.id else job


class Conductor:
    """`wake` it when the queue has changed; others' changes it sees by itself within a second."""

    def __init__(
        self, layout: Callable[[], Layout], port: HostPort, is_up: Callable[[], bool] = lambda: True, mark: ProcessMark | None = None,
    ) -> None:
        """`layout` is asked before each job: the user may choose another runs folder. `is_up`: whether the host takes work.

        `mark` is the name under which jobs are taken, this process's by default.
        """
        self._mark = mark or process_mark()
        self._layout = layout
        self._port = port
        self._is_up = is_up
        self._work: JobWork | None = None
        self._is_waiting = False
        self._stop_job = threading.Event()
        self._ended = threading.Event()
        self._changed = threading.Event()
        self._thread: threading.Thread | None = None
        self.fault: str | None = None

    def start(self) -> None:
        """Begin, if it has not begun."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="SDPipe queue", daemon=True)
            self._thread.start()

    def end(self, wait_seconds: float = 10.0) -> None:
        """Break off what is being made, and stop. The job goes on at the next start."""
        self._ended.set()
        self._changed.set()
        if self._work is not None:
            self._port.interrupt()
        if self._thread is not None:
            self._thread.join(wait_seconds)

    def wake(self) -> None:
        self._changed.set()

    def stop_job(self, job_id: str) -> bool:
        """Break off the job that is being made, if it is this one and made here."""
        work = self._work
        if work is None or work.job.id != job_id:
            return False
        self._stop_job.set()
        if not self._is_waiting:
            self._port.interrupt()
        return True

    def working(self) -> Working | None:
        """What is being made here at this moment."""
        work = self._work
        if work is None:
            return None
        done, passes = count_passes(work.job)
        progress = PassProgress() if self._is_waiting else self._port.progress()
        return Working(
            work.job, work.step, len(work.job.stages) or 1, done, passes, progress, self._is_waiting,
            self._stop_job.is_set(),
        )

    # --- its own thread ---

    def _run(self) -> None:
        seen: tuple[Layout, int, int] | None = None
        while not self._ended.is_set():
            self._changed.clear()
            try:
                layout = self._layout()
                now = _look(layout)
                if self._is_up() and now != seen:
                    seen = None if self._do_next(layout) else now
                    self.fault = None
            except (SdPipeError, OSError) as fault:
                self._report(str(fault))
            except Exception as fault:  # nobody waits for this thread: the page must learn of it, and the next job be tried
                log.exception("SDPipe: the queue could not go on")
                self._report(f"{type(fault).__name__}: {fault}")
            if seen is not None or self.fault is not None:
                self._changed.wait(_LOOK_SECONDS)

    def _do_next(self, layout: Layout) -> bool:
        """Make one job. False where there is none to be made."""
        queue = read_queue(layout)
        if claim_next(queue, self._mark, "", is_process_alive)[1] is None:
            return False
        claimed: list[Job] = []

        def claim(found: Queue) -> Queue:
            changed, job = claim_next(found, self._mark, format_utc(time.time()), is_process_alive)
            claimed.extend([job] if job is not None else [])
            return changed

        change_queue(layout, claim)
        if claimed:
            self._make(layout, claimed[0])
        return bool(claimed)

    def _make(self, layout: Layout, job: Job) -> None:
        job_id = job.id or ""

        def save(changes: Json) -> Job:
            return find_job(change_queue(layout, lambda queue: change_job(queue, job_id, changes)), job_id)

        def settle(ended: Json) -> None:
            if not self._ended.is_set():  # else it goes on at the next start
                change_queue(layout, lambda queue: end_job(queue, job_id, ended))

        self._stop_job.clear()
        self._work = JobWork(layout, self._port, job, save, self._may_go_on, end_of(job))
        try:
            settle(self._work.run())
        except Exception as fault:  # the job has ended, whatever it was; the thread tells of it
            settle({
                "status": "failed", "finished_at": format_utc(time.time()),
                "error": {"stage": None, "type": type(fault).__name__, "message": str(fault)},
            })
            raise
        finally:
            self._work = None

    def _may_go_on(self) -> bool:
        """Wait while the host is wanted by somebody; False once the job is to end."""
        try:
            while not self._stop_job.is_set() and not self._ended.is_set():
                if self._is_up() and not self._port.is_wanted():
                    return True
                self._is_waiting = True
                self._stop_job.wait(_WAIT_SECONDS)
            return False
        finally:
            self._is_waiting = False

    def _report(self, text: str) -> None:
        if text != self.fault:
            log.error("SDPipe: the queue waits: %s", text)
        self.fault = text


def _look(layout: Layout) -> tuple[Layout, int, int]:
    """Changes when there may be something new: with the file, and now and then, since another process may have died."""
    try:
        written = layout.queue_file.stat().st_mtime_ns
    except OSError:
        written = 0
    return layout, written, int(time.monotonic() / _OTHERS_SECONDS)
