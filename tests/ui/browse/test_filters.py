"""What a click can filter by: what there is, as a term of the query language."""

from __future__ import annotations

from lib_sdpipe.index.facets import Facets
from lib_sdpipe.index.query import parse_query
from lib_sdpipe.ui.browse.filters import present_filters
from lib_sdpipe.ui.browse.markup import show_filters
from tests.ui.sample_library import MALICIOUS

NONE = Facets([], [], [], [], [], [], [], 0, 0, 0)
SOME = Facets(
    models=[("dream v8", 5), (MALICIOUS, 2)], samplers=[("Euler a", 7)], stages=[("grid", 1), ("txt2img", 6), ("of-later", 1)],
    statuses=[("completed", 3), ("paused", 1)], dates=[("today", 0), ("week", 4)], tags=[("sea", 2)], ratings=[("5", 1), ("0", 1)],
    favourites=1, recorded=6, unrecorded=0,
)


def test_only_what_there_is_is_offered_and_each_term_can_be_read() -> None:
    groups = {group.title: group.chips for group in present_filters(SOME, 'castle model:"=dream v8"')}
    assert list(groups) == ["Date", "Model", "Sampler", "Stage", "Run", "Rating", "Favourite", "Tag", "Record"]
    assert [(chip.label, chip.count, chip.term) for chip in groups["Date"]] == [("This week", 4, "date:week")]
    assert [chip.is_on for chip in groups["Model"]] == [True, False]
    assert [chip.term for chip in groups["Stage"]] == ["stage:txt2img", "stage:grid"] and len(groups["Run"]) == 1
    assert [chip.label for chip in groups["Rating"]] == ["★★★★★", "0"] and len(groups["Record"]) == 1
    for chips in groups.values():
        assert all(parse_query(chip.term).nodes for chip in chips)


def test_hostile_names_are_text() -> None:
    page = show_filters(present_filters(SOME, MALICIOUS))
    assert "<script" not in page and "<img" not in page and "&lt;script&gt;" in page


def test_of_many_the_most_frequent_are_shown_and_one_that_is_on() -> None:
    many = Facets([(f"model{number}", 900 - number) for number in range(150)], *[[]] * 6, 0, 0, 0)
    (group,) = present_filters(many, "model:=model120")
    assert len(group.chips) == 41 and group.chips[-1].is_on and group.more == 110


def test_where_nothing_is_known_the_page_says_so() -> None:
    assert "Counting" in show_filters(None) and "nothing to filter" in show_filters(present_filters(NONE, ""))
