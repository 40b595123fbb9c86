"""The list as it is asked through the frame: pages, searches, filters, places. No browser."""

from __future__ import annotations

import json
import re
import time
from html import unescape
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")

from PIL import Image  # noqa: E402

from lib_sdpipe.store.marks import write_marks  # noqa: E402
from lib_sdpipe.store.searches import read_searches  # noqa: E402
from lib_sdpipe.ui.browse import events as browse_events  # noqa: E402
from lib_sdpipe.ui.browse.events import BrowseEvents, Listed  # noqa: E402
from lib_sdpipe.ui.frame import Frame  # noqa: E402
from lib_sdpipe.workspace import Workspace  # noqa: E402
from lib_sdpipe.workspace.index_update import tell_marks  # noqa: E402
from lib_sdpipe.workspace.watch import watch_of  # noqa: E402
from tests.ui.sample_library import MALICIOUS, SampleLibrary  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browse_events, "_PATIENCE_SECONDS", 60.0)


class List:
    """The list's handlers and where it is, as a page has them; `typed` is what stands in the search box."""

    def __init__(self, library: SampleLibrary, **options: Any) -> None:
        self.host = Host(library.layout)
        with gr.Blocks():
            self.frame = Frame(self.host, **options)
        self.events, self.listed, self.typed = BrowseEvents(self.frame), Listed(), ""
        self.shown: dict[str, Any] = {}

    def ask(self, name: str, *values: Any, **data: Any) -> dict[str, Any]:
        if name == "browse":
            values = (self.typed, *values)
        answer = self.frame.answer(getattr(self.events, name), len(BrowseEvents.OUTPUTS), data, None, (*values, self.listed))
        updates = dict(zip(("notice", *BrowseEvents.OUTPUTS), answer, strict=True))
        self.shown.update({name: value for name, value in updates.items() if isinstance(value, str)})
        if isinstance(updates["listed"], Listed):
            self.listed = updates["listed"]
        if isinstance(updates["query"], dict) and "value" in updates["query"]:
            self.typed = updates["query"]["value"]
        return updates

    def search(self, query: str) -> dict[str, Any]:
        self.typed = query
        return self.ask("search", query)

    @property
    def keys(self) -> list[Any]:
        """What the cards open, in their order."""
        found = [unescape(text) for text in re.findall(r'data-sdpipe-card="([^"]*)"', self.shown["runs"])]
        return [json.loads(text) if text.startswith("{") else text[16:] for text in found]


@pytest.fixture
def page(sample: SampleLibrary) -> List:
    made = List(sample)
    made.ask("look")
    return made


def test_older_newer_and_newest_pass_every_run_once(page: List) -> None:
    first, seen = page.keys, page.keys
    assert page.shown["runs"].count("sdpipe-browse-strip") >= 1
    while page.listed.place.next is not None:
        page.ask("show_older")
        seen = seen + page.keys
    assert len(seen) == 44 == len(set(seen))
    page.ask("show_newer")
    assert page.keys == seen[20:40]
    page.ask("show_newer")
    assert page.keys == first and page.listed.place.is_newest
    page.ask("show_older")
    update = page.ask("show_newest")
    assert page.keys == first and update["newest"]["interactive"] is False and update["older"]["interactive"] is True


def test_newer_ones_that_are_less_than_a_page_come_with_those_that_follow(page: List) -> None:
    page.ask("browse", before=page.keys[3:4] and "2099")
    assert page.listed.place.is_newest and len(page.keys) == 20


def test_the_place_stays_while_the_list_is_looked_at_again(page: List) -> None:
    page.ask("show_older")
    place, keys = page.listed.place, page.keys
    again = page.ask("look")
    assert page.listed.place == place and page.keys == keys
    assert "value" not in again["runs"] and isinstance(again["runs"], dict), "what is the same is not sent again"


def test_a_jump_to_a_day_shows_it_and_leads_back(page: List) -> None:
    day = time.strftime("%Y-%m-%d", time.localtime(time.time() - 86400 * 2.5))
    page.ask("browse", jump=day)
    assert page.keys and all(row.startswith("study") for row in page.keys)
    page.ask("show_newer")
    assert len(page.keys) == 20


def test_images_are_shown_as_cards_recorded_or_not(empty: SampleLibrary) -> None:
    run_id = empty.add_run("harbour", ago=60)
    empty.add_image(run_id, "txt2img_001", 1, prompt=MALICIOUS)
    empty.add_image(run_id, "txt2img_002", 2, file=False, path=None, root=None)
    Image.new("RGB", (9, 9)).save(empty.outputs / "old <b>.png")
    page = List(empty)
    page.ask("look")
    page.ask("browse", view="images")
    assert {"root": "outputs", "path": "old <b>.png"} in page.keys and {"run": run_id, "name": "txt2img_001"} in page.keys
    assert "3 images" in page.shown["head"] and "file-thumbnails/" in page.shown["runs"] and ">no run<" in page.shown["runs"]
    assert page.shown["runs"].count("<img") == 2 and ">not saved<" in page.shown["runs"]
    assert "<script" not in page.shown["runs"] and "<b>" not in page.shown["runs"]


