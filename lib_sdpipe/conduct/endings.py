"""What is done once all passes of a job are made: nothing of a chain, a verdict on a re-run, and what that allows."""

from __future__ import annotations

from lib_sdpipe.conduct.job_work import Ending, JobWork
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.records import Job


def end_of(job: Job) -> Ending:
    return _end_chain


def _end_chain(work: JobWork) -> tuple[Json | None, str | None]:
    return None, None
