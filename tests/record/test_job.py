"""What a job tells of itself: times that do not go back, counts, the first error, models once each."""

from __future__ import annotations

import pytest

from lib_sdpipe.record.facts import Claim, ImageValues, JobKey, PassFacts, RunOptions, RunRequest, Variant
from lib_sdpipe.record.job import REQUEST_PASS, Job
from lib_sdpipe.record.tiles import Tile

FACTS = PassFacts("img2img", 2, {"steps": 2, "width": 64}, 5)
IMAGE = ImageValues(0, 1, 0, 2, {"actual_seed": 7, "loras": [{"name": "a"}], "model": "tiny"})


@pytest.fixture
def job() -> Job:
    return Job(JobKey("task(x)", 1.0), "20251225_143022_a", RunOptions(), "img2img", has_script=True)


def test_in_a_run_time_does_not_go_back_when_the_clock_does(job: Job) -> None:
    begun = job.run_line(RunRequest("ui", None, {}), "j", "a", {}, 1000.0, True)["run"]["started_at"]
    saved = job.image_line(job.start_pass(FACTS), "final", (0, 0), IMAGE, 400.0)["manifest"]["timestamp"]
    ended = job.end_line(500.0)["run"]["finished_at"]
    assert begun == saved == ended


def test_a_picture_of_pieces_is_counted_once_and_says_what_its_first_piece_says(job: Job) -> None:
    outer = job.start_pass(FACTS)
    names = []
    for index in range(2):
        outer.composite(0)
        names.append(job.image_line(outer, "final", (index, 0), IMAGE, 0.0)["name"])
        job.tiles.append(Tile(names[-1], outer.number, 0))
    line = job.script_line("img2img", ImageValues(None, None, None, None, {"model": None, "loras": [], "actual_seed": 9}), names, 0.0)
    manifest = line["manifest"]
    assert (manifest["members"], manifest["model"], manifest["loras"], manifest["actual_seed"]) == (names, "tiny", [{"name": "a"}], 9)
    assert manifest["config"] == FACTS.settings and line["pass"] == REQUEST_PASS
    job.count_saved()
    assert job.end_line(0.0)["run"]["images"] == {"planned": 1, "returned": 1, "saved": 1}


def test_a_grid_does_not_change_the_counts(job: Job) -> None:
    outer = job.start_pass(FACTS)
    outer.composite(0)
    name = job.image_line(outer, "final", (0, 0), IMAGE, 0.0)["name"]
    grid = job.script_line("grid", ImageValues(None, None, None, None, {}), [name], 0.0)
    assert grid["name"] == "grid_001" and job.end_line(0.0)["run"]["images"]["returned"] == 1


def test_pieces_that_a_script_cut_are_nobodys_request(job: Job) -> None:
    line = job.pass_line(job.start_pass(FACTS), 0, Claim("20251225_143022_b", 5))
    assert line["keep"] is False and line["claim"] == {"run_id": "20251225_143022_b", "seed": 5}
    job.has_script = False
    assert job.pass_line(job.start_pass(FACTS), 0, None)["keep"] is True


def test_an_image_that_was_begun_and_never_finished_makes_the_run_fail_unless_it_was_interrupted(job: Job) -> None:
    outer = job.start_pass(FACTS)
    outer.begun = 1
    job.note_interrupted(True)
    assert job.end_line(0.0)["run"]["status"] == "interrupted"
    other = Job(JobKey(None, 2.0), "20251225_143022_b", RunOptions(), "upscale")
    other.start_pass(FACTS).begun = 1
    assert other.end_line(0.0)["run"]["status"] == "failed"


def test_each_model_and_warning_is_told_once(job: Job) -> None:
    job.start_pass(FACTS)
    for _ in range(2):
        job.note_models([{"kind": "checkpoint", "name": "tiny"}], ["x was used"])
    end = job.end_line(0.0)["run"]
    assert end["models"] == [{"kind": "checkpoint", "name": "tiny"}] and end["warnings"] == ["x was used"]


def test_a_variant_gives_each_image_its_own_values() -> None:
    variant = Variant(3, {"Steps": 2}, ({"prompt": "cat"},))
    assert variant.of_image(0) == {"pack": None, "row": 3, "index": 0, "values": {"Steps": 2, "prompt": "cat"}}
    assert variant.of_image(1)["values"] == {"Steps": 2}
