from __future__ import annotations

import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.manifest.infotext import parse_hashes, parse_infotext

SAMPLE = (
    "a lighthouse\non a cliff, dramatic: sky\nNegative prompt: blurry, (worst quality:1.4)\nsecond line\n"
    "Steps: 3, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 4.5, Seed: 2522798642, Size: 64x72, Model hash: 2179a1da82,"
    ' Model: tiny, Run ID: 20251225_143022_my_pack, Lora hashes: "a: 1f, b: 2e", Version: 1.10.1'
)


def test_prompt_negative_prompt_and_parameters_are_told_apart() -> None:
    text = parse_infotext(SAMPLE)
    assert text.prompt == "a lighthouse\non a cliff, dramatic: sky"
    assert text.negative_prompt == "blurry, (worst quality:1.4)\nsecond line"
    assert (text.seed, text.run_id) == (2522798642, "20251225_143022_my_pack")
    assert text.parameters["Sampler"] == "DPM++ 2M"
    assert parse_hashes(text.parameters["Lora hashes"]) == {"a": "1f", "b": "2e"}


def test_a_quoted_value_may_hold_commas_quotes_and_colons() -> None:
    text = parse_infotext('x\nSteps: 1, Seed: 2, Note: "a, b: \\"c\\"", Version: 1')
    assert text.parameters["Note"] == 'a, b: "c"'


@pytest.mark.parametrize("text", ["just a prompt, with: colon", "", "\n\n", "Steps: 1, Seed: 2"])
def test_fewer_than_three_pairs_are_prompt(text: str) -> None:
    assert parse_infotext(text).parameters == {}


HOSTILE = [
    "a a " * 100_000, "a" * 400_000, " " * 400_000, 'ab: "' * 100_000, ":" * 400_000, "ab:" + " " * 300_000 + '"', 'ab: "x", ' * 110_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_read_in_no_time(text: str) -> None:
    started = time.perf_counter()
    parse_infotext(text)
    parse_hashes(text)
    assert time.perf_counter() - started < 2.0


@pytest.mark.parametrize("text", ["(;" * (1 << 19) + ":", 'ab: "' + "x" * (1 << 20), 'ab: "' + '\\"' * (1 << 19)])
def test_a_megabyte_that_is_no_key_or_one_open_quote_takes_little_memory(text: str) -> None:
    """Found by the fuzzer: a string for each character that cannot stand in a key, a step back for each that stands in quotes."""
    tracemalloc.start()
    parse_infotext(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


@given(st.text(max_size=300))
def test_no_text_can_make_the_reader_fail(text: str) -> None:
    parse_infotext(text)
