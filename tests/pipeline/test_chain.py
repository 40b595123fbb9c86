from __future__ import annotations

from hypothesis import given, strategies as st

from lib_sdpipe.pipeline.chain import Step, count_passes, next_step
from lib_sdpipe.pipeline.records import DonePass, Item, Job, Stage


def _work_off(job: Job, made_by: list[int]) -> list[Step]:
    """All passes of a job, where a pass of stage n makes `made_by[n]` images."""
    steps, number = [], 0
    while (step := next_step(job)) is not None:
        steps.append(step)
        names = [f"x_{number + n:03}" for n in range(made_by[step.stage])]
        number += len(names)
        job = job.copy(update={"done": [*job.done, DonePass(stage=step.stage, input=step.input, images=names)]})
        assert len(steps) < 1000
    return steps


def test_all_items_go_through_a_stage_before_the_next_begins() -> None:
    job = Job(items=[Item(), Item()], stages=[Stage(stage="txt2img"), Stage(stage="img2img"), Stage(stage="upscale")])
    steps = _work_off(job, [2, 1, 1])
    assert [step.stage for step in steps] == [0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    assert [step.input for step in steps] == ["0", "1", "x_000", "x_001", "x_002", "x_003", "x_004", "x_005", "x_006", "x_007"]


def test_an_image_that_was_skipped_goes_no_further() -> None:
    job = Job(items=[Item(), Item()], stages=[Stage(stage="txt2img"), Stage(stage="upscale")], done=[
        DonePass(stage=0, input="0", images=[]), DonePass(stage=0, input="1", images=["txt2img_001"]),
    ])
    assert next_step(job) == Step(1, "txt2img_001")
    assert count_passes(job) == (2, 3)


def test_how_many_passes_there_are_is_known_once_the_last_stage_has_its_images() -> None:
    job = Job(items=[Item()], stages=[Stage(stage="txt2img"), Stage(stage="upscale")])
    assert count_passes(job) == (0, None)
    assert count_passes(job.copy(update={"done": [DonePass(stage=0, input="0", images=["a_001", "a_002"])]})) == (1, 3)


def test_a_re_run_asks_its_requests_one_after_another() -> None:
    assert _work_off(Job(requests=[{}, {}, {}]), [4]) == [Step(0, "0"), Step(0, "1"), Step(0, "2")]


@given(st.integers(0, 4), st.lists(st.integers(0, 3), min_size=1, max_size=4))
def test_each_image_goes_through_each_stage_once(items: int, made_by: list[int]) -> None:
    job = Job(items=[Item()] * items, stages=[Stage(stage="img2img")] * len(made_by))
    whole = _work_off(job, made_by)
    assert len(set(whole)) == len(whole)
    sums = items
    for stage, made in enumerate(made_by):
        assert sum(step.stage == stage for step in whole) == sums
        sums *= made
