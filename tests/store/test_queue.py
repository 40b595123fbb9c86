from __future__ import annotations

import functools
import json
import tracemalloc
from pathlib import Path

import pytest

from lib_sdpipe.errors import RecordError
from lib_sdpipe.pipeline.queue import add_job, change_job, end_job, pause
from lib_sdpipe.pipeline.records import Item, Job, Queue, Stage
from lib_sdpipe.store import queue as queue_module
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.queue import change_queue, read_queue


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    runs = tmp_path / "runs"
    runs.mkdir()
    return find_layout(runs, None)


def add(layout: Layout, *ids: str) -> None:
    for job_id in ids:
        stages = [Stage(stage="txt2img", settings={"prompt": f"a fox {job_id}"})]
        job = Job(id=job_id, status="waiting", items=[Item()], stages=stages)
        change_queue(layout, functools.partial(add_job, job=job))


def read_anew(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Queue:
    monkeypatch.setattr(queue_module, "_last", None)
    return read_queue(layout)


def test_what_was_written_is_what_is_read(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    add(layout, "a", "b", "c")
    error = {"stage": "img2img", "type": None, "message": "out of memory"}
    written = change_queue(layout, lambda queue: change_job(queue, "b", {"status": "failed", "error": error}))
    assert written.jobs[1].error is not None and written.jobs[1].error.message == "out of memory"
    assert read_queue(layout) == written == read_anew(layout, monkeypatch)
    assert change_queue(layout, lambda queue: pause(queue, True)) == read_anew(layout, monkeypatch)


def test_jobs_that_do_not_change_stay_as_they_stand_in_the_file(layout: Layout) -> None:
    """Also what only a later version knows of them."""
    add(layout, "a", "b")
    document = json.loads(layout.queue_file.read_text("utf-8"))
    document["jobs"][0] = {"id": "a", "status": "waiting", "mood": {"of": "a later version"}, "stages": [{"stage": "txt2img"}]}
    layout.queue_file.write_text(json.dumps(document), "utf-8")
    change_queue(layout, lambda queue: change_job(queue, "b", {"label": "second"}))
    after = json.loads(layout.queue_file.read_text("utf-8"))
    assert after["jobs"][0] == document["jobs"][0] and after["jobs"][1] == {**document["jobs"][1], "label": "second"}
    change_queue(layout, lambda queue: change_job(queue, "a", {"label": "first"}))
    assert json.loads(layout.queue_file.read_text("utf-8"))["jobs"][0]["mood"] == {"of": "a later version"}


def test_what_another_process_wrote_is_seen(layout: Layout) -> None:
    add(layout, "a", "b")
    text = layout.queue_file.read_text("utf-8")
    assert text.count("waiting") == 2
    layout.queue_file.write_text(text.replace("waiting", "running"), "utf-8")  # of the same length, within a tick of the clock
    assert [job.status for job in read_queue(layout).jobs] == ["running", "running"]
    change_queue(layout, lambda queue: change_job(queue, "a", {"label": "x"}))
    assert [job.status for job in read_queue(layout).jobs] == ["running", "running"]


def test_two_libraries_have_two_queues(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    other = find_layout(tmp_path / "more", None)
    add(layout, "a")
    assert read_queue(other).jobs == []
    add(other, "b")
    assert [job.id for job in read_queue(layout).jobs] == ["a"] and [job.id for job in read_queue(other).jobs] == ["b"]


def test_a_torn_file_is_no_empty_queue(layout: Layout) -> None:
    add(layout, "a")
    whole = layout.queue_file.read_bytes()
    for torn in (b"", whole[: len(whole) // 2], b"[]", b'{"schema": "sdpipe.queue/1", "jobs": [3]}'):
        layout.queue_file.write_bytes(torn)
        with pytest.raises(RecordError, match="made anew"):
            change_queue(layout, lambda queue: pause(queue, True))
        assert layout.queue_file.read_bytes() == torn
    layout.queue_file.write_bytes(whole)
    assert [job.id for job in read_queue(layout).jobs] == ["a"]


def test_a_look_takes_memory_for_what_there_is(layout: Layout) -> None:
    add(layout, "a")
    tracemalloc.start()
    read_queue(layout)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_of_a_finished_job_only_what_it_was_stays(layout: Layout) -> None:
    add(layout, "a")
    (job,) = change_queue(layout, lambda queue: end_job(queue, "a", {"status": "done", "run_id": "r"})).jobs
    assert (job.status, job.run_id, job.items, [stage.to_json() for stage in job.stages]) == (
        "done", "r", [], [Stage(stage="txt2img").to_json()],
    )
