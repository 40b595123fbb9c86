"""A person drops a picture that came back from somewhere, or pastes one, and sees which run made it."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any, Callable

import pytest
from PIL import Image

from tests.browser.page import Page
from tests.contract.conftest import Made

PASTE = """(data) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const files = new DataTransfer();
    files.items.add(new File([bytes], "image.png", {type: "image/png"}));
    document.body.dispatchEvent(new ClipboardEvent("paste", {clipboardData: files, bubbles: true, cancelable: true}));
}"""


@pytest.fixture
def made(generate: Callable[..., Made]) -> Made:
    return generate(width=128, height=128)


def open_trace(page: Page) -> None:
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('trace')")
    page.tab.locator("#sdpipe_trace_file input[type=file]").wait_for(state="attached")
    page.settle(300)


def found(page: Page, text: str) -> Any:
    return page.tab.locator("#sdpipe_section_trace .sdpipe-trace", has_text=text).first


def test_a_dropped_picture_is_traced_with_its_text_and_then_without(page: Page, made: Made, tmp_path: Path) -> None:
    file = made.file(made.of("txt2img")[0])
    (tmp_path / "from a friend.png").write_bytes(file.read_bytes())
    open_trace(page)
    page.tab.locator("#sdpipe_trace_file input[type=file]").set_input_files(str(tmp_path / "from a friend.png"))
    found(page, "byte for byte").wait_for()
    assert made.run_id in found(page, "byte for byte").inner_text()
    page.tab.wait_for_function("() => document.querySelector('#sdpipe_trace .sdpipe-picture-button img').naturalWidth > 0")
    with Image.open(file) as picture:
        picture.save(tmp_path / "stripped.png")
    page.tab.locator("#sdpipe_trace_file input[type=file]").set_input_files(str(tmp_path / "stripped.png"))
    found(page, "Removed").wait_for()
    page.tab.locator("#sdpipe_trace .sdpipe-picture-button").click()
    page.tab.locator("#sdpipe_run", has_text=made.run_id).first.wait_for()


def test_a_pasted_picture_is_traced(page: Page, made: Made) -> None:
    open_trace(page)
    page.tab.evaluate(PASTE, base64.b64encode(made.file(made.of("txt2img")[0]).read_bytes()).decode())
    found(page, made.run_id).wait_for()


def test_what_is_no_picture_is_answered_by_a_sentence(page: Page, tmp_path: Path) -> None:
    (tmp_path / "page.png").write_bytes(b"<html>404</html>")
    open_trace(page)
    page.tab.locator("#sdpipe_trace_file input[type=file]").set_input_files(str(tmp_path / "page.png"))
    found(page, "no picture of a kind that is known").wait_for()
