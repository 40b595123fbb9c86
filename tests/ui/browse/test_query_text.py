"""Clicks write into the query: a term goes in, comes out, or takes the place of another one of its kind."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.index.query import And, QueryError, parse_query
from lib_sdpipe.index.query_terms import Named, Tagged
from lib_sdpipe.ui.browse.query_text import build_filter, has_term, toggle_term


@pytest.mark.parametrize(("query", "term", "after"), [
    ("", "model:=x", "model:=x"),
    ("cat model:=x dog", "model:=x", "cat dog"),
    ("cat model:y", "model:=x", "cat model:=x"),
    ("-model:y", "model:=x", "-model:y model:=x"),
    ("model:y OR model:z cat", "model:=x", "cat model:=x"),
    ("a OR model:x OR b", "model:x", "a OR b"),
    ("model:x OR b", "model:x", "b"),
    ("b OR model:x", "model:x", "b"),
    ("tag:a", "tag:b", "tag:a tag:b"),
    ("date:today cat", "date:week", "cat date:week"),
    ('cat "dog', "tag:b", 'cat "dog tag:b'),
    ('"date:today"', "date:today", '"date:today" date:today'),
])
def test_a_click_changes_the_query(query: str, term: str, after: str) -> None:
    assert toggle_term(query, term) == after


@given(st.text(max_size=20), st.sampled_from(["model", "tag"]))
def test_what_a_filter_writes_can_be_read_and_pressed_again(name: str, field: str) -> None:
    term = build_filter(field, name or "x", is_whole=True)
    query = toggle_term("castle", term)
    try:
        nodes = parse_query(query)
    except QueryError as fault:  # a name of which nothing can be searched
        assert "needs a value" in fault.reason
        return
    assert isinstance(nodes, And) and isinstance(nodes.nodes[1], (Named, Tagged))
    assert has_term(query, term) and toggle_term(query, term) == "castle"


def test_a_name_with_blanks_and_quotes_is_asked_for_as_far_as_the_language_can() -> None:
    assert build_filter("model", "my model", is_whole=True) == 'model:"=my model"'
    assert build_filter("model", 'a "quoted" one', is_whole=True) == "model:quoted"
