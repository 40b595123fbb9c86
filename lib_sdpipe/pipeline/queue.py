"""What can happen to a queue of jobs. Each function answers a new queue; who writes it holds its lock."""

from __future__ import annotations

from collections.abc import Callable

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Json, ProcessMark
from lib_sdpipe.pipeline.records import Job, Queue, Stage

# Ended jobs that stay to be looked at, and all together: a page that queues without end is stopped here.
MOST_ENDED = 200
MOST_WAITING = 1_000
_ENDED = ("done", "cancelled", "failed", "interrupted")

IsAlive = Callable[[ProcessMark], "bool | None"]


def find_job(queue: Queue, job_id: str) -> Job:
    """Raises UnknownNameError."""
    for job in queue.jobs:
        if job.id == job_id:
            return job
    raise UnknownNameError(f"there is no job {job_id} in the queue; it may have ended long ago")


def add_job(queue: Queue, job: Job) -> Queue:
    """Behind all others. Raises UsageError where the queue is full."""
    if sum(1 for known in queue.jobs if known.status == "waiting") >= MOST_WAITING:
        raise UsageError(f"{MOST_WAITING:,} jobs are waiting already; let some of them be made, or cancel them")
    return _with_jobs(queue, [*queue.jobs, job])


def change_job(queue: Queue, job_id: str, changes: Json) -> Queue:
    """Fields of one job. Raises UnknownNameError."""
    find_job(queue, job_id)
    return _with_jobs(queue, [job.copy(update=changes) if job.id == job_id else job for job in queue.jobs])


def claim_next(queue: Queue, owner: ProcessMark, now: str, is_alive: IsAlive) -> tuple[Queue, Job | None]:
    """The job to be made next, now owned: one whose process is gone goes on before new ones begin. None while paused.

    One that this very process owns was left by it when it stopped; it goes on too.
    """
    if queue.paused:
        return queue, None
    left = (job for job in queue.jobs if job.status == "running" and _is_left(job, owner, is_alive))
    job = next(left, None) or next((job for job in queue.jobs if job.status == "waiting"), None)
    if job is None:
        return queue, None
    changes: Json = {
        "status": "running", "owner": owner, "started_at": job.started_at or now, "finished_at": None, "error": None, "message": None,
    }
    changed = change_job(queue, job.id or "", changes)
    return changed, find_job(changed, job.id or "")


def end_job(queue: Queue, job_id: str, changes: Json) -> Queue:
    """It was made, or broke off. What a finished one was made of stands in its run: here only its name and its stages' stay."""
    changes = {**changes, "owner": None}
    if changes.get("status") == "done":
        stages = [Stage(stage=one.stage) for one in find_job(queue, job_id).stages]
        changes.update(items=[], requests=[], compare=[], done=[], stages=stages)
    return _without_oldest(change_job(queue, job_id, changes))


def put_ended(queue: Queue, job: Job) -> Queue:
    """One that was made elsewhere and broke off; a later state of one takes its place."""
    return _without_oldest(_with_jobs(queue, [*(known for known in queue.jobs if known.id != job.id), job]))


def cancel_job(queue: Queue, job_id: str, now: str) -> Queue:
    """A job that is not being made will not be. Raises UsageError for one that is, UnknownNameError."""
    job = find_job(queue, job_id)
    if job.status == "running":
        raise UsageError("this job is being made; stop it first")
    if job.status == "done":
        raise UsageError("this job has been made; its run is in the list of runs")
    return end_job(queue, job_id, {"status": "cancelled", "finished_at": now})


def resume_job(queue: Queue, job_id: str) -> Queue:
    """One that broke off waits again, from where it was. Raises UsageError, UnknownNameError."""
    job = find_job(queue, job_id)
    if job.status not in ("interrupted", "failed", "cancelled"):
        raise UsageError("only a job that broke off can be resumed")
    return change_job(queue, job_id, {"status": "waiting", "finished_at": None})


def move_job(queue: Queue, job_id: str, places: int) -> Queue:
    """Among those that wait: `places` further to the back, or to the front where it is negative. Raises UnknownNameError."""
    job = find_job(queue, job_id)
    waiting = [other for other in queue.jobs if other.status == "waiting"]
    if job.status != "waiting":
        return queue
    place = next(number for number, other in enumerate(waiting) if other.id == job_id)
    waiting.insert(max(0, min(len(waiting) - 1, place + places)), waiting.pop(place))
    in_order = iter(waiting)
    return _with_jobs(queue, [next(in_order) if other.status == "waiting" else other for other in queue.jobs])


def clear_ended(queue: Queue) -> Queue:
    """Without the jobs that have ended."""
    return _with_jobs(queue, [job for job in queue.jobs if job.status not in _ENDED])


def pause(queue: Queue, paused: bool) -> Queue:
    return queue.copy(update={"paused": paused})


def _without_oldest(queue: Queue) -> Queue:
    ended = [job for job in queue.jobs if job.status in _ENDED]
    gone = {job.id for job in ended[: max(0, len(ended) - MOST_ENDED)]}
    return _with_jobs(queue, [job for job in queue.jobs if job.id not in gone])


def _with_jobs(queue: Queue, jobs: list[Job]) -> Queue:
    return queue.copy(update={"jobs": jobs})


def _is_left(job: Job, owner: ProcessMark, is_alive: IsAlive) -> bool:
    return job.owner is None or job.owner.to_json() == owner.to_json() or is_alive(job.owner) is False
