"""Headless Chromium on the same host as the contract suite's."""

from __future__ import annotations

from typing import Any, Callable, Iterator

import pytest

from tests.browser.page import Page
from tests.contract.conftest import Made, base_request, generate, host, webui  # noqa: F401  (fixtures)
from tests.contract.webui import WebUI

Press = Callable[[Callable[[], None]], Made]


@pytest.fixture(scope="session")
def idle_pages() -> list[Page]:
    """Tabs that tests are done with."""
    return []


@pytest.fixture
def open_page(host: WebUI, browser: Any, idle_pages: list[Page]) -> Iterator[Callable[..., Page]]:  # noqa: F811
    opened: list[Page] = []

    def open_one(**arguments: Any) -> Page:
        if idle_pages:
            opened.append(idle_pages.pop())
            opened[-1].begin_anew(host.url, **arguments)
        else:
            opened.append(Page(browser, host.url, **arguments))
        return opened[-1]

    yield open_one
    errors = [error for page in opened for error in page.our_errors()]
    for page in opened:
        if errors or not page.is_sound():
            page.tab.close()
        else:
            idle_pages.append(page)
    assert errors == [], "errors of ours in the browser's console"


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    return open_page()


@pytest.fixture
def press(host: WebUI) -> Press:  # noqa: F811
    """Do something on the page and return what was recorded: exactly one run."""

    def do(action: Callable[[], None]) -> Made:
        before = host.run_ids()
        action()
        made = host.run_ids() - before
        assert len(made) == 1, f"{len(made)} runs were made, not one: {sorted(made)}"
        recorded = Made(host, None, made.pop())
        assert host.run_ids() - before == {recorded.run_id}
        assert recorded.run["source"] == "ui"
        return recorded

    return do


@pytest.fixture
def source(generate: Callable[..., Made]) -> Made:  # noqa: F811
    """Two recorded pictures to go on from."""
    return generate(width=128, height=128, batch_size=2, override_settings={"grid_save": False})
