"""A person looks at the statistics: charts come by themselves, in light and dark, and lead to the images."""

from __future__ import annotations

import re
from typing import Callable

import pytest

from tests.browser.page import Page
from tests.contract.conftest import Made
from tests.contract.test_api import API
from tests.contract.webui import WebUI


@pytest.mark.parametrize(("theme", "width"), [("light", 1400), ("dark", 600)])
def test_charts_come_by_themselves_and_are_chosen_from(open_page: Callable[..., Page], source: Made, theme: str, width: int) -> None:
    page = open_page(theme=theme, width=width)
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('statistics')")
    statistics = page.tab.locator("#sdpipe_statistics")
    statistics.locator("svg.sdpipe-bars").first.wait_for()
    statistics.get_by_text("By checkpoint").first.wait_for()
    assert page.tab.evaluate("() => document.querySelector('#sdpipe_statistics').scrollWidth <= document.body.clientWidth")
    page.tab.get_by_role("button", name="Last 7 days").click()
    page.tab.locator("#sdpipe_statistics_ranges [aria-pressed=true]", has_text="Last 7 days").wait_for()
    statistics.get_by_text("As a table").first.click()
    statistics.locator("table button").first.wait_for(state="visible")
    box = page.tab.locator("#sdpipe_statistics_query textarea, #sdpipe_statistics_query input").first
    box.fill("words-that-nobody-wrote")
    box.press("Enter")
    statistics.get_by_text("nothing to count").wait_for()


def test_a_bar_leads_to_the_images_that_it_counts_but_for_those_that_are_gone(page: Page, source: Made, host: WebUI) -> None:
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('statistics')")
    statistics = page.tab.locator("#sdpipe_statistics")
    there_are, are_left = (
        f"{host.get(f'{API}/images?q=stage:txt2img%20role:final{more}')['total']:,}" for more in ("", "%20lost:no")
    )
    # What was counted a moment ago is good enough to be shown, and may lack the newest images.
    statistics.get_by_role("button", name="Count anew").click()
    bar = statistics.locator(".sdpipe-row", has_text="txt2img").first
    bar.locator(".sdpipe-row-value", has_text=re.compile(rf"^{there_are}$")).wait_for()
    bar.click()
    page.tab.locator("#sdpipe_runs").first.wait_for(state="visible")
    page.tab.locator("#sdpipe_summary", has_text=re.compile(rf"^\s*{are_left} images\b")).first.wait_for()
