"""Routes of the queue: what waits and is being made, new jobs, re-runs; what is done with a job.

What does the work is imported where it is needed: the host's start waits for this module.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from lib_sdpipe.api.request_fields import check_fields, read_flag, read_text, read_texts, read_whole
from lib_sdpipe.api.route import ApiHost, answer, open_workspace, read_document, user_of
from lib_sdpipe.errors import RefusedError, UsageError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import parse_utc

if TYPE_CHECKING:
    from lib_sdpipe.conduct.conductor import Working
    from lib_sdpipe.manifest.records import ImageLink
    from lib_sdpipe.pipeline.records import Job
    from lib_sdpipe.pipeline.replay import Replay, Wanted
    from lib_sdpipe.pipeline.rerun_difference import Difference
    from lib_sdpipe.workspace.jobs import Jobs

_CHAIN_FIELDS = ("items", "runs", "pack", "stages", "recipe", "label")
_WANTED_FIELDS = ("run_id", "name", "stage", "alone", "changes")


class QueueRoutes:
    """The queue's file has a lock of its own, against other processes too; nothing here waits for a job."""

    def __init__(self, host: ApiHost) -> None:
        self._host = host

    def queue(self, request: Request) -> Response:
        queue = self._jobs(request).read()
        conductor = self._host.conductor()
        working = conductor.working() if conductor is not None else None
        jobs = queue.jobs if working is None else [working.bring_up(job) for job in queue.jobs]
        job = next((job for job in jobs if working is not None and job.id == working.job.id), None)
        return answer({
            "paused": queue.paused, "jobs": [_summarize(job) for job in jobs],
            "working": _show_working(working, job) if working is not None and job is not None else None,
            "fault": conductor.fault if conductor is not None else None,
        })

    def job(self, job_id: str, request: Request) -> Response:
        job, conductor = self._jobs(request).check_mine(job_id), self._host.conductor()
        working = conductor.working() if conductor is not None else None
        return answer(_without_owner(job if working is None else working.bring_up(job)))

    def add(self, request: Request) -> Response:
        from lib_sdpipe.workspace.asked_jobs import build_asked_chain
        from lib_sdpipe.workspace.jobs import Jobs

        workspace, document = open_workspace(self._host, request), read_document(request)
        check_fields(document, *_CHAIN_FIELDS)
        job = Jobs(workspace).add(build_asked_chain(workspace, document, user_of(request)))
        return self._answer_job(job)

    def rerun(self, request: Request) -> Response:
        from lib_sdpipe.pipeline.preflight import set_back
        from lib_sdpipe.workspace.asked_jobs import RERUN_KINDS, read_wanted
        from lib_sdpipe.workspace.jobs import build_rerun

        jobs, document = self._jobs(request), read_document(request)
        check_fields(document, *_WANTED_FIELDS, "set_back", "kind", "label")
        kind = read_text(document, "kind") or "rerun"
        if kind not in RERUN_KINDS:
            raise UsageError(f"kind: one of {', '.join(RERUN_KINDS)}")
        replay, label = _plan(jobs, *read_wanted(document)), read_text(document, "label") or ""
        fields = read_texts(document, "set_back")
        if fields:
            replay = set_back(replay, self._preflight(jobs, replay) or [], fields)
        return self._answer_job(jobs.add(build_rerun(replay, kind, label, user_of(request))))

    def preview_rerun(self, request: Request) -> Response:
        from lib_sdpipe.pipeline.request_codec import format_request
        from lib_sdpipe.workspace.asked_jobs import read_wanted

        jobs, document = self._jobs(request), read_document(request)
        check_fields(document, *_WANTED_FIELDS)
        replay = _plan(jobs, *read_wanted(document))
        differs = self._preflight(jobs, replay)
        return answer({
            "of": replay.of.to_json(), "requests": [format_request(request) for request in replay.requests],
            "compare": [image.to_json() for image in replay.compare], "exactness": replay.exactness, "planned": replay.planned,
            "notes": replay.notes, "preflight": None if differs is None else [one.to_json() for one in differs],
        })

    def stop(self, job_id: str, request: Request) -> Response:
        jobs = self._jobs(request)
        check_fields(read_document(request))
        job = jobs.check_mine(job_id)
        conductor = self._host.conductor()
        if job.status != "running":
            raise UsageError("this job is not being made now; cancel it, and it will not be")
        if conductor is None or not conductor.stop_job(job_id):
            raise UsageError("this job is made by another WebUI that uses this runs folder; stop it there")
        return answer({"id": job_id})

    def cancel(self, job_id: str, request: Request) -> Response:
        check_fields(read_document(request))
        jobs = self._jobs(request)
        jobs.cancel(job_id)
        return self._answer_job(jobs.check_mine(job_id))

    def resume(self, job_id: str, request: Request) -> Response:
        check_fields(read_document(request))
        jobs = self._jobs(request)
        jobs.resume(job_id)
        return self._answer_job(jobs.check_mine(job_id))

    def move(self, job_id: str, request: Request) -> Response:
        document = read_document(request)
        check_fields(document, "places")
        jobs = self._jobs(request)
        jobs.move(job_id, read_whole(document, "places"))
        return self.queue(request)

    def pause(self, request: Request) -> Response:
        document = read_document(request)
        check_fields(document, "paused")
        if document.get("paused") is None:
            raise UsageError("paused: true, or false to go on")
        self._jobs(request).pause(read_flag(document, "paused"))
        self._wake()
        return self.queue(request)

    def clear(self, request: Request) -> Response:
        check_fields(read_document(request))
        self._jobs(request).clear_ended()
        return self.queue(request)

    # --- parts ---

    def _jobs(self, request: Request) -> Jobs:
        from lib_sdpipe.workspace.jobs import Jobs

        return Jobs(open_workspace(self._host, request))

    def _preflight(self, jobs: Jobs, replay: Replay) -> list[Difference] | None:
        """What differs today; None outside a WebUI."""
        from lib_sdpipe.pipeline.preflight import check_rerun

        facts = self._host.host_facts()
        return None if facts is None else check_rerun(replay, *jobs.read_run(replay.of.run_id or ""), facts)

    def _answer_job(self, job: Job) -> Response:
        self._wake()
        return answer(_summarize(job))

    def _wake(self) -> None:
        conductor = self._host.conductor()
        if conductor is not None:
            conductor.wake()


