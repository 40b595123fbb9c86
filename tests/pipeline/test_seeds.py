"""Seeds of a pass, and the request that gives them again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.pipeline.seeds import is_random, request_seeds, seeds_of

SEEDS = st.integers(0, 2**32 - 1)


@given(SEEDS, SEEDS, st.sampled_from([0, 0.0, 0.3, 1.0]), st.integers(1, 20), st.data())
def test_any_known_image_tells_what_to_ask_for(seed: int, subseed: int, strength: float, count: int, data: st.DataObject) -> None:
    made = dict(enumerate(seeds_of(seed, subseed, strength, count)))
    known = data.draw(st.sets(st.sampled_from(sorted(made)), min_size=1))
    assert request_seeds({place: made[place] for place in known}, strength, count) == (seed, subseed)


@given(SEEDS, SEEDS, st.sampled_from([0, 0.5]), st.integers(1, 8), st.integers(1, 4), st.data())
def test_a_batch_asked_alone_gives_its_images_the_seeds_they_had(
    seed: int, subseed: int, strength: float, size: int, count: int, data: st.DataObject,
) -> None:
    all_of_run = seeds_of(seed, subseed, strength, size * count)
    batch = data.draw(st.integers(0, count - 1))
    had = all_of_run[batch * size:(batch + 1) * size]
    asked = request_seeds(dict(enumerate(had)), strength, size)
    assert seeds_of(*asked, strength, size) == had


def test_seeds_that_a_script_gave_are_asked_for_one_by_one() -> None:
    assert request_seeds({0: (5, 1), 1: (5, 9)}, 0, 2) == ([5, 5], [1, 9])
    assert request_seeds({0: (5, 1), 2: (5, 9)}, 0, 3) == (None, None)


def test_nothing_known_asks_for_nothing() -> None:
    assert request_seeds({}, 0, 4) == (None, None)
    assert request_seeds({0: (None, 3)}, 0, 1) == (None, 3)


@pytest.mark.parametrize(("seed", "random"), [
    (-1, True), (None, True), ("", True), ("-1", True), ("x", True), (0, False), ("12", False), ([3], False),
])
def test_what_the_host_takes_for_a_random_seed(seed: Any, random: bool) -> None:
    assert is_random(seed) is random
