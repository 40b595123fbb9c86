"""Which image a save belongs to and in which role, by the order of the host's hooks."""

from __future__ import annotations

import pytest

from lib_sdpipe.record.facts import DetailerPass, ImageValues, JobKey, PassFacts, RunOptions
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass

FACTS = PassFacts("txt2img", 4, {"steps": 2}, 5, first_pass={"steps": 2})
IMAGE = ImageValues(0, 2, 0, 2, {"actual_seed": 7, "actual_subseed": 8})


@pytest.fixture
def job() -> Job:
    return Job(JobKey("task(x)", 1.0), "20251225_143022_a", RunOptions(), "txt2img")


@pytest.fixture
def outer(job: Job) -> Pass:
    return job.start_pass(FACTS)


def test_the_save_after_compositing_is_the_final_image_whatever_its_name(outer: Pass) -> None:
    outer.start_batch(0, 4, 0.0)
    outer.finish_batch(1, 1.0, None)
    outer.composite(0)
    assert outer.role_of_save("00001-a cat in a-mask", False) == "final"
    assert outer.role_of_save("00001-1-mask", False) == "mask"
    assert outer.role_of_save("00001-1-mask-composite", False) == "mask-composite"


@pytest.mark.parametrize(("stem", "role"), [
    ("00001-1-before-face-restoration", "before-face-restoration"), ("00001-1-before-color-correction", "before-color-correction"),
    ("00001-1-ad-before", "before-adetailer"), ("00001-1-ad-preview", "preview"), ("00001-1-ad-preview-2nd", "preview"),
    ("00001-1-of-another-extension", "preview"),
])
def test_before_that_the_suffix_tells(outer: Pass, stem: str, role: str) -> None:
    outer.start_batch(0, 4, 0.0)
    outer.finish_batch(1, 1.0, None)
    assert outer.role_of_save(stem, False) == role


def test_in_the_hires_pass_saves_come_in_order_while_the_hosts_index_is_stale(outer: Pass) -> None:
    slots = []
    for iteration in (0, 1):
        outer.start_batch(iteration, 4, 0.0)
        for _ in range(2):
            assert outer.role_of_save("x-before-highres-fix", True) == "before-highres-fix"
            slots.append(outer.slot_of_save("before-highres-fix", 9, 9))
        outer.finish_batch(2, 1.0, None)
    assert slots == [(0, 0), (0, 1), (1, 0), (1, 1)]


def test_without_script_hooks_the_suffix_must_do(outer: Pass) -> None:
    assert outer.role_of_save("00001-1-before-highres-fix", True) == "before-highres-fix"
    assert outer.role_of_save("00001-1", False) == "final"
    assert outer.role_of_save("00001-1-mask", False) == "mask"


def test_the_grid_comes_last_and_once(outer: Pass, job: Job) -> None:
    outer.start_batch(0, 4, 0.0)
    outer.composite(0)
    outer.role_of_save("1", False)
    outer.grid_members = ["txt2img_001"]
    assert outer.role_of_save("grid-0001", False) == "grid"
    line = job.image_line(outer, "grid", (0, 0), IMAGE, 0.0)
    assert (line["name"], line["manifest"]["members"], line["manifest"]["role"]) == ("grid_001", ["txt2img_001"], "final")
    assert outer.grid_members is None


def test_names_count_per_stage_in_order_of_saving(job: Job, outer: Pass) -> None:
    outer.details[(0, 1)] = [DetailerPass({"steps": 9}, 7, 30)]
    lines = [job.image_line(outer, role, slot, IMAGE, 0.0) for role, slot in (
        ("before-highres-fix", (0, 0)), ("final", (0, 0)), ("before-adetailer", (0, 1)), ("final", (0, 1)),
    )]
    assert [line["name"] for line in lines] == ["txt2img_001", "txt2img_002", "txt2img_003", "adetailer_001"]
    history = lines[3]["manifest"]["stage_history"]
    assert [(h["role"], h["name"]) for h in history] == [("before-highres-fix", None), ("before-adetailer", "txt2img_003")]
    assert lines[1]["manifest"]["stage_history"][0]["name"] == "txt2img_001"
    assert lines[3]["manifest"]["stage_duration_ms"] == 30 and lines[3]["manifest"]["config"] == {"steps": 9}


def test_sampling_time_is_shared_by_the_batch(outer: Pass) -> None:
    outer.start_batch(0, 4, 10.0)
    outer.finish_batch(4, 12.0, None)
    assert outer.image_ms == 500


@pytest.mark.parametrize(("interrupted", "error", "status"), [
    (False, None, "completed"), (True, None, "interrupted"), (True, {"type": "RuntimeError"}, "failed"),
])
def test_how_a_run_ended(job: Job, outer: Pass, interrupted: bool, error: dict[str, str] | None, status: str) -> None:
    job.end_pass(outer, interrupted, error)
    assert job.end_line(0.0)["run"]["status"] == status


def test_a_job_whose_pass_never_began_failed(job: Job) -> None:
    run = job.end_line(0.0)["run"]
    assert run["status"] == "failed" and "before its first pass" in run["error"]["message"]
    assert run["images"] == {"planned": 0, "returned": 0, "saved": 0}
