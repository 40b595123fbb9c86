"""Marks on the page: written at once, shown as they are then, found by the search, and nobody else's are lost."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from typing import Any

import pytest

pytest.importorskip("gradio")

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.query import parse_query
from lib_sdpipe.store.marks import read_marks, write_marks
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Noted
from lib_sdpipe.ui.marks.events import MarkEvents
from lib_sdpipe.ui.marks.markup import show_marks
from lib_sdpipe.ui.picks.markup import show_bar
from lib_sdpipe.workspace import Workspace
from tests.ui.bin.test_bin_events import Frame
from tests.ui.sample_library import MALICIOUS, SampleLibrary


@pytest.fixture
def events() -> MarkEvents:
    return MarkEvents(Frame())  # type: ignore[arg-type]


def image(run_id: str, number: int = 1) -> dict[str, str]:
    return {"run": run_id, "name": f"txt2img_{number:03d}"}


def mark(events: MarkEvents, library: SampleLibrary, change: Any, **data: Any) -> Any:
    return events.mark(Ask({"set": change, **data}, Workspace(library.layout)))


def marks(library: SampleLibrary, run_id: str) -> Any:
    return read_marks(library.layout, run_id)["marks"]


def test_a_mark_is_written_at_once_shown_at_once_and_found_at_once(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    own = image(run_id)
    shown, told = mark(events, empty, {"rating": 4}, images=[own], open=own)
    assert marks(empty, run_id)["txt2img_001"]["rating"] == 4
    assert shown.count("sdpipe-star-on") == 4 and "1 image: ★★★★☆" in told
    shown, _ = mark(events, empty, {"add_tags": ["sea"], "favourite": True}, images=[own], open=own)
    assert "sdpipe-heart-on" in shown and ">sea</button>" in shown
    found = Workspace(empty.layout).find("tag:=sea rating:4 favourite:yes", look=lambda what, count: None)
    assert [one.name for one in found.images] == ["txt2img_001"]


def test_the_star_of_a_rating_takes_it_off_and_so_does_the_heart(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    html = show_marks(run_id, "txt2img_001", {"rating": 3, "favourite": True, "tags": ["sea"]})
    asked = [json.loads(unescape(text)) for text in re.findall(r'data-sdpipe-ask="mark" data-sdpipe-with="([^"]*)"', html)]
    assert [one["set"] for one in asked] == [
        {"rating": 1}, {"rating": 2}, {"rating": None}, {"rating": 4}, {"rating": 5}, {"favourite": None}, {"remove_tags": ["sea"]},
    ]
    for one in asked[2:]:
        mark(events, empty, one["set"], images=one["images"])
    assert marks(empty, run_id)["txt2img_001"]["rating"] == 5


def test_many_images_of_many_runs_are_marked_together(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    other = empty.add_run("other", ago=30)
    empty.add_image(other, "txt2img_001", 9, (64, 64))
    mark(events, empty, {"add_tags": ["print"]}, picked=[image(run_id, 1), image(run_id, 2), image(other)])
    assert sorted(marks(empty, run_id)) == ["txt2img_001", "txt2img_002"] and marks(empty, other)["txt2img_001"]["tags"] == ["print"]


def test_two_pages_at_once_do_not_lose_each_others_tags(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    for tag in ("sea", "night"):  # neither page has seen the other's
        mark(events, empty, {"add_tags": [tag]}, images=[image(run_id)])
    assert marks(empty, run_id)["txt2img_001"]["tags"] == ["sea", "night"]


def test_images_without_a_run_are_told_what_to_do(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    loose = {"root": "outputs", "path": "x.png"}
    with pytest.raises(UsageError, match="adopt them first"):
        mark(events, empty, {"rating": 1}, picked=[loose])
    answer = mark(events, empty, {"rating": 1}, picked=[image(run_id), loose])
    assert isinstance(answer, Noted) and "1 of the chosen images have no run" in answer.sentence
    assert marks(empty, run_id)["txt2img_001"]["rating"] == 1


def test_one_run_that_cannot_be_marked_does_not_keep_the_others(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    broken = empty.add_run("broken", ago=30)
    empty.add_image(broken, "txt2img_001", 9, (64, 64))
    empty.layout.marks_file(broken).write_text("{")
    answer = mark(events, empty, {"rating": 2}, picked=[image(broken), image(run_id)])
    assert isinstance(answer, Noted) and "marks.json" in answer.sentence
    assert marks(empty, run_id)["txt2img_001"]["rating"] == 2


@pytest.mark.parametrize("change", [
    None, [], {}, {"rating": 9}, {"stars": 3}, {"updated_at": "now"}, {"add_tags": "sea"}, {"note": "x" * 10_001},
])
def test_what_is_no_mark_is_refused(empty: SampleLibrary, events: MarkEvents, run_id: str, change: Any) -> None:
    with pytest.raises(UsageError):
        mark(events, empty, change, images=[image(run_id)])
    assert not empty.layout.marks_file(run_id).exists()


def test_marks_survive_a_move_a_new_index_and_a_new_installation(empty: SampleLibrary, run_id: str) -> None:
    write_marks(empty.layout, run_id, {"txt2img_001": {"rating": 5, "tags": ["sea"]}}, "2025-01-01T00:00:00.000Z")
    moved = empty.layout.runs.parent.with_name("elsewhere")
    shutil.move(empty.layout.runs.parent, moved)
    (moved / "runs" / ".sdpipe").rename(moved / "index-of-before")
    from lib_sdpipe.store.layout import Layout

    workspace = Workspace(Layout(moved / "runs", moved / "runs" / ".sdpipe"))
    assert [one.name for one in workspace.find("tag:sea rating:5", look=lambda what, count: None).images] == ["txt2img_001"]


def test_a_tag_can_be_searched_for_whatever_it_is_and_becomes_no_element() -> None:
    tags = ["sea", "for the wall", 'a "quoted" one', "=x", "<script>alert(1)</script>", "夕暮れ", "-x OR y", "'"]
    html = show_marks("20251225_143022_a", "txt2img_001", {"tags": tags, "note": f"</textarea>{MALICIOUS}", "rating": "x"}, tags)
    assert "<script" not in html and "</textarea><" not in html.replace("</textarea></label>", "")
    for text in re.findall(r'data-sdpipe-ask="search" data-sdpipe-with="([^"]*)"', html):
        parse_query(json.loads(unescape(text))["query"])


def test_marks_of_what_is_gone_or_somebody_elses_are_not_shown(empty: SampleLibrary, events: MarkEvents, run_id: str) -> None:
    theirs = empty.add_run("theirs", ago=5, user="bob")
    empty.add_image(theirs, "txt2img_001", 1, (64, 64))
    for link in (None, {"run": run_id}, {"run": run_id, "name": "../x"}, image("20990101_000000_x"), image(theirs)):
        shown, _ = events.show(Ask({"open": link}, Workspace(empty.layout, viewer="ann")))
        assert shown == "", link


def test_the_bar_sends_what_is_picked_with_every_deed() -> None:
    html = show_bar('<button data-sdpipe-ask="more" data-sdpipe-send-picked>More</button>')
    assert html.count("data-sdpipe-ask=") == html.count("data-sdpipe-send-picked") and " hidden>" in html
