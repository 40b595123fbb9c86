"""The tab's events as requests: none without the page's login, none that a page of another site has a browser send."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

gr = pytest.importorskip("gradio")
pytest.importorskip("httpx")
from fastapi.testclient import TestClient  # noqa: E402

from lib_sdpipe.ui.page import build_page  # noqa: E402
from lib_sdpipe.ui.tab import build_tab  # noqa: E402
from lib_sdpipe.ui.visit import ELSEWHERE, is_from_elsewhere  # noqa: E402
from tests.ui.sample_library import SampleLibrary  # noqa: E402
from tests.ui.test_tab import Host  # noqa: E402


@pytest.mark.parametrize(("headers", "expected"), [
    ({"sec-fetch-site": "same-origin", "origin": "http://a", "host": "b"}, False),
    ({"sec-fetch-site": "same-site"}, False), ({"sec-fetch-site": "none"}, False), ({"sec-fetch-site": "cross-site"}, True), ({}, False),
    ({"origin": "http://10.0.0.5:7860", "host": "10.0.0.5:7860"}, False),
    ({"origin": "http://evil.example", "host": "10.0.0.5:7860"}, True),
    ({"origin": "null", "host": "10.0.0.5:7860"}, True), ({"origin": "https://Pictures.example", "host": "pictures.example"}, False),
    ({"origin": "https://pictures.example", "host": "10.0.0.5:7860", "x-forwarded-host": "inner, pictures.example"}, False),
    # A proxy on this computer that does not pass the name on; browsers that say Sec-Fetch-Site are told from it above.
    ({"origin": "http://pictures.example", "host": "127.0.0.1:7860"}, False),
])
def test_where_a_press_comes_from(headers: dict[str, str], expected: bool) -> None:
    assert is_from_elsewhere(headers) is expected


# What gradio sends along when somebody selects something.
_PRESSED = {"index": 0, "value": "", "selected": True}


class Served:
    """The tab on a page of gradio's own app, without a server."""

    def __init__(self, host: Host, users: list[tuple[str, str]] | None = None) -> None:
        from gradio.routes import App

        page = build_page(lambda: build_tab(host), "Runs")
        page.auth, page.auth_message = users, None
        self.config, events = page.config, page.config["dependencies"]
        # How many values each takes.
        self.events = {number: len(each["inputs"]) for number, each in enumerate(events) if each.get("backend_fn", True)}
        box = next(each["id"] for each in page.config["components"] if each["props"].get("elem_id") == "sdpipe_pause")
        self.pause = next(number for number, each in enumerate(events) if box in each["inputs"])
        self.client = TestClient(App.create_app(page), base_url="http://127.0.0.1:7860")
        self.prefix = "/gradio_api" if int(gr.__version__.split(".")[0]) >= 5 else ""

    def press(self, event: int, data: list[Any], route: str = "run/predict", **headers: str) -> Any:
        """As the page does; without a content type gradio takes a body for JSON too."""
        body = json.dumps({"data": data, "fn_index": event, "session_hash": "x", "event_data": _PRESSED}).encode()
        sent = {name.replace("_", "-"): text for name, text in headers.items()}
        return self.client.post(f"{self.prefix}/{route}", content=body, headers=sent)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(SampleLibrary(tmp_path / "library").layout)


def test_without_the_pages_login_no_event_is_done(host: Host) -> None:
    served = Served(host, [("ann", "secret")])
    for event in served.events:
        for route in ("run/predict", "api/predict", "queue/join"):
            assert served.press(event, [True], route, content_type="application/json").status_code in (401, 404, 405), (event, route)
    assert host.paused is False
    served.client.post("/login", data={"username": "ann", "password": "secret"})
    assert served.press(served.pause, [True], content_type="application/json").status_code == 200
    assert host.paused is True


@pytest.mark.parametrize("kind", [{}, {"content_type": "application/json"}])
def test_a_press_by_another_sites_page_does_nothing(host: Host, kind: dict[str, str]) -> None:
    served = Served(host)
    for headers in ({"sec_fetch_site": "cross-site"}, {"origin": "http://evil.example", "host": "10.0.0.5:7860"}):
        answer = served.press(served.pause, [True], **headers, **kind)
        assert host.paused is False and (answer.status_code >= 400 or ELSEWHERE[:30] in answer.text)
    assert served.press(served.pause, [True], sec_fetch_site="same-origin", **kind).status_code in (200, 422)


def test_every_event_of_ours_goes_through_the_frame(host: Host) -> None:
    """Also those of sections that are still to be written: nobody answers to a page of another site."""
    served = Served(host)
    assert len(served.events) > 5
    for event, count in served.events.items():
        answer = served.press(event, [None] * count, sec_fetch_site="cross-site", content_type="application/json")
        assert answer.status_code == 200 and ELSEWHERE[:30] in answer.text, event