def test_a_card_tells_its_stars_and_its_heart(empty: SampleLibrary) -> None:
    run_id = empty.add_run("harbour", ago=60)
    for number in (1, 2):
        empty.add_image(run_id, f"txt2img_{number:03}", number)
    write_marks(empty.layout, run_id, {"txt2img_001": {"rating": 4, "favourite": True}}, "2025-12-25T00:00:00.000Z")
    page = List(empty)
    page.ask("look")
    page.ask("browse", view="images")
    assert page.shown["runs"].count("★4 ♥ · txt2img") == 1 and page.shown["runs"].count("★") == 1


def test_a_search_finds_and_a_faulty_one_says_where_and_changes_nothing(page: List) -> None:
    page.search("status:failed")
    assert page.keys == ["failed"] and 'aria-pressed="true"' in page.shown["filters"]
    before = page.listed
    update = page.search("cat steps:many <b>")
    assert "20..30" in update["fault"] and "<mark>many" in update["fault"] and "<b>" not in update["fault"]
    assert page.listed == before and "value" not in update["runs"] and update["notice"] == ""
    page.search("nothing-has-this")
    assert "No run has an image that fits." in page.shown["runs"] and page.shown["fault"] == ""


def test_filters_write_into_what_is_typed(page: List) -> None:
    page.typed = "lighthouse"
    page.ask("browse", term="status:completed")
    assert page.typed == "lighthouse status:completed" == page.listed.place.query
    page.ask("browse", term="status:interrupted")
    assert page.typed == "lighthouse status:interrupted" and page.keys == ["stopped"]
    page.ask("browse", term="status:interrupted")
    assert page.typed == "lighthouse"
    page.ask("browse", view="images")
    assert page.typed == "lighthouse" and isinstance(page.keys[0], dict)


def test_marks_can_be_asked_for_at_once(empty: SampleLibrary) -> None:
    run_id = empty.add_run("harbour", ago=60)
    empty.add_image(run_id, "txt2img_001", 1)
    page = List(empty)
    page.ask("look")
    write_marks(empty.layout, run_id, {"txt2img_001": {"rating": 5, "tags": ["sea"]}}, "2025-12-25T00:00:00.000Z")
    tell_marks(Workspace(empty.layout), [run_id])
    page.search("tag:sea rating:5")
    assert page.keys == ["harbour"] and "★★★★★" in page.shown["filters"]


def test_searches_are_kept_shown_and_forgotten(empty: SampleLibrary) -> None:
    page = List(empty)
    shown, name = page.frame.answer(page.events.save_search, 2, {}, None, ("Sea <b>", " tag:sea "))[1:]
    assert name == "" and "Sea &lt;b&gt;" in shown and 'aria-pressed="true"' in shown
    page.ask("look")
    assert "Sea &lt;b&gt;" in page.shown["searches"]
    notice = page.frame.answer(page.events.save_search, 2, {}, None, ("", "x"))[0]
    assert "1 to 60 characters" in notice
    page.frame.answer(page.events.forget_search, 1, {"name": "Sea <b>"}, None, (page.listed,))
    assert read_searches(empty.layout) == []


@pytest.mark.parametrize("data", [
    {"view": 5}, {"query": 5, "jump": {}}, {"after": "../..", "view": "images"}, {"after": "x" * 9999}, {"term": "\ud83d"},
    {"before": "\0"}, {"after": "\ud83d"}, {"query": "\ud83d\0"},
])
def test_what_a_page_cannot_ask_for_harms_nothing(page: List, data: dict[str, Any]) -> None:
    update = page.ask("browse", **data)
    assert update["notice"] == ""


def test_a_look_under_way_is_told_and_asked_for_again(empty: SampleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browse_events, "_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(browse_events, "present_looking", lambda looking: "Looking at the folders: 12,000 files …")
    empty.add_run("harbour", ago=60)
    page = List(empty)
    page.ask("look")
    assert "data-sdpipe-pending" in page.shown["runs"] and "12,000 files" in page.shown["runs"]
    watch_of(empty.layout).ask(patience=60)


def test_a_search_after_somebody_deleted_the_index_says_that_it_is_being_made(empty: SampleLibrary) -> None:
    empty.add_image(empty.add_run("harbour", ago=60), "txt2img_001", 1, prompt="a lighthouse")
    page = List(empty)
    page.ask("look")
    empty.layout.private.rename(empty.outputs.parent / "deleted")
    page.search("lighthouse")
    assert "data-sdpipe-pending" in page.shown["runs"] and "fits" not in page.shown["runs"]
    page.ask("look")
    assert page.keys == ["harbour"]


def test_nothing_yet_leads_to_what_there_is(empty: SampleLibrary, tmp_path: Path) -> None:
    page = List(empty)
    page.ask("look")
    assert "Press Generate" in page.shown["runs"] and "images that are already there" in page.shown["runs"]
    page.ask("browse", view="images")
    assert "No images yet" in page.shown["runs"]
