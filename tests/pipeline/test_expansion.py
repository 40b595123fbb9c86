"""Expansion: counted without being built, every combination once, the same again for the same seed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.errors import UsageError
from lib_sdpipe.pipeline.packs.combinations import count_combinations, find_combination, shuffle_number
from lib_sdpipe.pipeline.packs.expansion import Choices, count_items, expand, find_refusal, preview
from lib_sdpipe.pipeline.packs.pack import MOST_ITEMS, RANDOM, SEQUENTIAL, Matrix, Pack, Row, Slot

KINDS = Slot("kind", ("castle", "tower"))
PLACES = Slot("place", ("hill", "lake", "[[kind]]"))
CASTLES = Pack("Castles", (Row(("a [[kind]] by a [[place]]",), "no [[kind]]s"), Row(("a bridge",))), Matrix((KINDS, PLACES)))


def big(limit: int | None = None, mode: str = RANDOM) -> Pack:
    slots = tuple(Slot(name, tuple(f"{name}{number}" for number in range(1000))) for name in "abc")
    return Pack("big", (Row(("[[a]] [[b]] [[c]]",)), Row(("x [[c]] [[b]] [[a]]",))), Matrix(slots, mode=mode, limit=limit))


def test_rows_times_values_with_their_places() -> None:
    items = list(expand(CASTLES))
    assert len(items) == count_items(CASTLES) == 7
    assert items[0].settings == {"prompt": "a castle by a hill", "negative_prompt": "no castles"}
    assert items[0].variant == {"pack": "Castles", "row": 0, "index": 0, "values": {"kind": "castle", "place": "hill"}}
    assert items[5].settings["prompt"] == "a tower by a [[kind]]", "values are not looked through in turn"
    assert items[6].settings == {"prompt": "a bridge"} and items[6].variant == {"pack": "Castles", "row": 1, "index": 0, "values": {}}


def test_a_row_varies_only_in_the_words_it_has() -> None:
    pack = Pack("p", (Row(("a [[place]]",)),), Matrix((KINDS, PLACES)))
    assert [item.settings["prompt"] for item in expand(pack)] == ["a hill", "a lake", "a [[kind]]"]
    assert preview(pack).warnings == ("[[kind]] is in no prompt; its values are not used",)


def test_names_may_have_blanks_and_brackets_that_weaken_stay() -> None:
    pack = Pack("p", (Row(("a [[ main subject ]], [[soft, warm]] [light]",)),), Matrix((Slot("main subject", ("cat", "dog")),)))
    assert [item.settings["prompt"] for item in expand(pack)] == ["a cat, [[soft, warm]] [light]", "a dog, [[soft, warm]] [light]"]
    assert preview(pack).warnings == ()


def test_global_texts_come_first_and_vary_too() -> None:
    pack = Pack("p", (Row(("a cat",), "dog"), Row(("x",))), Matrix((KINDS,)), global_positive="best, ", global_negative="[[kind]]")
    assert [item.settings for item in expand(pack, Choices(limit=1))] == [
        {"prompt": "best, a cat", "negative_prompt": "castle, dog"}, {"prompt": "best, x", "negative_prompt": "castle"},
    ]
    (item,) = expand(pack, Choices(rows=(1,), global_positive="", global_negative=""))
    assert item.settings == {"prompt": "x"}


slots_of = st.lists(st.integers(1, 5), max_size=4).map(
    lambda sizes: tuple(Slot(f"s{number}", tuple(f"{number}.{value}" for value in range(size))) for number, size in enumerate(sizes))
)


rows_of = st.lists(st.lists(st.integers(0, 4), max_size=4), min_size=1, max_size=3)


@given(slots_of, rows_of, st.none() | st.integers(0, 30), st.integers(), st.booleans())
def test_the_count_is_exact_and_every_combination_comes_once(
    slots: tuple[Slot, ...], rows: list[list[int]], limit: int | None, seed: int, is_random: bool
) -> None:
    texts = tuple(Row((f"row {number} " + " ".join(f"[[s{slot}]]" for slot in row),)) for number, row in enumerate(rows))
    pack = Pack("p", texts, Matrix(slots, mode=RANDOM if is_random else SEQUENTIAL))
    choices = Choices(limit=limit, seed=seed)
    items = list(expand(pack, choices))
    assert len(items) == count_items(pack, choices)
    assert len({item.settings["prompt"] for item in items}) == len(items)
    assert items == list(expand(pack, choices))
    for number, row in enumerate(rows):
        here = [item for item in items if item.variant and item.variant["row"] == number]
        there = count_combinations([len(slots[slot].values) for slot in set(row) if slot < len(slots)])
        assert len(here) == (min(limit, there) if limit else there)
        assert [item.variant["index"] for item in here if item.variant] == list(range(len(here)))


@given(st.integers(1, 600), st.text(max_size=5))
@settings(max_examples=30)
def test_a_shuffle_gives_each_number_another_place(total: int, key: str) -> None:
    assert sorted(shuffle_number(number, total, key) for number in range(total)) == list(range(total))


def test_a_shuffle_is_one_on_every_computer_and_another_for_another_seed() -> None:
    assert [shuffle_number(number, 10**9, "7:0") for number in range(3)] == [782743810, 396412752, 447960154]
    first, again, other = (list(expand(big(20), Choices(seed=seed))) for seed in (7, 7, 8))
    assert first == again and first != other
    drawn = {tuple(sorted(item.variant["values"].items())) for item in first if item.variant}
    assert len(drawn) == 40, "each row draws for itself"


@given(st.lists(st.integers(1, 6), max_size=4))
def test_combinations_are_in_the_order_of_a_nested_loop(sizes: list[int]) -> None:
    found = [find_combination(sizes, number) for number in range(count_combinations(sizes))]
    assert found == sorted(set(found))


def test_billions_are_counted_at_once_and_refused() -> None:
    begun = time.perf_counter()
    shown = preview(big())
    assert time.perf_counter() - begun < 0.5
    assert shown.count == 2 * 10**9 and len(shown.items) == 10
    assert shown.refusal == "this pack makes 2,000,000,000 prompts; at most 10,000 at once: set a limit, or choose rows"
    with pytest.raises(UsageError, match="2,000,000,000"):
        expand(big())
    assert find_refusal(big(limit=MOST_ITEMS // 2)) is None


def test_a_tower_of_slots_is_refused_without_being_drawn_from() -> None:
    slots = tuple(Slot(f"s{number}", tuple(map(str, range(1000)))) for number in range(50))
    pack = Pack("p", (Row((" ".join(f"[[{slot.name}]]" for slot in slots),)),), Matrix(slots, mode=RANDOM, limit=3))
    shown = preview(pack)
    assert shown.items == () and shown.refusal == "row 1: more combinations than can be drawn from; take slots out of it"


def test_a_prompt_that_would_grow_beyond_all_bounds_is_never_built() -> None:
    pack = Pack("p", (Row(("[[a]]" * 3000,)),), Matrix((Slot("a", ("x" * 20_000,)),)))
    shown = preview(pack)
    assert shown.items == () and shown.refusal == "row 1: a prompt of it would have 60,000,000 characters; at most 20,000"
    many = Pack("p", tuple(Row((f"{number} [[a]]",)) for number in range(2000)), Matrix((Slot("a", ("x" * 19_000,)),)))
    assert "characters together" in str(find_refusal(many))


@pytest.mark.parametrize(("choices", "text"), [
    (Choices(mode="odd"), "mode"), (Choices(limit=-1), "limit"), (Choices(rows=(7,)), "none of the chosen rows"),
    (Choices(rows=()), "none"),
])
def test_choices_that_mean_nothing_are_told(choices: Choices, text: str) -> None:
    assert text in str(find_refusal(CASTLES, choices))
    with pytest.raises(UsageError):
        expand(CASTLES, choices)


def test_what_somebody_should_know_before_is_said() -> None:
    slot = Slot("kind", ("castle", "castle", "tower"))
    pack = Pack("p", (Row(("a [[kind]] [[mood]]",)), Row(("a [[kind]] [[mood]]",))), Matrix((slot,)))
    assert preview(pack).warnings == (
        "[[mood]] has no values: it stays in the prompt as it is (2 rows)", "[[kind]] has the same value more than once",
        "4 of 6 prompts are the same as an earlier one; with a fixed seed they make the same image",
    )
    assert "the limit leaves 2 of up to 3 combinations of a row (2 rows)" in preview(pack, Choices(limit=2)).warnings
    off = Pack("p", pack.rows, Matrix((slot,), enabled=False))
    assert "[[kind]] is not varied, since the matrix is off: it stays in the prompt as it is (2 rows)" in preview(off).warnings
