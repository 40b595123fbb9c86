"""Two prompts word by word: the steps lead from one to the other, and say what a person would."""

from __future__ import annotations


import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.manifest.alignment import align
from lib_sdpipe.manifest.compare_prompts import PromptDifference, compare_prompts
from lib_sdpipe.manifest.prompt_words import PromptToken, parse_prompt
from tests.pace import assert_quick

_PIECES = st.sampled_from([
    "a", "cat", "dog", "on", "mist", ", ", ",", " ", "(", ")", "[", "]", ":1.2)", ":", "|", "\\(", "\\", "<lora:x:0.8>", "<lora:x:1>", "<",
    " BREAK ", " AND ", "夜", "\n", ":0.5]", ":-1)", ":.)",
])
PROMPTS = st.one_of(st.lists(_PIECES, max_size=40).map("".join), st.text(max_size=60))


@given(PROMPTS)
def test_nothing_of_a_prompt_is_lost_in_reading_it(text: str) -> None:
    prompt = parse_prompt(text)
    assert "".join(token.before + token.text for token in prompt.tokens) + prompt.tail == text


@given(PROMPTS, PROMPTS)
@settings(max_examples=150)
def test_the_steps_make_the_old_prompt_the_new_one(old: str, new: str) -> None:
    difference = compare_prompts(old, new)
    assert _apply(difference, _words(old)) == _words(new)
    assert difference.is_equal is (_words(old) == _words(new))


@given(PROMPTS)
def test_a_prompt_equals_itself(text: str) -> None:
    assert compare_prompts(text, text).is_equal


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.integers(0, 5), max_size=30))
def test_as_many_items_are_aligned_as_can_be(one: list[int], other: list[int]) -> None:
    pairs = align(one, other)
    assert all(one[i] == other[j] for i, j in pairs)
    assert all(a[0] < b[0] and a[1] < b[1] for a, b in zip(pairs, pairs[1:]))
    assert len(pairs) == _longest_common(one, other)


def _longest_common(one: list[int], other: list[int]) -> int:
    row = [0] * (len(other) + 1)
    for item in one:
        above = row[:]
        for j, found in enumerate(other):
            row[j + 1] = above[j] + 1 if item == found else max(row[j], above[j + 1])
    return row[-1]


def _words(text: str) -> list[tuple[str, str]]:
    return [(token.key, token.weight) for token in parse_prompt(text).tokens]


def _apply(difference: PromptDifference, words: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Another reader of the steps: it knows the old words and the steps, nothing of the new prompt."""
    rest, made = list(words), []
    for step in difference.steps:
        if step.kind in ("same", "weight", "removed", "moved-from"):
            assert step.old is not None
            assert rest.pop(0) == (step.old.key, step.old.weight)
        if step.kind == "same":
            assert step.old is not None
            made.append((step.old.key, step.old.weight))
        elif step.kind in ("weight", "added", "moved-to"):
            assert step.new is not None
            made.append((step.new.key, step.new.weight))
    assert rest == []
    return made


def _said(old: str, new: str) -> list[str]:
    """What differs, in short."""
    signs = {"removed": "-", "added": "+", "moved-from": "<", "moved-to": ">"}
    found = []
    for step in compare_prompts(old, new).steps:
        token: PromptToken | None = step.new or step.old
        assert token is not None
        if step.kind == "weight":
            assert step.old is not None
            found.append(f"{token.text} {step.old.weight} to {token.weight}")
        elif step.kind != "same":
            found.append(signs[step.kind] + token.text)
    return found


def test_words_that_come_and_go_are_told() -> None:
    assert _said("a lighthouse on a cliff", "a lighthouse on a rock") == ["-cliff", "+rock"]


def test_another_weight_is_no_other_word() -> None:
    assert _said("(mist:1.2), sun", "(mist:1.1), ((sun))") == ["mist 1.2 to 1.1", "sun 1 to 1.21"]
    assert _said("((sun))", "(sun:1.21)") == [], "the same weight, written in two ways"
    assert _said("[sun]", "sun") == ["sun 0.9091 to 1"]


def test_a_lora_keeps_its_name_at_another_weight() -> None:
    assert _said("x <lora:sea:0.8>", "x <lora:sea:0.6>") == ["<lora:sea:0.6> 0.8 to 0.6"]
    assert _said("x <lora:sea:0.8>", "x <lora:sky:0.8>") == ["-<lora:sea:0.8>", "+<lora:sky:0.8>"]


def test_a_phrase_that_stands_elsewhere_was_moved() -> None:
    assert _said("soft light, a cat, mist", "a cat, mist, soft light") == ["<soft", "<light", "-,", "+,", ">soft", ">light"]
    assert _said("a red cat, sun", "a cat, red sun") == ["-red", "+red"], "a part of a phrase is no phrase"


def test_what_changes_the_order_of_steps_is_text() -> None:
    assert _said("[cat:dog:0.5]", "[cat:dog:0.7]") == ["-0.5", "+0.7"]
    assert _said("a [cat|dog]", "a cat") == ["-[", "-|", "-dog", "-]"]
    assert _said("a cat BREAK a dog", "a cat AND a dog") == ["-BREAK", "+AND"]
    assert [token.kind for token in parse_prompt("a BREAK b AND c").tokens] == ["word", "keyword", "word", "keyword", "word"]


def test_escaped_brackets_belong_to_the_word() -> None:
    assert _words("saber \\(fate\\)") == [("saber", "1"), ("\\(fate\\)", "1")]


def test_the_weights_are_those_of_the_host() -> None:
    # The example in A1111's own prompt_parser.py.
    assert dict(_words("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).")) == {
        "a": "1.1", "house": "1.573", "on": "1", "hill": "0.55", ",": "1", "sun": "1.1", "sky": "1.464", ".": "1.1",
    }


@pytest.mark.parametrize(("old", "new"), [
    ("a " * 40_000, "b a " * 40_000),
    (" ".join(f"x{n}" for n in range(4000)), " ".join(f"x{n}" for n in reversed(range(4000)))),
    (" ".join(f"x{n * 7919 % 301}" for n in range(5000)), " ".join(f"x{n * 104729 % 299}" for n in range(5000))),
    ("(" * 30 + "a " * 9000, "(" * 30 + "a b " * 9000), ("," * 20_000, "a," * 20_000), ("<a:" * 20_000, "\\" * 20_000),
    (":" * 20_000, "[" * 20_000), ("(" * 100_000, ")" * 100_000), ("<lora:" + "a" * 20_000, "a:" + " " * 20_000 + ")"),
])
def test_hostile_prompts_take_no_time(old: str, new: str) -> None:
    assert_quick(lambda: compare_prompts(old, new), seconds=1)


def test_of_a_book_the_beginning_is_compared() -> None:
    book = "a word " * 10_000
    assert compare_prompts(book, book).is_equal
    assert compare_prompts(book, book + "more").is_cut and not compare_prompts(book, book + "more").is_equal
