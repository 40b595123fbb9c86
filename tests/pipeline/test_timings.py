"""The time that is left is what the job's own passes say, else what this library's images took; nothing is made up."""

from __future__ import annotations

import pytest

from lib_sdpipe.pipeline.records import DonePass, Item, Job, Stage
from lib_sdpipe.pipeline.timings import Timed, estimate_seconds_left, learn_speeds


def chain(*stages: Stage, items: int = 2, done: tuple[DonePass, ...] = ()) -> Job:
    return Job(items=[Item() for _ in range(items)], stages=list(stages), done=list(done))


def test_speeds_are_seconds_for_a_megapixel_and_step_weighted_by_images() -> None:
    speeds = learn_speeds([
        Timed("txt2img", 1000, 1000, 10, 1, 20.0), Timed("txt2img", 1000, 1000, 10, 3, 40.0), Timed("upscale", 2000, 1000, None, 1, 4.0),
    ])
    assert speeds == {"txt2img": pytest.approx(3.5), "upscale": pytest.approx(2.0)}


@pytest.mark.parametrize("odd", [
    Timed(None, 512, 512, 20, 1, 1.0), Timed("txt2img", None, 512, 20, 1, 1.0), Timed("txt2img", 512, 512, None, 1, 1.0),
    Timed("txt2img", 512, 512, 20, 0, 1.0), Timed("txt2img", 512, 512, 20, 1, 0.0),
])
def test_what_does_not_say_enough_teaches_nothing(odd: Timed) -> None:
    assert learn_speeds([odd]) == {}


def test_passes_of_the_job_itself_tell_how_long_the_others_take() -> None:
    job = chain(Stage(stage="img2img"), items=4, done=(DonePass(stage=0, input="0", images=["a"], seconds=6.0),))
    assert estimate_seconds_left(job, 0.0, {"img2img": 1000.0}) == pytest.approx(18.0)
    assert estimate_seconds_left(job, 0.5, {}) == pytest.approx(15.0)


def test_a_stage_that_has_not_begun_is_estimated_from_the_library() -> None:
    first = Stage(stage="txt2img", settings={"width": 1000, "height": 1000, "steps": 10, "batch_size": 2})
    job = chain(first, Stage(stage="upscale", settings={"upscaling_resize": 2}), items=1)
    assert estimate_seconds_left(job, 0.0, {"txt2img": 0.5, "upscale": 1.0}) == pytest.approx(2 * 10 * 0.5 + 2 * 4)


def test_nothing_is_said_of_a_stage_that_nobody_has_timed() -> None:
    job = chain(Stage(stage="txt2img"), Stage(stage="adetailer"))
    assert estimate_seconds_left(job, 0.0, {"txt2img": 1.0}) is None


def test_later_stages_have_a_pass_for_each_image_that_came() -> None:
    done = tuple(DonePass(stage=0, input=str(number), images=["a", "b"], seconds=1.0) for number in range(2))
    job = chain(Stage(stage="txt2img", settings={"batch_size": 2}), Stage(stage="upscale"), items=2, done=done)
    made = DonePass(stage=1, input="a", images=["c"], seconds=3.0)
    assert estimate_seconds_left(job.copy(update={"done": [*done, made]}), 0.0, {}) == pytest.approx(9.0)


def test_requests_of_a_rerun_are_weighed_by_their_own_sizes() -> None:
    requests = [{"stage": "txt2img", "config": {"width": side, "height": 500, "steps": 10}} for side in (500, 1000)]
    job = Job(requests=requests, done=[DonePass(stage=0, input="0", images=["a"], seconds=2.0)])
    assert estimate_seconds_left(job, 0.0, {}) == pytest.approx(4.0)


def test_a_job_without_anything_left_takes_no_time() -> None:
    done = (DonePass(stage=0, input="0", images=["a"], seconds=1.0),)
    assert estimate_seconds_left(chain(Stage(stage="txt2img"), items=1, done=done), 0.3, {}) == 0.0
