"""Runs of the pipeline: open beside the user's own, known parents, gone on with after they had ended."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Iterator

import pytest

from lib_sdpipe.record import recorder as recorder_module
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import ImageValues, JobKey, PassFacts, PassStep, RunOptions, RunRequest
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.runs import RunStore
from tests.images.test_digest import noise
from tests.record.test_recorder import open_job, save_image

REQUEST = RunRequest("pipeline", None, {"endpoint": "chain"})
NOBODYS = JobKey("task(z)", 99.0)


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return find_layout(tmp_path / "runs")


@pytest.fixture
def recorder(layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorder]:
    monkeypatch.setattr(recorder_module, "CLOSE_AFTER_IDLE_SECONDS", 0.1)
    made = Recorder(lambda: False)
    made.open_library(layout, {"outputs": tmp_path})
    yield made
    made.close_job()
    assert made.flush(10)
    made.close()


def begin(recorder: Recorder, planned: int = 4, **request: Any) -> Job:
    job = recorder.open_pipeline_run(RunOptions(), "txt2img", REQUEST, Extras(), planned, **request)
    assert job is not None
    return job


def store_of(layout: Layout) -> RunStore:
    return RunStore(layout)


def test_a_users_run_between_two_passes_is_their_own(recorder: Recorder, layout: Layout, tmp_path: Path) -> None:
    ours = begin(recorder)
    recorder.hold(ours)
    assert recorder.job_of(NOBODYS) is ours, "whatever the host does for us belongs to our run"
    save_image(recorder, ours, tmp_path / "a.png")
    recorder.let_go(ours)
    theirs = open_job(recorder, 1)
    assert theirs is not None and recorder.job_of(theirs.key) is theirs and recorder.held_job is None
    save_image(recorder, theirs, tmp_path / "b.png", 1)
    recorder.hold(ours)
    save_image(recorder, ours, tmp_path / "c.png", 2)
    recorder.end_pipeline_run(ours)
    assert recorder.flush()
    runs = {run_id: store_of(layout).read_run(run_id) for run_id in (ours.run_id, theirs.run_id)}
    assert [len(run.stage_outputs) for run in runs.values()] == [2, 1]
    assert [run.status for run in runs.values()] == ["completed", "completed"]
    assert runs[ours.run_id].images.to_json() == {"planned": 4, "returned": 0, "saved": 0}


def test_an_idle_host_does_not_end_it(recorder: Recorder, layout: Layout) -> None:
    ours = begin(recorder)
    recorder.hold(ours)
    recorder.let_go(ours)
    time.sleep(0.4)
    assert recorder.flush() and store_of(layout).read_run(ours.run_id).status == "running"
    recorder.hold(ours)
    recorder.close_job()
    assert recorder.held_job is ours, "only the pipeline ends its runs"
    recorder.end_pipeline_run(ours)


def test_its_file_says_from_the_beginning_what_it_makes_again(recorder: Recorder, layout: Layout) -> None:
    of = {"of": {"run_id": "20251225_143022_x", "name": None}, "verdict": None, "differences": None}
    ours = begin(recorder, replay=of)
    assert recorder.flush()
    running = store_of(layout).read_run(ours.run_id)
    assert running.replay is not None and running.replay.to_json() == of
    recorder.end_pipeline_run(ours, {**of, "verdict": "identical"})
    assert recorder.flush()
    ended = store_of(layout).read_run(ours.run_id)
    assert ended.replay is not None and ended.replay.verdict == "identical"


def test_it_goes_on_after_it_had_ended_with_all_that_was_there(recorder: Recorder, layout: Layout, tmp_path: Path) -> None:
    first = begin(recorder)
    recorder.hold(first)
    save_image(recorder, first, tmp_path / "a.png")
    first.note_error("out of memory", "OutOfMemoryError", "img2img")
    recorder.end_pipeline_run(first)
    assert recorder.flush()
    failed = store_of(layout).read_run(first.run_id)
    assert (failed.status, failed.error and failed.error.stage) == ("failed", "img2img")
    again = recorder.reopen_pipeline_run(failed.to_json(), ["txt2img_001"], RunOptions(), 4)
    assert again is not None
    recorder.hold(again)
    save_image(recorder, again, tmp_path / "b.png", 1)
    recorder.end_pipeline_run(again)
    assert recorder.flush()
    run = store_of(layout).read_run(first.run_id)
    assert (run.status, run.error, run.started_at) == ("completed", None, failed.started_at)
    assert [output["name"] for output in run.stage_outputs] == ["txt2img_001", "txt2img_002"]
    assert run.config == failed.config


def test_a_known_parent_is_not_searched_for(recorder: Recorder, layout: Layout, tmp_path: Path) -> None:
    ours = begin(recorder)
    recorder.hold(ours)
    save_image(recorder, ours, tmp_path / "a.png")
    save_image(recorder, ours, tmp_path / "same.png", 0)
    assert recorder.flush()
    link = {"run_id": ours.run_id, "name": "txt2img_001"}
    ours.step = PassStep("img2img", {"stage": 1, "input": "txt2img_001"}, None, (link,))
    outer = ours.start_pass(PassFacts("img2img", 1, {"steps": 3}, None))
    recorder.promise(ours.pass_line(outer, 0, None), Extras({"parent": noise(8, 8, seed=0)}))
    line = ours.image_line(outer, "final", (0, 0), ImageValues(0, 1, 0, 1, {"actual_seed": 7}), time.time())
    line.update(path=None, before=None)
    recorder.promise(line, Extras())
    recorder.queue({"kind": "saved", "run_id": ours.run_id, "name": line["name"], "path": None}, Extras({"returned": noise(8, 8, seed=9)}))
    recorder.end_pipeline_run(ours)
    assert recorder.flush()
    made = store_of(layout).read_manifest(ours.run_id, "img2img_001")
    assert made.parent is not None and (made.parent.name, made.parent.by) == ("txt2img_001", "pixels")
    assert [entry.name for entry in made.stage_history] == ["txt2img_001"]
    assert made.config["init_images"] == [{"$image": link}] and made.step == {"stage": 1, "input": "txt2img_001"}


def test_a_disk_that_was_away_for_a_moment_is_waited_for(
    recorder: Recorder, layout: Layout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = begin(recorder)
    recorder.hold(ours)
    assert recorder.flush()
    left = [2]

    def away(path: Path, data: bytes) -> None:
        if "manifests" in path.parts and left[0]:
            left[0] -= 1
            raise OSError(5, "Input/output error", os.fspath(path))
        write_atomic(path, data)

    monkeypatch.setattr("lib_sdpipe.store.runs.write_atomic", away)
    save_image(recorder, ours, tmp_path / "a.png")
    assert recorder.settle(10) and left == [0]
    assert store_of(layout).has_manifest(ours.run_id, "txt2img_001")
    recorder.end_pipeline_run(ours)


def test_what_is_kept_of_an_open_run_can_be_dropped(recorder: Recorder, layout: Layout) -> None:
    ours = begin(recorder)
    recorder.hold(ours)
    outer = ours.start_pass(PassFacts("txt2img", 1, {}, None))
    line = ours.image_line(outer, "final", (0, 0), ImageValues(0, 1, 0, 1, {"infotext": "x"}), time.time())
    recorder.queue({**line, "kind": "picture"}, Extras({"kept": noise(8, 8, seed=1)}))
    assert recorder.flush()
    kept = store_of(layout).read_manifest(ours.run_id, line["name"])
    assert kept.root == "runs" and (layout.runs / (kept.path or "")).is_file()
    recorder.queue({"kind": "drop", "run_id": ours.run_id, "name": line["name"]}, Extras())
    recorder.end_pipeline_run(ours)
    assert recorder.flush()
    assert store_of(layout).read_manifest(ours.run_id, line["name"]).path is None
    assert not (layout.runs / (kept.path or "")).exists()
    assert [output["path"] for output in store_of(layout).read_run(ours.run_id).stage_outputs] == [None]
