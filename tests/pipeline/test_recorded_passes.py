from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lib_sdpipe.manifest.records import Batch, Manifest
from lib_sdpipe.pipeline.chain import Step, next_step
from lib_sdpipe.pipeline.recorded_passes import find_recorded
from lib_sdpipe.pipeline.records import Item, Job, Stage

CHAIN = Job(items=[Item()], stages=[
    Stage(stage="txt2img", settings={"batch_size": 2, "n_iter": 2}), Stage(stage="img2img"), Stage(stage="upscale"),
])
FIRST = Step(0, "0")
PLACES = [(0, 0), (0, 1), (1, 0), (1, 1)]


def made(stage: int, input: str, name: str, place: tuple[int, int] | None = (0, 0), **more: Any) -> Manifest:
    batch = Batch(iteration=place[0], index=place[1]) if place is not None else None
    fields = {"stage": CHAIN.stages[stage].stage, "role": "final", "config": {}, "step": {"stage": stage, "input": input}, **more}
    return Manifest(name=name, batch=batch, **fields)


def first_pass() -> list[Manifest]:
    return [made(0, "0", f"txt2img_{number:03}", place) for number, place in enumerate(PLACES, 1)]


def test_a_pass_with_all_its_images_was_made() -> None:
    found = find_recorded(CHAIN, [*first_pass(), made(1, "txt2img_001", "img2img_001"), made(1, "txt2img_003", "img2img_003")])
    assert set(found) == {FIRST, Step(1, "txt2img_001"), Step(1, "txt2img_003")}
    assert (found[FIRST].stage, found[FIRST].input, len(found[FIRST].images)) == (0, "0", 4)


def test_images_are_gone_on_from_in_the_order_in_which_they_were_made() -> None:
    names = ["txt2img_1001", "txt2img_999", "txt2img_1000", "txt2img_998"]
    images = [made(0, "0", name, place) for name, place in zip(names, PLACES)]
    assert find_recorded(CHAIN, images[::-1])[FIRST].images == names


@pytest.mark.parametrize("lack", [
    lambda images: images[:3], lambda images: [*images[:3], images[0].copy(update={"name": "txt2img_009"})],
    lambda images: [*images[:3], images[3].copy(update={"role": "preview"})],
    lambda images: [*images[:3], images[3].copy(update={"config": {"incomplete": True}})],
    lambda images: [*images[:3], images[3].copy(update={"step": None})],
    lambda images: [*images[:3], images[3].copy(update={"step": {"stage": "0", "input": 0}})],
    lambda images: [*images, images[0].copy(update={"name": "txt2img_009"})],
], ids=["one too few", "one twice", "a preview", "cut short", "of no pass", "a strange mark", "two attempts"])
def test_a_pass_of_which_it_is_not_sure_is_made_again(lack: Callable[[list[Manifest]], list[Manifest]]) -> None:
    assert find_recorded(CHAIN, lack(first_pass())) == {}


@pytest.mark.parametrize("step", [(0, "1"), (0, "x"), (0, "-1"), (3, "txt2img_001"), (-1, "0")])
def test_a_pass_that_the_chain_does_not_have_is_none(step: tuple[int, str]) -> None:
    images = [one.copy(update={"step": {"stage": step[0], "input": step[1]}}) for one in first_pass()]
    assert find_recorded(CHAIN, images) == {} == find_recorded(CHAIN, images[:1])


def test_a_grid_is_not_one_of_the_images() -> None:
    found = find_recorded(CHAIN, [*first_pass(), made(0, "0", "grid_001", None).copy(update={"stage": "grid"})])
    assert len(found[FIRST].images) == 4


def test_an_upscaled_image_stands_for_its_pass() -> None:
    assert find_recorded(CHAIN, [made(2, "img2img_001", "upscale_001", None)])[Step(2, "img2img_001")].images == ["upscale_001"]


@given(st.sets(st.integers(0, 11)))
def test_whatever_is_left_of_it_each_image_of_the_rest_is_made_once(lost: set[int]) -> None:
    whole = [
        *first_pass(), *(made(1, f"txt2img_{n:03}", f"img2img_{n:03}") for n in range(1, 5)),
        *(made(2, f"img2img_{n:03}", f"upscale_{n:03}", None) for n in range(1, 5)),
    ]
    found, every = find_recorded(CHAIN, [one for number, one in enumerate(whole) if number not in lost]), find_recorded(CHAIN, whole)
    job, made_again = CHAIN, []
    while (step := next_step(job)) is not None:
        if step not in found:
            made_again.append(step)
        job = job.copy(update={"done": [*job.done, every[step]]})
    assert len(made_again) == len({max(0, number - 3) for number in lost})
