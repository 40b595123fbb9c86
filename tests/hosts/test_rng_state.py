"""Torch's generator in three numbers, held against states that torch 2.3 wrote."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from lib_sdpipe.hosts.rng_state import build_state, describe_state, read_rng_state

# Seed, blocks drawn, place in the last: as after manual_seed, and then randn of some latents; sha256 of torch's 5,056 bytes.
WRITTEN_BY_TORCH = [
    (1234, 0, 1, "de89fdb4ebc4cb9ba868b924a5bdd7042b3741bf9939013d2c1f38675274a084"),
    (1234, 1, 369, "14ad5e954eb0b2650eb084eceb67c227296698486835dfbf92c49506eea6b085"),
    (1234, 27, 465, "b130f74650ade9a424a914180c23c33a504ca4905f201c83d107357fa7ef72e0"),
    (2**40 + 7, 132, 449, "35b638c558751aaebb05a9bf9cd13115a3536c82ed866b9733790fb8a882d4ed"),
    (0, 1, 1, "484720ea4ef85e461290eaa19f8373d5342b76961e5cb6987d7c5efcf19f7a34"),
]


@pytest.mark.parametrize(("seed", "blocks", "left", "digest"), WRITTEN_BY_TORCH)
def test_it_is_torchs_own_state(seed: int, blocks: int, left: int, digest: str) -> None:
    data = build_state({"seed": seed, "blocks": blocks, "left": left})
    assert data is not None and hashlib.sha256(data).hexdigest() == digest


@given(st.integers(0, 2**64 - 1), st.integers(1, 60), st.integers(1, 624))
def test_there_and_back_again(seed: int, blocks: int, left: int) -> None:
    state = {"seed": seed, "blocks": blocks, "left": left}
    data = build_state(state)
    assert data is not None and describe_state(data) == state


@pytest.mark.parametrize("state", [
    {}, {"seed": 1}, {"seed": -1, "blocks": 0, "left": 1}, {"seed": 1, "blocks": 10**9, "left": 1}, {"seed": 1, "blocks": 0, "left": 0},
    {"seed": 1 << 64, "blocks": 0, "left": 1}, {"seed": "1", "blocks": 0, "left": 1}, {"seed": 1.0, "blocks": 0, "left": 1},
])
def test_what_nobody_wrote_sets_nothing(state: dict[str, Any]) -> None:
    assert build_state(state) is None


def test_what_three_numbers_do_not_say_is_not_told() -> None:
    data = build_state({"seed": 7, "blocks": 1, "left": 300})
    assert data is not None
    assert describe_state(data[:-1]) is None
    assert describe_state(data[:-40] + b"\1" + bytes(39)) is None  # a normal number is held back
    assert describe_state(data[:24] + bytes(8 * 624) + bytes(40)) is None  # a state of another making


def test_without_torch_there_is_none() -> None:
    assert read_rng_state() is None
