"""The tab on the page of `serve`, in a browser: complete, asking no other server, and deaf to what a library tries to say to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.hostile_library import BAIT, FILE_NAME, SHORT, build_hostile_library
from tests.cli.serving import Server
from tests.ui.sample_library import SampleLibrary

pytest.importorskip("gradio")

Open = Callable[..., "View"]


class View:
    """A page of `serve`, and what it did that was not meant."""

    def __init__(self, browser: Any, url: str, path: str = "/?__theme=light") -> None:
        self.asked: list[str] = []
        self.faults: list[str] = []
        self.tab = browser.new_page(viewport={"width": 1300, "height": 900})
        self.tab.set_default_timeout(30_000)
        self.tab.on("request", lambda request: self.asked.append(request.url))
        self.tab.on("dialog", lambda dialog: (self.faults.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.tab.on("pageerror", lambda fault: self.faults.append(f"error: {fault}"))
        self.tab.on("console", self._note)
        self.tab.goto(url + path, wait_until="domcontentloaded")
        is_there = "() => document.querySelector('#sdpipe_runs') && !document.querySelector('#sdpipe_runs [data-sdpipe-pending]')"
        self.tab.wait_for_function(is_there)

    def _note(self, message: Any) -> None:
        # A picture that is not there is told by the browser itself.
        is_picture = "/sdpipe/v1/thumbnails/" in message.location.get("url", "") and "404" in message.text
        if message.type == "error" and not is_picture:
            self.faults.append(f"{message.text} {message.location}")

    def sections(self) -> list[str]:
        ids = self.tab.evaluate("() => [...document.querySelectorAll('#sdpipe_sections [id^=sdpipe_section_]')].map(x => x.id)")
        return [name.removeprefix("sdpipe_section_") for name in ids if not name.endswith("-button")]

    def turn_to(self, section: str) -> None:
        self.tab.evaluate("name => window.sdpipe.turnTo(name)", section)
        self.tab.locator(f"#sdpipe_section_{section}").wait_for(state="visible")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> SampleLibrary:
    return build_hostile_library(tmp_path_factory.mktemp("hostile") / "library")


@pytest.fixture(scope="module")
def server(hostile: SampleLibrary) -> Iterator[Server]:
    server = Server(hostile.layout.runs)
    yield server
    server.kill()


@pytest.fixture
def view(server: Server, browser: Any) -> Iterator[Open]:
    opened: list[View] = []

    def open_one(path: str = "/?__theme=light") -> View:
        opened.append(View(browser, server.url, path))
        return opened[-1]

    yield open_one
    for one in opened:
        one.tab.close()


def test_the_page_is_whole_and_asks_no_other_server(view: Open, server: Server) -> None:
    page = view()
    page.tab.locator("#sdpipe_runs button").first.click()
    page.tab.locator("#sdpipe_run [data-sdpipe-open-run]").first.wait_for(state="attached")
    assert [url for url in page.asked if not url.startswith((f"{server.url}/", "data:", "blob:"))] == []
    assert page.tab.locator("#sdpipe_pause").is_visible() is False
    assert page.faults == []


def test_no_text_of_a_library_becomes_a_part_of_the_page(view: Open, hostile: SampleLibrary) -> None:
    page = view()
    runs = page.tab.evaluate("() => [...document.querySelectorAll('[data-sdpipe-run]')].map(x => x.dataset.sdpipeRun)")
    assert len(runs) == 3
    for run in runs:
        names = sorted(path.stem for path in hostile.layout.manifests(run).iterdir())
        for name in names:
            page.tab.evaluate("what => window.sdpipe.ask('open', what)", {"run": run, "name": name})
            page.tab.wait_for_timeout(250)
        page.tab.evaluate("() => document.querySelectorAll('#sdpipe_tab details').forEach(x => { x.open = true; })")
    images = [{"run": run, "name": f"txt2img_{number:03d}"} for run in runs[-2:] for number in (1, 2)]
    unrecorded = [{"root": "outputs", "path": FILE_NAME}]
    for section, name, data in (
        ("browse", "browse", {"view": "images"}), ("browse", "search", {"query": BAIT}), ("compare", "compare", {"images": images}),
        ("compare", "compare", {"runs": runs[-2:]}), ("trace", "trace", {"picked": images[:1]}), ("trace", "trace", {"picked": unrecorded}),
        ("repair", "repair", {"do": "check"}), ("repair", "repair", {"do": "open", "code": "orphaned-image"}),
        ("repair", "repair", {"do": "open", "code": "missing-image"}), ("repair", "repair", {"do": "open", "code": "stripped-image"}),
        ("repair", "repair", {"do": "choose", "code": "stripped-image", "operation": "write-infotext"}),
        ("repair", "repair", {"do": "plan"}), ("statistics", "statistics_look", {}),
        ("bin", "bin", {"do": "preview", "picked": unrecorded}),
        ("bin", "bin", {"do": "preview", "images": images[:1], "picked": images}),
        ("bin", "mark", {"images": images, "set": {"tags": [SHORT]}}),
    ):
        page.turn_to(section)
        page.tab.evaluate("([name, data]) => window.sdpipe.ask(name, data)", [name, data])
        page.tab.wait_for_timeout(700)
        page.tab.evaluate("() => document.querySelectorAll('#sdpipe_tab details').forEach(x => { x.open = true; })")
        assert page.tab.evaluate("() => [document.querySelectorAll('sdpipe-injected').length, window.hacked]") == [0, None], (section, name)
    assert "sdpipe-injected" in page.tab.content()  # it is there to be read
    assert page.tab.evaluate("() => [document.querySelectorAll('sdpipe-injected').length, window.hacked]") == [0, None]
    assert page.faults == []
