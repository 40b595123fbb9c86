"""A search as a person writes it: what it means, and where it cannot be read."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.index.query import MOST_TERMS, And, Not, Or, QueryError, parse_query
from lib_sdpipe.index.query_terms import FIELDS, Choice, Dates, InRun, IsRecorded, Named, Numbers, Size, Word


@pytest.mark.parametrize(("query", "nodes"), [
    ("", ()),
    ("Castle  night", (Word("castle"), Word("night"))),
    ('"At  Night" -fog', (Word("at night"), Not(Word("fog")))),
    ("red cat OR dog OR fox", (Word("red"), Or((Word("cat"), Word("dog"), Word("fox"))))),
    ('"OR" -OR', (Word("or"), Not(Word("or")))),
    ("(masterpiece:1.2) <lora:x:1> 100%", (Word("(masterpiece:1.2)"), Word("<lora:x:1>"), Word("100%"))),
    ("ＣＡＴ 少女", (Word("cat"), Word("少女"))),
    ('model:Dream sampler:"DPM++ 2M" -lora:x', (Named("model", "dream"), Named("sampler", "dpm++ 2m"), Not(Named("loras", "x")))),
    ("stage:inpaint STATUS:Failed", (Choice("stage", "inpaint"), Choice("status", "failed"))),
    ("seed:-1 steps:20..30 cfg:7.5", (Numbers("seed", -1, -1), Numbers("steps", 20, 30), Numbers("cfg", 7.5, 7.5))),
    ("steps:>30 steps:<=9 seed:..5 seed:5..", (
        Numbers("steps", low=30, with_low=False), Numbers("steps", high=9), Numbers("seed", high=5), Numbers("seed", low=5),
    )),
    ("size:512x768 size:1×2", (Size(512, 768), Size(1, 2))),
    ("date:2025", (Dates(date(2025, 1, 1), date(2026, 1, 1)),)),
    ("date:2025-12..2026-01", (Dates(date(2025, 12, 1), date(2026, 2, 1)),)),
    ("date:2024-02-29", (Dates(date(2024, 2, 29), date(2024, 3, 1)),)),
    ("date:>2025-12 date:<2025", (Dates(start=date(2026, 1, 1)), Dates(end=date(2025, 1, 1)))),
    ("date:>=2025 date:<=2025", (Dates(start=date(2025, 1, 1)), Dates(end=date(2026, 1, 1)))),
    ("date:9999-12", (Dates(date(9999, 12, 1), None),)),
    ("run:20251225 recorded:no negative:Fog", (InRun("20251225"), IsRecorded(False), Word("fog", is_negative=True))),
])
def test_what_a_query_means(query: str, nodes: tuple) -> None:
    assert parse_query(query) == And(nodes)


@pytest.mark.parametrize(("query", "place", "says"), [
    ('cat "dog', 4, "not closed"),
    ("cat modle:x", 4, "no field 'modle'"),
    ("cat -steps:many", 11, "20..30"),
    ("seed:1.5", 5, "whole number"),
    ("steps:..", 6, "20..30"),
    ("size:512", 5, "512x768"),
    ("date:2025-13", 5, "no such day"),
    ("date:2025-02-30..2026", 5, "no such day"),
    ("date:..", 5, "2025-12"),
    ("stage:foo", 6, "txt2img"),
    ("recorded:maybe", 9, "yes or no"),
    ("model:", 6, "needs a value"),
    ("cat - dog", 5, "nothing to search"),
    ('""', 0, "nothing to search"),
    ("OR cat", 0, "between two"),
    ("cat OR", 4, "between two"),
    ("cat OR OR dog", 7, "between two"),
])
def test_a_query_that_cannot_be_read_is_pointed_at(query: str, place: int, says: str) -> None:
    with pytest.raises(QueryError) as raised:
        parse_query(query)
    assert (raised.value.place, says in raised.value.reason) == (place, True)
    assert str(raised.value).splitlines()[1:] == [f"  {query}", "  " + " " * place + "^"]


def test_the_pointer_stands_right_under_wide_letters() -> None:
    with pytest.raises(QueryError) as raised:
        parse_query("少女 x:y")
    assert str(raised.value).splitlines()[2] == "  " + " " * 5 + "^"


def test_an_endless_query_is_refused() -> None:
    for query in ("a" * 3000, "a " * (MOST_TERMS + 1)):
        with pytest.raises(QueryError):
            parse_query(query)


@given(st.lists(st.one_of(
    st.text(max_size=12), st.sampled_from(["OR", "-", '"', ".."]), st.sampled_from(FIELDS).map("{}:".format),
), max_size=12).map("".join))
@settings(max_examples=300)
def test_any_text_is_read_or_pointed_at(query: str) -> None:
    try:
        parse_query(query)
    except QueryError as fault:
        assert 0 <= fault.place <= len(query)
