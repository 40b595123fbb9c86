"""Fields of the page beyond text boxes: pictures, canvases, drop-downs, galleries; of gradio 3.41 and of 4.40 with Forge's canvas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.page import Page, whole_word

SETTLES_MS = 1500
# gradio's canvas draws by the page's animation frames: a faster hand draws nothing.
FRAME_MS = 25
# What a test draws, as parts of the picture: left, top, right, bottom.
DRAWN = (0.3, 0.3, 0.6, 0.6)


def open_mode(page: Page, tab: str, name: str) -> None:
    """A tab inside img2img or Extras, by its label."""
    page.open_tab(tab)
    group = f"#mode_{tab.lower()}"
    require(page, group)
    buttons = page.tab.locator(f"{group} > .tab-nav button, {group} button[role=tab]").filter(has_text=whole_word(name))
    if buttons.count() == 0:
        pytest.skip(f"this page has no {name} in {group}")
    buttons.first.click()
    page.settle(SETTLES_MS, SETTLES_MS // 3)


def require(page: Page, selector: str) -> Any:
    """The element, or a skip: the sandbox's page has fewer parts."""
    if page.tab.locator(selector).count() == 0:
        pytest.skip(f"this page has no {selector}")
    return page.tab.locator(selector).first


def put(page: Page, elem_id: str, *files: Path) -> None:
    """Into a picture field or a list of files."""
    field = require(page, f"#{elem_id} input[type=file]")
    field.set_input_files([str(file) for file in files] if len(files) > 1 else str(files[0]))
    page.settle(SETTLES_MS, SETTLES_MS // 3)


def draw(page: Page, elem_id: str) -> None:
    """A stroke to and fro over `DRAWN` of the picture, with the brush as it is."""
    canvas = page.tab.locator(f"#{elem_id} canvas[key=interface], #{elem_id} canvas.forge-drawing-canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None and box["width"] > 50, f"the picture in #{elem_id} is not shown"
    left, top, right, bottom = DRAWN
    for step, (x, y) in enumerate(_zigzag(left, top, right, bottom)):
        page.tab.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
        page.tab.wait_for_timeout(FRAME_MS)
        if step == 0:
            page.tab.mouse.down()
            page.tab.wait_for_timeout(FRAME_MS)
    page.tab.mouse.up()
    page.settle(SETTLES_MS, SETTLES_MS // 3)


def _zigzag(left: float, top: float, right: float, bottom: float, rows: int = 7, steps: int = 6) -> Iterator[tuple[float, float]]:
    for row in range(rows):
        for step in range(steps + 1):
            part = (step if row % 2 == 0 else steps - step) / steps
            yield left + (right - left) * part, top + (bottom - top) * row / (rows - 1)


# The sandbox keeps the number of the chosen picture on the page; the hosts ask which thumbnail is marked.
_IS_CHOSEN = """([tab, number]) => {
    const index = document.querySelector(`#${tab}_gallery_index input`);
    if (index) return Number(index.value) === number;
    const small = [...document.querySelectorAll(`#${tab}_gallery .thumbnails > .thumbnail-item.thumbnail-small`)];
    return small.findIndex((thumbnail) => thumbnail.classList.contains('selected')) === number;
}"""


def choose_in_gallery(page: Page, tab: str, number: int) -> None:
    """The picture that Save, hires and Send work on, counted from 0 with the grid."""
    gallery = page.tab.locator(f"#{tab}_gallery")
    small = gallery.locator(".thumbnails button, .thumbnail-small, .grid-container button")
    for attempt in range(10):  # a press while the gallery is still being built is lost
        if attempt and small.count() > 1:  # what the gallery already shows as chosen tells nobody when it is pressed again
            small.nth(0 if number else 1).click()
        small.nth(number).click()
        for _ in range(40):
            page.tab.wait_for_timeout(50)
            if page.tab.evaluate(_IS_CHOSEN, [tab, number]):
                return
    raise AssertionError(f"picture {number} in the gallery of {tab} cannot be chosen")


def select(page: Page, elem_id: str, choice: str) -> None:
    """In a drop-down, typed and taken from its list."""
    field = require(page, f"#{elem_id} input:not([type=hidden])")
    field.scroll_into_view_if_needed()
    field.click()
    field.fill(choice)
    # gradio has a tick before each line, shown or not
    line = re.compile(rf"^\s*\u2713?\s*{re.escape(choice)}\s*$")
    page.tab.locator("ul.options li, ul[role=listbox] li").filter(has_text=line).first.click()
    page.settle(700)


def type_into(page: Page, elem_id: str, text: str) -> None:
    require(page, f"#{elem_id} textarea, #{elem_id} input").fill(text)
    page.settle(300)


def press_from_menu(page: Page, elem_id: str, item: str) -> None:
    """A line of the menu behind a button's right click."""
    page.tab.locator(f"#{elem_id}").click(button="right")
    require(page, "#context-menu")
    page.tab.locator("#context-menu a").filter(has_text=whole_word(item)).first.click()
