"""Headless Chromium on the same host as the contract suite's."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from tests.browser.page import CHROMIUM, FLAGS, Page
from tests.contract.conftest import host, webui  # noqa: F401  (fixtures)
from tests.contract.webui import WebUI


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, headless=True, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(host: WebUI, browser: Any) -> Iterator[Callable[..., Page]]:  # noqa: F811
    opened: list[Page] = []

    def open_one(**arguments: Any) -> Page:
        opened.append(Page(browser, host.url, **arguments))
        return opened[-1]

    yield open_one
    for page in opened:
        errors = page.our_errors()
        page.tab.close()
        assert errors == [], "errors of ours in the browser's console"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()
