"""A person who moved a picture has its record follow it, looks at what will be done before it is, and takes it back."""

from __future__ import annotations

import json
from typing import Any, Callable

from tests.browser.page import Page
from tests.contract.conftest import Made
from tests.contract.webui import WebUI

WORK_MS = 60_000


def open_repair(page: Page) -> None:
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('repair')")
    page.tab.locator("[data-sdpipe-keep='check']").wait_for()


def press(page: Page, keep: str) -> None:
    """A button of the section; the answer may come at once, or once the work in the background has ended."""
    page.tab.locator(f"#sdpipe_section_repair [data-sdpipe-keep='{keep}']").first.click()


def find_by(page: Page, place: str) -> Any:
    return page.tab.locator("#sdpipe_section_repair .sdpipe-findings li", has_text=place)


def test_a_moved_picture_is_found_relinked_and_put_back(
    open_page: Callable[..., Page], generate: Callable[..., Made], host: WebUI
) -> None:
    made = generate()
    (manifest,) = made.of("txt2img")
    file = made.file(manifest)
    moved = file.with_name(f"moved {file.name}")
    file.rename(moved)
    record = host.layout.manifest_file(made.run_id, manifest["name"])
    before = record.read_bytes()
    page = open_page(theme="dark")
    open_repair(page)
    press(page, "check")
    page.tab.locator("[data-sdpipe-keep='open-moved-image']").wait_for(timeout=WORK_MS)
    press(page, "open-moved-image")
    find_by(page, moved.name).first.wait_for()
    find_by(page, moved.name).locator("img").first.wait_for()
    assert record.read_bytes() == before, "a check touches nothing"
    press(page, "plan")
    page.tab.locator("[data-sdpipe-keep='apply']").wait_for(timeout=WORK_MS)
    assert record.read_bytes() == before, "neither does a plan"
    press(page, "apply")
    page.tab.locator("[data-sdpipe-keep='outcome-undo']").wait_for(timeout=WORK_MS)
    assert json.loads(record.read_bytes())["path"].endswith(moved.name)
    page.tab.wait_for_function("() => !document.querySelector('#sdpipe_repair_work [data-sdpipe-working]')")
    press(page, "outcome-undo")
    page.tab.locator("[data-sdpipe-keep='undo']").wait_for(timeout=WORK_MS)
    press(page, "undo")
    page.tab.locator(".sdpipe-outcome", has_text="taken back").wait_for(timeout=WORK_MS)
    assert record.read_bytes() == before
    moved.rename(file)


def test_the_keyboard_keeps_its_place_and_a_second_page_sees_the_same(open_page: Callable[..., Page]) -> None:
    first, second = open_page(), open_page()
    open_repair(first)
    first.tab.locator("[data-sdpipe-keep='check']").focus()
    first.tab.keyboard.press("Enter")
    first.tab.locator("#sdpipe_section_repair", has_text="Checked at").wait_for(timeout=WORK_MS)
    first.tab.wait_for_function("() => document.activeElement.dataset.sdpipeKeep === 'check'")
    open_repair(second)
    second.tab.locator("#sdpipe_section_repair", has_text="Checked at").wait_for(timeout=WORK_MS)
