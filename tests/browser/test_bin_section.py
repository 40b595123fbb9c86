"""Marks, the bar of picks and the bin, by clicking and by keys."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.browser.page import Page
from tests.contract.conftest import Made
from tests.contract.webui import WebUI

pytest.importorskip("playwright.sync_api")


@pytest.fixture
def opened(source: Made, open_page: Callable[..., Page]) -> Page:
    """The Runs tab with the run of two pictures open."""
    page = open_page()
    page.open_runs()
    page.tab.evaluate("run => window.sdpipe.ask('open', {run: run})", source.run_id)
    page.tab.wait_for_selector(f"[data-sdpipe-open-run='{source.run_id}']", state="attached")
    page.tab.wait_for_selector("#sdpipe_marks .sdpipe-star")
    return page


def pick_all(page: Page) -> int:
    boxes = page.tab.locator("#sdpipe_strip [data-sdpipe-pick]")
    for number in range(boxes.count()):
        boxes.nth(number).check(force=True)
    page.tab.wait_for_function("count => document.querySelector('[data-sdpipe-picks-count]').textContent == count", arg=boxes.count())
    return boxes.count()


def read_marks(host: WebUI, source: Made) -> Any:
    return json.loads(host.layout.marks_file(source.run_id).read_text("utf-8"))["marks"]


def test_an_image_is_rated_by_stars_and_keys_and_gets_tags(opened: Page, host: WebUI, source: Made) -> None:
    tab = opened.tab
    tab.locator("#sdpipe_marks .sdpipe-star").nth(3).click()
    tab.wait_for_function("() => document.querySelectorAll('#sdpipe_marks .sdpipe-star-on').length === 4")
    tab.keyboard.press("2")
    tab.wait_for_function("() => document.querySelectorAll('#sdpipe_marks .sdpipe-star-on').length === 2")
    tab.keyboard.press("f")
    tab.wait_for_selector("#sdpipe_marks .sdpipe-heart-on")
    tab.locator("#sdpipe_marks [data-sdpipe-add-tag]").fill("sea, a <b>bold</b> tag")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#sdpipe_marks .sdpipe-tag")
    assert tab.locator("#sdpipe_marks .sdpipe-tag-name").all_inner_texts() == ["sea", "a <b>bold</b> tag"]
    tab.keyboard.press("5")  # the keyboard is in the field for tags: that is text
    assert tab.locator("#sdpipe_marks .sdpipe-star-on").count() == 2
    (mark,) = (mark for mark in read_marks(host, source).values() if mark.get("favourite"))
    assert (mark["rating"], mark["tags"]) == (2, ["sea", "a <b>bold</b> tag"])


def test_picked_images_are_rated_thrown_away_and_brought_back(opened: Page, host: WebUI, source: Made) -> None:
    tab, count = opened.tab, pick_all(opened)
    tab.locator("#sdpipe_picks .sdpipe-star").nth(2).click()
    tab.wait_for_function("() => document.querySelectorAll('#sdpipe_marks .sdpipe-star-on').length === 3")
    assert [mark["rating"] for mark in read_marks(host, source).values()] == [3] * count
    files = [source.file(manifest) for manifest in source.manifests if manifest["path"]]
    tab.locator("#sdpipe_picks [data-sdpipe-ask='bin']").click()
    tab.locator("#sdpipe_bin [data-sdpipe-keep='cull']").click()
    tab.wait_for_selector("#sdpipe_bin [data-sdpipe-keep='undo']")
    assert re.search(rf"{count} images moved to the bin", tab.locator("#sdpipe_bin").first.inner_text())
    assert tab.evaluate("() => window.sdpipe.picked().length") == 0 and not tab.locator("#sdpipe_picks .sdpipe-picks").first.is_visible()
    tab.wait_for_function(
        "() => { const all = [...document.querySelectorAll('#sdpipe_bin .sdpipe-binned-list img')];"
        " return all.length > 0 && all.every(image => image.complete && image.naturalWidth > 0); }"
    )
    assert all(manifest["lost_at"] for manifest in host.manifests(source.run_id)) and not any(file.exists() for file in files)
    tab.locator("#sdpipe_bin [data-sdpipe-keep='undo']").click()
    tab.wait_for_function("() => document.querySelector('#sdpipe_bin').innerText.includes('restored')")
    assert host.manifests(source.run_id) == source.manifests and all(file.exists() for file in files)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_narrow_page_has_the_bar_and_the_bin_too(source: Made, open_page: Callable[..., Page], theme: str) -> None:
    page = open_page(theme=theme, width=600)
    page.open_runs()
    page.tab.evaluate("run => window.sdpipe.ask('open', {run: run})", source.run_id)
    page.tab.wait_for_selector("#sdpipe_strip [data-sdpipe-pick]", state="attached")
    pick_all(page)
    bar = page.tab.locator("#sdpipe_picks .sdpipe-picks").first.bounding_box()
    assert bar is not None and bar["x"] >= 0 and bar["x"] + bar["width"] <= 600
    page.tab.locator("#sdpipe_picks [data-sdpipe-picks-clear]").click()
    page.tab.evaluate("() => window.sdpipe.turnTo('bin')")
    page.tab.wait_for_selector("#sdpipe_bin .sdpipe-bin:not([data-sdpipe-pending])")
    assert page.tab.evaluate("() => document.querySelector('#sdpipe_bin').scrollWidth") <= 600
