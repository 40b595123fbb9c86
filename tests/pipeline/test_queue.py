from __future__ import annotations

import pytest

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.manifest.records import ProcessMark
from lib_sdpipe.pipeline.queue import (
    MOST_ENDED, MOST_WAITING, add_job, cancel_job, claim_next, clear_ended, end_job, find_job, move_job, pause, resume_job,
)
from lib_sdpipe.pipeline.records import Item, Job, Queue

HERE = ProcessMark(machine="here", pid=1, boot="b")
GONE = ProcessMark(machine="here", pid=2, boot="b")
AWAY = ProcessMark(machine="there", pid=3, boot="c")


def _is_alive(mark: ProcessMark) -> bool | None:
    return {1: True, 2: False}.get(mark.pid or 0)


def _queue(*jobs: tuple[str, str]) -> Queue:
    return Queue(jobs=[Job(id=job_id, status=status) for job_id, status in jobs])


def _ids(queue: Queue, status: str = "waiting") -> list[str | None]:
    return [job.id for job in queue.jobs if job.status == status]


def test_the_first_that_waits_is_made_next_and_is_then_owned() -> None:
    queue, job = claim_next(_queue(("a", "done"), ("b", "waiting"), ("c", "waiting")), HERE, "now", _is_alive)
    assert job is not None and (job.id, job.owner, job.started_at) == ("b", HERE, "now")
    assert _ids(queue) == ["c"] and _ids(queue, "running") == ["b"]


def test_nothing_is_begun_while_paused() -> None:
    queue = pause(_queue(("a", "waiting")), True)
    assert claim_next(queue, HERE, "now", _is_alive) == (queue, None)


@pytest.mark.parametrize(("owner", "goes_on"), [(GONE, True), (AWAY, False), (HERE, True), (None, True)])
def test_a_job_of_a_process_that_is_gone_goes_on_before_new_ones(owner: ProcessMark | None, goes_on: bool) -> None:
    queue = Queue(jobs=[Job(id="new", status="waiting"), Job(id="old", status="running", owner=owner, run_id="20251225_143022_x")])
    job = claim_next(queue, HERE, "now", _is_alive)[1]
    assert job is not None and job.id == ("old" if goes_on else "new")


def test_a_finished_job_keeps_its_name_and_its_run_only() -> None:
    queue = Queue(jobs=[Job(id="a", status="running", label="fox", items=[Item(), Item()], owner=HERE, run_id="20251225_143022_x")])
    job = end_job(queue, "a", {"status": "done"}).jobs[0]
    assert (job.items, job.owner, job.label, job.run_id) == ([], None, "fox", "20251225_143022_x")


def test_what_broke_off_keeps_all_it_needs_to_go_on() -> None:
    queue = Queue(jobs=[Job(id="a", status="running", items=[Item(), Item()], owner=HERE)])
    queue = resume_job(end_job(queue, "a", {"status": "failed"}), "a")
    assert _ids(queue) == ["a"] and len(queue.jobs[0].items) == 2


def test_old_ended_jobs_make_room() -> None:
    queue = _queue(*((f"e{n}", "done") for n in range(MOST_ENDED)), ("w", "waiting"), ("r", "running"))
    queue = end_job(queue, "r", {"status": "done"})
    assert "e0" not in [job.id for job in queue.jobs] and len(queue.jobs) == MOST_ENDED + 1 and _ids(queue) == ["w"]


def test_the_order_of_those_that_wait_is_changed() -> None:
    queue = _queue(("a", "waiting"), ("x", "done"), ("b", "waiting"), ("c", "waiting"))
    assert _ids(move_job(queue, "c", -1)) == ["a", "c", "b"]
    assert _ids(move_job(queue, "a", 99)) == ["b", "c", "a"]
    assert _ids(move_job(queue, "c", -99)) == ["c", "a", "b"]
    assert move_job(queue, "x", 1) is queue


def test_what_is_being_made_is_stopped_not_cancelled() -> None:
    queue = _queue(("a", "running"), ("b", "waiting"), ("c", "done"))
    assert _ids(cancel_job(queue, "b", "now"), "cancelled") == ["b"]
    for job_id in ("a", "c"):
        with pytest.raises(UsageError):
            cancel_job(queue, job_id, "now")
    with pytest.raises(UsageError):
        resume_job(queue, "c")
    with pytest.raises(UnknownNameError):
        find_job(queue, "nobody")


def test_a_queue_has_an_end() -> None:
    queue = _queue(*((str(n), "waiting") for n in range(MOST_WAITING)))
    with pytest.raises(UsageError, match="waiting already"):
        add_job(queue, Job(id="one more", status="waiting"))


def test_ended_jobs_are_cleared_the_others_stay() -> None:
    queue = clear_ended(_queue(("a", "done"), ("b", "waiting"), ("c", "failed"), ("d", "running"), ("e", "cancelled")))
    assert [job.id for job in queue.jobs] == ["b", "d"]
