"""What the queue does when something is pressed, and what it tells while a job is made. All of it is quick."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import gradio as gr

from lib_sdpipe.conduct.conductor import Conductor, Working
from lib_sdpipe.errors import SdPipeError, UsageError
from lib_sdpipe.index.statistics import CountingStopped
from lib_sdpipe.manifest.records import ImageFacts
from lib_sdpipe.pipeline.records import Job, Queue
from lib_sdpipe.pipeline.timings import Timed, estimate_seconds_left, learn_speeds
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.background import STOPPING, LongWork, StopWork
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.pipelines import queue_markup
from lib_sdpipe.ui.pipelines.queue_present import present_queue
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.going_on import read_source
from lib_sdpipe.workspace.jobs import Jobs


@dataclass(frozen=True)
class Shown:
    """Digests of what a page has got: what comes out the same is not sent again."""

    sent: tuple[str, ...] = ()


class QueueEvents:
    """Each handler returns updates of: what is made now, its pictures, the queue, what was shown."""

    COUNT = 4

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._sizes: dict[str, tuple[int, int] | None] = {}
        self._deeds: dict[str, Callable[[Ask, Jobs, str], None]] = {
            "stop": self._stop, "cancel": lambda ask, jobs, job: jobs.cancel(job), "resume": lambda ask, jobs, job: jobs.resume(job),
            "move": lambda ask, jobs, job: jobs.move(job, max(-1000, min(1000, ask.number("places") or 0))),
            "pause": lambda ask, jobs, job: jobs.pause(True), "unpause": lambda ask, jobs, job: jobs.pause(False),
            "clear": lambda ask, jobs, job: jobs.clear_ended(),
        }

    def do(self, ask: Ask, shown: Shown) -> Updates:
        """Whatever the page asks, and the queue as it is then. What there is not to be done changes nothing."""
        deed = self._deeds.get(ask.text("do") or "")
        if deed is not None:
            deed(ask, Jobs(ask.workspace), ask.text("job") or "")
            self.wake()
        return self._show(ask, shown)

    def wake(self) -> None:
        conductor = self._conductor
        if conductor is not None:
            conductor.wake()

    @property
    def _conductor(self) -> Conductor | None:
        return self._frame.host.conductor()

    def _stop(self, ask: Ask, jobs: Jobs, job_id: str) -> None:
        jobs.check_mine(job_id)
        conductor = self._conductor
        if conductor is None or not conductor.stop_job(job_id):
            raise UsageError("this job is not being made here; stop it in the WebUI that makes it")

    def _show(self, ask: Ask, shown: Shown) -> Updates:
        queue, conductor = Jobs(ask.workspace).read(), self._conductor
        working = conductor.working() if conductor is not None else None
        if working is not None:
            queue = queue.copy(update={"jobs": [working.bring_up(job) for job in queue.jobs]})
        view = present_queue(queue, working, self._estimate(ask, queue, working))
        fault = self._frame.readable(conductor.fault) if conductor is not None and conductor.fault else None
        texts = (queue_markup.show_now(view), queue_markup.show_made(view), queue_markup.show_queue(view, conductor is not None, fault))
        digests = tuple(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts)
        before = shown.sent if len(shown.sent) == len(digests) else ("",) * len(digests)
        updates = (gr.update() if same == now else text for text, same, now in zip(texts, before, digests))
        return (*updates, replace(shown, sent=digests))

    # --- how long it still takes ---

    def _estimate(self, ask: Ask, queue: Queue, working: Working | None) -> float | None:
        if working is None:
            return None
        job = next((job for job in queue.jobs if job.id == working.job.id), None)
        if job is None:
            return None
        return estimate_seconds_left(job, working.progress.share, self._read_speeds(ask), self._find_size(ask.workspace, job))

    def _read_speeds(self, ask: Ask) -> dict[str, float]:
        """What the library's images took, as it was counted last; where nobody has counted, that begins beside the page."""
        from lib_sdpipe.workspace.statistics import find_counted

        workspace = ask.workspace
        try:
            counted, _ = find_counted(workspace, "")
            if counted is None:
                lane = f"timings of {workspace.viewer or ''} {workspace.layout.index_file}"
                if self._frame.background.find(lane) is None:
                    self._frame.background.start(lane, "Counting", lambda work: _count(work, workspace), ask.user)
                return {}
        except (SdPipeError, OSError):
            return {}  # the time left is a help, no promise
        return learn_speeds(
            Timed(each.stage, each.width, each.height, each.steps, each.images, each.mean_ms / 1000) for each in counted.counted.timings
        )

    def _find_size(self, workspace: Workspace, job: Job) -> tuple[int, int] | None:
        """Of the first image that the job goes on from."""
        link = next((item.source for item in job.items if item.source is not None), None)
        if link is None:
            return None
        if job.id not in self._sizes:
            try:
                facts = read_source(workspace, link).image or ImageFacts()
            except SdPipeError:
                facts = ImageFacts()
            if len(self._sizes) > 100:
                self._sizes.clear()
            self._sizes[job.id or ""] = (facts.width, facts.height) if facts.width and facts.height else None
        return self._sizes[job.id or ""]


def _count(work: LongWork, workspace: Workspace) -> None:
    from lib_sdpipe.workspace.statistics import count_library

    try:
        count_library(workspace, "", lambda: work.state == STOPPING)
    except CountingStopped as fault:
        raise StopWork from fault
