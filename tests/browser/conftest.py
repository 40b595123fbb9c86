"""Headless Chromium on the same host as the contract suite's."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from tests.browser.page import Page
from tests.contract.conftest import host, webui  # noqa: F401  (fixtures)
from tests.contract.webui import WebUI


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
