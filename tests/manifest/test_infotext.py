from __future__ import annotations

import re
import tracemalloc
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.manifest.infotext import Infotext, format_infotext, parse_hashes, parse_infotext
from tests.pace import assert_quick

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
    "a a " * 100_000, "a" * 400_000, " " * 400_000, 'ab: "' * 100_000, ":" * 400_000, "ab:" + " " * 300_000 + '"', 'ab:"c",' * 60_000,
    'ab:"' + "\\" * 400_001, 'ab:"' + '\\"' * 200_000, "Steps: 1\nTemplate: " * 20_000, "Negative prompt:\n" * 30_000, "ab: c," * 70_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_read_in_no_time(text: str) -> None:
    assert_quick(lambda: (parse_infotext(text), parse_hashes(text)), seconds=2)


@pytest.mark.parametrize("text", [
    "(;" * (1 << 19) + ":", 'ab: "' + "x" * (1 << 20), 'ab: "' + '\\"' * (1 << 19), "".join(f"{n:x}:b," for n in range(1 << 17)),
])
def test_a_megabyte_that_is_no_key_or_one_open_quote_takes_little_memory(text: str) -> None:
    """Found by the fuzzer: a string for each character that cannot stand in a key, a step back for each that stands in quotes."""
    tracemalloc.start()
    parse_infotext(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 << 20


# The hosts' own definition of a pair; over a whole hostile line it takes quadratic time, over these short ones it is the measure.
HOST_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
PIECES = st.sampled_from([
    "a", "bc", "Steps: ", "é", ":", ": ", ",", ", ", '"', "\\", " ", "\t", "-", "/", "_", "(", "1", "Negative prompt:", "\n",
])


@settings(max_examples=200)
@given(st.lists(PIECES, max_size=25).map("".join))
def test_pairs_are_those_that_the_hosts_regular_expression_finds(text: str) -> None:
    last = text.strip().split("\n")[-1]
    found = HOST_PAIR.findall(last)
    expected = [key for key, value in found if value] if len(found) >= 3 else []
    assert list(parse_infotext(text).parameters) == list(dict.fromkeys(expected))


@settings(max_examples=100)
@given(st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=25).map("".join))
def test_what_is_unchanged_is_formatted_back_to_the_letter(text: str) -> None:
    assert format_infotext(parse_infotext(text)) == text


LINE = st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp"), blacklist_characters="\x85"), max_size=30).map(str.strip)
PROMPT = st.lists(LINE.filter(lambda line: not line.startswith(("Negative", "Template"))), max_size=3).map("\n".join).map(str.strip)
KEY = st.from_regex(r"[A-Za-zé_][\w/-][\w /-]{0,10}", fullmatch=True).filter(lambda key: key not in ("Template", "Negative Template"))
VALUE = st.text(st.characters(blacklist_categories=("Cs",)), min_size=1, max_size=20).map(str.strip).filter(lambda v: v and v[0] != '"')


@settings(max_examples=80)
@given(PROMPT.filter(bool), PROMPT, st.dictionaries(KEY, VALUE, min_size=3, max_size=6))
def test_what_a_host_can_write_is_read_and_written_back(prompt: str, negative: str, parameters: dict[str, str]) -> None:
    made = Infotext(prompt, negative, parameters)
    text = format_infotext(made)
    assert parse_infotext(text) == made
    assert format_infotext(replace(parse_infotext(text), written="")) == text


def test_a_changed_value_is_quoted_as_the_hosts_do() -> None:
    read = parse_infotext(SAMPLE)
    text = format_infotext(replace(read, parameters={**read.parameters, "Model": 'a, "b"'}))
    assert text == SAMPLE.replace("Model: tiny", 'Model: "a, \\"b\\""')


CONTROLNET = '"Module: canny, Model: control_v11p [d14c016b], Weight: 1.0, Resize Mode: Crop and Resize, Guidance: (0.0, 1.0)"'
CASES = {
    "prompt with Steps:": ("Steps: 3, a: b, cd: e\nmore", "", "Steps: 20, Sampler: Euler, Seed: 1", {"Seed": "1", "Steps": "20"}),
    "prompt with a late Negative prompt:": ("a Negative prompt: b", "c", "Steps: 20, Sampler: Euler, Seed: 1", {"Sampler": "Euler"}),
    "hashes": ("a", "b", 'Steps: 1, Lora hashes: "a: 1f", TI hashes: "easy neg: 2e, b: 3c", Seed: 1',
               {"Lora hashes": "a: 1f", "TI hashes": "easy neg: 2e, b: 3c"}),
    "controlnet": ("a", "", f"Steps: 1, Seed: 2, ControlNet 0: {CONTROLNET}, Version: v1.10.1", {"ControlNet 0": CONTROLNET[1:-1]}),
    "adetailer": ("a", "", "Steps: 1, Seed: 2, ADetailer model: face.pt, ADetailer model 2nd: hand.pt, ADetailer version: 25.3.0",
                  {"ADetailer model": "face.pt", "ADetailer model 2nd": "hand.pt"}),
    "many lines in a value": ("a", "", 'Steps: 1, Seed: 2, Hires prompt: "b\\nc: d", Version: 1', {"Hires prompt": "b\nc: d"}),
    "forge": ("a", "", "Steps: 1, Seed: 2, Module 1: ae, Version: f2.0.1v1.10.1-previous-669-gdfdcbab6",
              {"Module 1": "ae", "Version": "f2.0.1v1.10.1-previous-669-gdfdcbab6"}),
}


@pytest.mark.parametrize("case", CASES)
def test_what_extensions_and_prompts_write_is_read_and_written_back(case: str) -> None:
    prompt, negative, line, expected = CASES[case]
    text = prompt + (f"\nNegative prompt: {negative}" if negative else "") + "\n" + line
    read = parse_infotext(text)
    assert (read.prompt, read.negative_prompt) == (prompt, negative)
    assert expected.items() <= read.parameters.items()
    assert format_infotext(replace(read, written="")) == text


def test_templates_below_the_parameters_hide_nothing() -> None:
    text = f"{SAMPLE}\nTemplate: a {{lighthouse|tower: (x:1), b: 2, cd: 3}}\nsecond line\nNegative Template: blurry"
    read, plain = parse_infotext(text), parse_infotext(SAMPLE)
    assert (read.prompt, read.seed) == (plain.prompt, 2522798642)
    assert read.parameters["Template"] == "a {lighthouse|tower: (x:1), b: 2, cd: 3}\nsecond line"
    assert read.parameters["Negative Template"] == "blurry"
    assert format_infotext(replace(read, written="")) == text


@given(st.text(max_size=300))
def test_no_text_can_make_the_reader_fail(text: str) -> None:
    parse_infotext(text)
