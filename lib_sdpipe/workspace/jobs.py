"""Jobs of the pipeline for page and API: what is asked becomes a job in the queue; the queue as whoever asks may see it."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Callable, Sequence

from lib_sdpipe.errors import NotAllowedError, UsageError
from lib_sdpipe.manifest.names import build_label
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.pipeline import queue as changes
from lib_sdpipe.pipeline.build import count_planned
from lib_sdpipe.pipeline.links import list_links
from lib_sdpipe.pipeline.recipes import check_items, check_stages
from lib_sdpipe.pipeline.records import Item, Job, Queue, Stage
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.replay import Replay, Wanted, count_planned_by, plan_rerun
from lib_sdpipe.pipeline.request_codec import format_request
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.queue import change_queue, read_queue
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.workspace import Workspace

MOST_ITEMS = 10_000


def build_chain(items: Sequence[Item], stages: Sequence[Stage], label: str = "", user: str | None = None) -> Job:
    """A job that runs stages on images, prompts, or on nothing but the first stage's own. Raises UsageError with all faults."""
    faults = check_stages(stages)
    if len(items) > MOST_ITEMS:
        faults.append(f"a job is run on at most {MOST_ITEMS:,} images or prompts, not {len(items):,}")
    if not faults and not any(item.source for item in items) and stages[0].stage != "txt2img":
        faults.append("choose the images to go on from, or begin with txt2img")
    if not faults:
        faults = check_items(items, stages[0])
    if faults:
        raise UsageError("; ".join(faults))
    items = list(items) or [Item()]
    return _new_job("chain", label, user, items=items, stages=list(stages), planned=count_planned(stages, items))


def build_rerun(replay: Replay, kind: str = "rerun", label: str = "", user: str | None = None) -> Job:
    """A job that makes again what `plan_rerun` found.

    Of those that put files back or set them aside the host writes nothing: what is held against a file is written to the run
    folder. Raises UsageError where nothing would be compared.
    """
    requests = replay.requests
    if kind != "rerun":
        if not replay.compare:
            raise UsageError("with other values nothing can be put back or set aside: ask for it as it was")
        requests = _unsaved(replay, kind == "regenerate")
    return _new_job(
        kind, label, user, requests=[format_request(request) for request in requests], compare=replay.compare,
        replay_of=replay.of, planned=replay.planned,
    )


def put_broken(layout: Layout, job: Job) -> None:
    """A chain that broke off after a press of Generate is listed with the jobs, to be resumed. Raises as `change_queue`."""
    change_queue(layout, lambda queue: changes.put_ended(queue, job))


def _unsaved(replay: Replay, keeps: bool) -> list[PassRequest]:
    """The requests with nothing saved; `keeps`: the compared images are written to the run folder."""
    wanted, before, found = {compared.place for compared in replay.compare}, 0, []
    for request in replay.requests:
        here = count_planned_by(request)
        kept = tuple(place for place in range(here) if before + place in wanted) if keeps else ()
        found.append(dataclasses.replace(request, save=(), kept=kept))
        before += here
    return found


class Jobs:
    """The queue of a library, for one viewer: others' jobs cannot be changed where each user sees own runs only."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._layout: Layout = workspace.layout
        self._store = RunStore(workspace.layout)

    def read(self) -> Queue:
        """Raises RecordError."""
        queue = read_queue(self._layout)
        return queue.copy(update={"jobs": [job for job in queue.jobs if self._is_mine(job)]})

    def plan_rerun(self, link: ImageLink, wanted: Wanted) -> Replay:
        """What making a run, or one image of it, again would ask. Raises RefusedError, UnknownNameError, RecordError."""
        run, manifests, environment = self.read_run(link.run_id or "")
        return plan_rerun(run, manifests, environment, wanted)

    def read_run(self, run_id: str) -> tuple[Run, list[Manifest], Json | None]:
        """A run with its manifests and its environment, as far as it can be read. Raises UnknownNameError, RecordError."""
        self._workspace.check_sees(run_id)
        run = self._store.read_run(run_id)
        manifests = [found for found in self._store.iter_manifests(run_id) if isinstance(found, Manifest)]
        return run, manifests, self._store.find_environment(run)

    def add(self, job: Job) -> Job:
        """Raises UsageError where the queue is full, UnknownNameError for others' images, LockedError, RecordError, OSError."""
        if self._workspace.viewer is not None:
            for run_id in {link.run_id or "" for link in list_links(job)}:
                self._workspace.check_sees(run_id)
        self._change(lambda queue: changes.add_job(queue, job))
        return job

    def cancel(self, job_id: str) -> None:
        self.check_mine(job_id)
        self._change(lambda queue: changes.cancel_job(queue, job_id, _now()))

    def resume(self, job_id: str) -> None:
        self.check_mine(job_id)
        self._change(lambda queue: changes.resume_job(queue, job_id))

    def move(self, job_id: str, places: int) -> None:
        self.check_mine(job_id)
        self._change(lambda queue: changes.move_job(queue, job_id, places))

    def pause(self, paused: bool) -> None:
        """For everybody."""
        self._change(lambda queue: changes.pause(queue, paused))

    def clear_ended(self) -> None:
        self._change(lambda queue: _clear(queue, self._is_mine))

    def check_mine(self, job_id: str) -> Job:
        """Raises UnknownNameError, NotAllowedError."""
        job = changes.find_job(read_queue(self._layout), job_id)
        if not self._is_mine(job):
            raise NotAllowedError("This job is another user's.")
        return job

    # --- parts ---

    def _is_mine(self, job: Job) -> bool:
        return self._workspace.viewer is None or job.user in (None, self._workspace.viewer)

    def _change(self, change: Callable[[Queue], Queue]) -> None:
        change_queue(self._layout, change)


def _clear(queue: Queue, is_mine: Callable[[Job], bool]) -> Queue:
    gone = {job.id for job in queue.jobs if is_mine(job)}
    kept = {job.id for job in changes.clear_ended(queue).jobs}
    return queue.copy(update={"jobs": [job for job in queue.jobs if job.id in kept or job.id not in gone]})


def _new_job(kind: str, label: str, user: str | None, **fields: object) -> Job:
    return Job(
        id=uuid.uuid4().hex, kind=kind, label=build_label(label) or None, user=user, status="waiting", created_at=_now(), **fields,
    )


def _now() -> str:
    return format_utc(time.time())
