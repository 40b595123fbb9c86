"""Images made before SDPipe are grouped as one press of Generate made them, and never further."""

from __future__ import annotations

import dataclasses
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.reconcile.adopt.found import FoundImage
from lib_sdpipe.reconcile.adopt.grouping import Group, group_images
from tests.reconcile.host_outputs import Host, infotext


def paths(groups: list[Group]) -> list[frozenset[str]]:
    return [frozenset(one.path for one in group.files) for group in groups]


def assert_true(host: Host) -> list[Group]:
    groups = group_images(host.files)
    assert set(paths(groups)) == set(host.truth) and len(groups) == len(host.truth)
    return groups


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 9])
@pytest.mark.parametrize("grid", [True, False])
def test_a_batch_is_one_run_with_its_grid(count: int, grid: bool) -> None:
    host = Host()
    host.generate(7_000_000, count, grid=grid)
    host.wait(5).generate(9_000_000, count, grid=grid)
    first, _ = assert_true(host)
    assert [one.settings.seed for one in first.images] == list(range(7_000_000, 7_000_000 + count))
    assert (first.grid is not None) == (grid and count > 1)


def test_two_presses_minutes_apart_with_the_next_seed_are_two_runs() -> None:
    host = Host()
    host.generate(100, 2, grid=False)
    host.wait(180).generate(102, 2, grid=False)
    assert_true(host)


def test_an_image_of_another_press_in_between_parts_them() -> None:
    host = Host()
    host.generate(100)
    host.generate(900, prompt="a dog")
    host.generate(101)
    assert_true(host)


def test_two_batches_with_grids_are_two_runs_however_soon() -> None:
    host = Host()
    host.generate(100, 4)
    host.wait(3).generate(104, 4)
    host.wait(3).generate(100, 4)
    assert_true(host)


def test_a_slow_batch_is_held_together_by_its_grid_alone() -> None:
    host = Host()
    host.generate(100, 4, seconds=600)
    assert_true(host)
    without = [one for one in host.files if one.kind != "grid"]
    assert len(group_images(without)) == 4, "minutes apart and nothing that proves it"


def test_a_variation_seed_counts_up_in_place_of_the_seed() -> None:
    host = Host()
    host.generate(7, 4, subseed=500)
    host.wait(5).generate(7, 3, subseed=900, grid=False)
    assert_true(host)


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_pictures_from_before_hires_fix_belong_to_their_image(at_once: int) -> None:
    host = Host()
    host.generate(7_000_000, 4, hires=at_once)
    host.wait(5).generate(7_000_004, 3, hires=at_once, grid=False)
    for group in assert_true(host):
        assert len(group.companions) == len(group.images)
        assert all(one.settings.seed == image.settings.seed for one, image in group.companions if image is not None)


@pytest.mark.parametrize("ending", ["-ad-before", "-before-face-restoration", "-before-color-correction", "-mask", "-mask-composite"])
def test_companions_belong_to_their_image(ending: str) -> None:
    host = Host()
    host.generate(7_000_000, 3, ending=ending, more=", Mask blur: 4")
    host.wait(20).generate(7_000_000, 3, ending=ending, more=", Mask blur: 4")
    for group in assert_true(host):
        assert {one.host_name.rest: image.host_name.rest for one, image in group.companions if image} == {
            str(seed): str(seed) for seed in range(7_000_000, 7_000_003)
        }


def test_other_prompts_and_settings_at_the_same_time_stay_apart() -> None:
    host = Host()
    for place, prompt in enumerate(["a red cat", "a blue cat", "a green cat"]):  # dynamic prompts: one press, and no proof of it
        host.generate(100 + place, prompt=prompt, seconds=1)
    for steps in (1, 2, 3):  # X/Y/Z
        host.generate(100, more=f", Clip skip: {steps}", seconds=1)
    assert_true(host)


def test_the_grid_of_a_script_claims_no_images() -> None:
    host = Host()
    host.generate(100, 1, grid=False)
    host.alone("txt2img-grids/2023-11-14", "xyz_grid-0000-100.png", infotext(100, more=", Script: X/Y/Z plot"))
    assert_true(host)


def test_a_deleted_image_leaves_a_hole_and_no_doubt() -> None:
    host = Host()
    host.generate(100, 4, grid=False)
    host.wait(5).generate(700, 6)
    deleted = {host.files[1].path, host.files[4].path, host.files[6].path}
    kept = [one for one in host.files if one.path not in deleted]
    assert set(paths(group_images(kept))) == {press - deleted for press in host.truth}


def test_a_companion_whose_image_is_gone_stands_alone() -> None:
    host = Host()
    host.generate(5, 1, hires=1)
    alone = group_images(host.files[:1])
    assert [(one.path, image) for one, image in alone[0].companions] == [(host.files[0].path, None)]
    host.wait(3600).generate(5, 1, hires=1)
    del host.files[1]
    assert len(group_images(host.files)) == 2, "an hour later it is another's"


def test_files_that_name_their_run_need_no_other_proof() -> None:
    host = Host()
    for seed in (5, 99, 7):
        host.generate(seed, prompt=f"cat {seed}")
    named = [dataclasses.replace(one, run_id="20231114_101010_cats") for one in host.files]
    (group,) = group_images(named)
    assert group.run_id == "20231114_101010_cats" and len(group.images) == 3


def test_names_without_numbers_go_by_seeds_and_time() -> None:
    files = [FoundImage("outputs", "", f"cat-{seed}.png", 10, 1e9 + seed, "PNG", 64, 48, infotext(seed)) for seed in (1, 2, 3, 9)]
    assert [len(group.files) for group in group_images(files)] == [3, 1]


_PRESS = st.fixed_dictionaries({
    "seed": st.integers(0, 1 << 33), "count": st.integers(1, 6), "grid": st.booleans(), "hires": st.integers(0, 3),
    "prompt": st.sampled_from(["a cat", "a dog"]), "seconds": st.sampled_from([0.0, 1.0, 20.0]),
    "ending": st.sampled_from([None, "-mask", "-ad-before"]), "subseed": st.sampled_from([None, 5]),
})


@given(st.lists(st.tuples(_PRESS, st.sampled_from([0.0, 2.0, 100.0])), max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_every_file_is_in_one_group_whatever_the_order(presses: list[tuple[dict, float]], shuffler: random.Random) -> None:
    host = Host()
    for press, pause in presses:
        host.wait(pause).generate(**press)
    groups = group_images(host.files)
    assert sorted(path for group in paths(groups) for path in group) == sorted(one.path for one in host.files)
    mixed = list(host.files)
    shuffler.shuffle(mixed)
    assert paths(group_images(mixed)) == paths(groups)
    assert all(len({one.settings.key for one in group.images}) <= 1 for group in groups), "one group has one kind of settings"


@given(st.lists(st.tuples(st.integers(1 << 20, 1 << 32), st.integers(1, 6), st.booleans(), st.integers(0, 2)), max_size=8,
                unique_by=lambda press: press[0] >> 8))
@settings(max_examples=60, deadline=None)
def test_presses_with_drawn_seeds_are_told_apart(presses: list[tuple[int, int, bool, int]]) -> None:
    host = Host()
    for seed, count, grid, hires in presses:
        host.wait(1).generate(seed << 8, count, grid=grid, hires=hires)
    assert_true(host)
