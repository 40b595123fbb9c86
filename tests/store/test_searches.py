"""Searches that are kept: by name, bounded, whatever else stands in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.errors import NewerSchemaError, RecordError, UsageError
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.searches import MOST_SEARCHES, SavedSearch, delete_search, read_searches, save_search


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "runs").mkdir()
    return Layout(tmp_path / "runs", tmp_path / "runs" / ".sdpipe")


def test_a_search_is_kept_changed_and_forgotten(layout: Layout) -> None:
    assert read_searches(layout) == [] and not layout.searches_file.exists()
    save_search(layout, "  my   sea ", " tag:sea ")
    save_search(layout, "Best", "rating:5")
    save_search(layout, "my sea", "tag:=sea")
    assert read_searches(layout) == [SavedSearch("Best", "rating:5"), SavedSearch("my sea", "tag:=sea")]
    delete_search(layout, "my sea")
    delete_search(layout, "nobody")
    assert read_searches(layout) == [SavedSearch("Best", "rating:5")]


def test_what_others_have_written_stays(layout: Layout) -> None:
    document = {"schema": "sdpipe.searches/1", "later": 1, "searches": [{"name": "a", "query": "x", "colour": "red"}, "odd", {"name": 5}]}
    layout.searches_file.write_text(json.dumps(document), encoding="utf-8")
    save_search(layout, "a", "y")
    written = json.loads(layout.searches_file.read_text("utf-8"))
    assert written["later"] == 1 and {"name": "a", "query": "y", "colour": "red"} in written["searches"] and "odd" in written["searches"]
    assert read_searches(layout) == [SavedSearch("a", "y")]


@pytest.mark.parametrize(("name", "query"), [("", "x"), (" ", "x"), ("n" * 61, "x"), ("n", ""), ("n", "x" * 2001)])
def test_what_cannot_be_kept_is_told(layout: Layout, name: str, query: str) -> None:
    with pytest.raises(UsageError):
        save_search(layout, name, query)


def test_there_is_an_end_to_them(layout: Layout) -> None:
    entries = [{"name": str(number), "query": "x"} for number in range(MOST_SEARCHES)]
    layout.searches_file.write_text(json.dumps({"schema": "sdpipe.searches/1", "searches": entries}), encoding="utf-8")
    save_search(layout, "5", "y")
    with pytest.raises(UsageError, match="delete one"):
        save_search(layout, "one more", "y")


@pytest.mark.parametrize(("data", "fault"), [
    ("{", RecordError), ("[]", RecordError), ('{"schema": "x/1", "searches": []}', RecordError),
    ('{"schema": "sdpipe.searches/2", "searches": []}', NewerSchemaError), ('{"schema": "sdpipe.searches/1", "searches": {}}', RecordError),
])
def test_a_file_that_is_none_is_left_as_it_is(layout: Layout, data: str, fault: type[Exception]) -> None:
    layout.searches_file.write_text(data, encoding="utf-8")
    for work in (lambda: read_searches(layout), lambda: save_search(layout, "a", "b")):
        with pytest.raises(fault):
            work()
    assert layout.searches_file.read_text("utf-8") == data
