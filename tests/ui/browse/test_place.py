"""Where the list is: turning, jumping, searching, and what a page may ask for."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.ui.browse.place import IMAGES, RUNS, Place, read_place

SHOWN = Place(RUNS, "castle", after="20251225_143022_a", next="20250101_000000_b", previous="20251224_000000_c")


def test_turning_pages_goes_to_the_neighbours_and_keeps_the_search() -> None:
    assert SHOWN.older() == Place(RUNS, "castle", after="20250101_000000_b")
    assert SHOWN.newer() == Place(RUNS, "castle", before="20251224_000000_c")
    assert SHOWN.newest() == Place(RUNS, "castle") and SHOWN.newest().is_newest
    assert Place().older() == Place() and Place(query="x", before="y").newer() == Place(query="x")


def test_a_jump_puts_that_day_first() -> None:
    assert Place(RUNS).jump("2025-12-31").after == "20260101"
    after = Place(IMAGES).jump("2025-12-31").after
    assert after is not None and after.endswith("_0")
    assert all(SHOWN.jump(text) == SHOWN for text in ("", "today", "2025-02-30", "9999-12-31", "../..", "0"))


def test_another_view_keeps_the_search_and_begins_with_the_newest() -> None:
    assert SHOWN.turn(IMAGES) == Place(IMAGES, "castle") and SHOWN.turn(RUNS) is SHOWN and SHOWN.turn("else") is SHOWN


@pytest.mark.parametrize(("data", "place"), [
    ({}, SHOWN),
    ({"view": "images"}, Place(IMAGES, "castle")),
    ({"query": " x "}, Place(RUNS, "x")),
    ({"view": "images", "query": "x", "after": "1.000_2", "before": None}, Place(IMAGES, "x", after="1.000_2")),
    ({"view": 5, "query": ["x"], "after": "y" * 301, "jump": None}, SHOWN),
    ({"view": {"x": 1}, "before": "20250101"}, Place(RUNS, "castle", before="20250101")),
])
def test_what_a_page_asks_for_is_read_as_far_as_it_can_be(data: dict[str, Any], place: Place) -> None:
    assert read_place(data, SHOWN) == place


def test_what_the_page_keeps_leads_back() -> None:
    assert read_place(SHOWN.to_json(), Place()) == Place(RUNS, "castle", after="20251225_143022_a")
