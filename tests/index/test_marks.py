"""Marks are searched like anything else, and leave with what they were marks of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import RunRow
from lib_sdpipe.manifest.records import Manifest

RUN = "20251225_143022_a"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    made = Index(tmp_path / "index.sqlite3")
    made.records.set_run(RunRow(RUN, None, status="completed"))
    for name in ("a_001", "a_002", "a_003"):
        made.pictures.add(Manifest(run_id=RUN, name=name, prompt="cat", timestamp="2025-12-25T13:30:22.123Z"))
    made.search.prepare()
    yield made
    made.close()


def names(index: Index, query: str) -> list[str]:
    return sorted(found.name or "" for found in index.search.find(query).images)


def mark(index: Index, **marks: Any) -> None:
    with index.transaction():
        index.marks.replace(RUN, (9, 9), marks)


def test_what_was_marked_is_found(index: Index) -> None:
    mark(index, a_001={"rating": 5, "favourite": True, "tags": ["Sea", "print"]},
         a_002={"rating": 3, "tags": ["seaside"], "note": "Two  Words"})
    expected = {
        "rating:5": ["a_001"], "rating:>=3": ["a_001", "a_002"], "-rating:5": ["a_002", "a_003"], "favourite:yes": ["a_001"],
        "favourite:no": ["a_002", "a_003"], "tag:sea": ["a_001", "a_002"], "tag:=SEA": ["a_001"], "-tag:sea": ["a_003"],
        'note:"two words"': ["a_002"], "tag:print rating:5 cat": ["a_001"], "tag:print OR rating:3": ["a_001", "a_002"], "tag:none": [],
    }
    assert {query: names(index, query) for query in expected} == expected
    assert [run.fitting for run in index.run_search.find("tag:sea", 5).runs] == [2]


def test_marks_that_change_or_go_are_as_they_are_now(index: Index) -> None:
    mark(index, a_001={"rating": 5, "tags": ["x"]})
    mark(index, a_001={"rating": 1}, a_003={"favourite": True})
    assert names(index, "rating:1") == ["a_001"] and names(index, "tag:x") == [] and names(index, "favourite:yes") == ["a_003"]
    with index.transaction():
        index.remove_run(RUN)
    assert index.content()["marks"] == [] and index.marks.stamps() == {}


@pytest.mark.parametrize("wrong", [
    {"rating": 9}, {"rating": True}, {"rating": "5"}, {"favourite": 1}, {"tags": "x"}, {"tags": [None, 5, "", "  "]}, {"note": 7},
    {"tags": ["\ud83d", "a\0b", "x" * 100_000]}, {"note": "\ud83d"}, {"unknown": {"a": 1}},
])
def test_what_no_mark_can_be_is_passed_over(index: Index, wrong: dict[str, Any]) -> None:
    mark(index, a_001=wrong)
    assert names(index, "rating:0..5 OR favourite:yes") == []


def test_counts_tell_what_there_is(index: Index) -> None:
    mark(index, a_001={"rating": 5, "favourite": True, "tags": ["sea"]}, a_002={"rating": 5, "tags": ["sea", "sky"]})
    facets = index.count_facets()
    assert (facets.ratings, facets.favourites, facets.tags) == ([("5", 2)], 1, [("sea", 2), ("sky", 1)])
    assert (facets.recorded, facets.unrecorded, facets.statuses) == (3, 0, [("completed", 1)])
