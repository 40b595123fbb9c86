"""A person leafs through the library: runs and images, a search, a filter, a day, keys, and the place that stays."""

from __future__ import annotations

import json
from typing import Any, Callable

import pytest

from tests.browser.page import Page
from tests.contract.conftest import base_request, webui  # noqa: F401  (fixture)
from tests.contract.webui import WebUI

CARD = "#sdpipe_runs [data-sdpipe-card]"


@pytest.fixture(scope="module")
def made(webui: WebUI) -> str:  # noqa: F811
    """Runs whose prompts nobody else's have; the word."""
    for number in range(3):
        request = {**base_request(), "prompt": f"a quixotry <img src=x onerror='window.stolen=1'> {number}", "batch_size": 2}
        request["alwayson_scripts"] = {"SDPipe": {"args": [{"label": f"leaf {number}"}]}}
        before = webui.run_ids()
        webui.post("/sdapi/v1/txt2img", request)
        (run_id,) = webui.run_ids() - before
        webui.wait_closed(run_id)
    return "quixotry"


class Listing:
    """The list on the page."""

    def __init__(self, page: Page) -> None:
        self.page, self.tab = page, page.tab
        page.open_runs()
        page.tab.locator("#sdpipe_refresh").click()

    def query(self) -> Any:
        return self.tab.locator("#sdpipe_query textarea, #sdpipe_query input").first

    def search(self, text: str) -> None:
        self.query().fill(text)
        self.query().press("Enter")
        self.wait_for(text)

    def wait_for(self, query: str, view: str | None = None) -> None:
        self.tab.wait_for_function(
            "([query, view]) => { const list = document.querySelector('#sdpipe_runs [data-sdpipe-place]');"
            " const place = list && JSON.parse(list.dataset.sdpipePlace);"
            " return place && place.query === query && (!view || place.view === view); }", arg=[query, view],
        )

    def place(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            self.tab.evaluate("() => document.querySelector('#sdpipe_runs [data-sdpipe-place]').dataset.sdpipePlace")
        )
        return found

    def show(self, view: str) -> None:
        self.tab.locator("#sdpipe_views button", has_text=view).first.click()
        self.wait_for(self.place()["query"], view.lower())

    def count(self, number: int) -> None:
        self.tab.wait_for_function(f"() => document.querySelectorAll('{CARD}').length === {number}")

    def focused(self) -> int:
        found: int = self.tab.evaluate(f"() => [...document.querySelectorAll('{CARD}')].indexOf(document.activeElement)")
        return found


def test_a_search_lists_runs_and_images_that_can_be_opened_by_keys(page: Page, made: str) -> None:
    listing = Listing(page)
    listing.search(made)
    listing.count(3)
    assert page.tab.locator("#sdpipe_runs .sdpipe-browse-strip img").count() >= 6
    listing.show("Images")
    page.tab.locator(CARD).first.focus()
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("ArrowRight")
    page.tab.keyboard.press("ArrowLeft")
    assert listing.focused() == 1
    page.tab.keyboard.press(" ")
    assert page.tab.evaluate("() => window.sdpipe.picked().length") == 1
    page.tab.keyboard.press("Enter")
    page.tab.locator("#sdpipe_run", has_text="leaf_2").first.wait_for()
    assert listing.place() == {"view": "images", "query": made, "after": None, "before": None}, "the list stays where it is"
    page.tab.evaluate("() => document.activeElement.blur()")
    page.tab.keyboard.press("/")
    assert listing.query().evaluate("field => document.activeElement === field")
    assert page.tab.evaluate("() => window.stolen") is None


def test_a_faulty_search_says_why_beside_the_box_and_leaves_the_list(page: Page, made: str) -> None:
    listing = Listing(page)
    listing.search(made)
    listing.count(3)
    listing.query().fill(f"{made} steps:many")
    listing.query().press("Enter")
    fault = page.tab.locator("#sdpipe_query_fault mark").first
    fault.wait_for()
    assert fault.inner_text() == "many"
    listing.count(3)


def test_a_click_on_a_filter_writes_into_the_search_and_the_search_can_be_kept(page: Page, made: str) -> None:
    listing = Listing(page)
    listing.search(made)
    page.tab.locator("#sdpipe_filters_panel button, #sdpipe_filters_panel .label-wrap").first.click()
    page.tab.locator("#sdpipe_filters button", has_text="Completed").first.click()
    listing.wait_for(f"{made} status:completed")
    assert listing.query().input_value() == f"{made} status:completed"
    listing.count(3)
    page.tab.locator("#sdpipe_search_name textarea, #sdpipe_search_name input").first.fill("mine")
    page.tab.locator("#sdpipe_save_search").click()
    listing_of_saved = page.tab.locator("#sdpipe_searches button", has_text="mine").first
    listing_of_saved.wait_for()
    listing.search("")
    listing_of_saved.click()
    listing.wait_for(f"{made} status:completed")
    page.tab.locator("#sdpipe_searches button[aria-label='Delete the search mine']").first.click()
    listing_of_saved.wait_for(state="detached")


def test_the_place_is_kept_while_the_page_is_loaded_again(open_page: Callable[..., Page], made: str) -> None:
    page = open_page(theme="dark", width=600)
    listing = Listing(page)
    listing.search(made)
    listing.show("Images")
    page.tab.locator("[data-sdpipe-jump]").first.fill("2020-01-01")
    page.tab.locator("#sdpipe_runs", has_text="There are no older images.").first.wait_for()
    page.tab.locator("#sdpipe_newer").click()
    page.tab.locator(CARD).first.wait_for()
    kept = listing.place()
    page.tab.reload()
    page._wait_until_ready()
    page.open_runs()
    listing.wait_for(made, "images")
    assert listing.place() == kept and listing.query().input_value() == made