def _plan(jobs: Jobs, link: ImageLink, wanted: Wanted) -> Replay:
    """A run that cannot be made again is the caller's to choose, not our fault."""
    try:
        return jobs.plan_rerun(link, wanted)
    except RefusedError as fault:
        raise UsageError(str(fault)) from fault


def _summarize(job: Job) -> Json:
    """What a list shows of a job: counts instead of items and requests."""
    kept = ("id", "kind", "label", "user", "status", "created_at", "started_at", "finished_at", "run_id", "planned", "replay", "message")
    known = job.to_json()
    return {
        **{name: known[name] for name in kept}, "stages": [stage["stage"] for stage in known["stages"]],
        "items": len(job.items), "requests": len(job.requests), "passes": len(job.done),
        "made": sum(len(done.images) for done in job.done), "replay_of": known["replay_of"], "error": known["error"],
    }


def _without_owner(job: Job) -> Json:
    """Whole, but for the process that works on it: that is this machine's business."""
    return {name: value for name, value in job.to_json().items() if name != "owner"}


def _show_working(working: Working, job: Job) -> Json:
    """`stage` and `image` count from 1; `seconds` are those since the job was begun, `seconds_left` by its passes until now."""
    from lib_sdpipe.pipeline.timings import estimate_seconds_left

    left = estimate_seconds_left(job, working.progress.share, {})
    began = parse_utc(job.started_at) if job.started_at else None
    stage = working.step.stage if working.step is not None else None
    names = [one.stage for one in job.stages]
    return {
        "job_id": job.id, "run_id": working.job.run_id, "stage": None if stage is None else stage + 1, "stages": working.stages,
        "stage_name": names[stage] if stage is not None and stage < len(names) else None,
        "image": working.done + 1, "images": working.passes, "share": round(working.progress.share, 4), "text": working.progress.text,
        "seconds": round(max(0.0, time.time() - began), 1) if began is not None else None,
        "seconds_left": None if left is None else round(left, 1), "is_waiting": working.is_waiting,
        "is_stopping": working.is_stopping,
    }
