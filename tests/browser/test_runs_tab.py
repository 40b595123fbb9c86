"""A person opens the Runs tab and finds the pictures, where they came from, and the switch that pauses recording."""

from __future__ import annotations

import json
import time
from typing import Any


from tests.browser.page import Page
from tests.contract.conftest import base_request
from tests.contract.webui import WebUI


def test_recording_is_paused_and_resumed_in_the_tab(page: Page, host: WebUI) -> None:
    page.open_runs()
    page.checkbox("sdpipe_pause").wait_for(state="visible")
    page.checkbox("sdpipe_pause").check()
    wait_until_paused(page, host, True)
    before = host.run_ids()
    host.post("/sdapi/v1/txt2img", base_request())
    assert host.run_ids() == before
    page.checkbox("sdpipe_pause").uncheck()
    wait_until_paused(page, host, False)


def _saved_settings(host: WebUI) -> dict[str, Any]:
    try:
        settings: dict[str, Any] = json.loads((host.data_dir / "config.json").read_text("utf-8"))
    except ValueError:
        return {}  # it is being written
    return settings


def wait_until_paused(page: Page, host: WebUI, paused: bool) -> None:
    """Waits by the page's clock: its requests pass through this process.

    Looks at the saved settings: after Reload UI Forge's API does not list the options of extensions any more.
    """
    deadline = time.monotonic() + 15
    while _saved_settings(host).get("sdpipe_paused") is not paused:
        assert time.monotonic() < deadline, f"recording is {'not ' if paused else ''}paused"
        page.tab.wait_for_timeout(100)


def test_a_run_in_progress_appears_by_itself(page: Page, host: WebUI) -> None:
    page.open_runs()
    request = {**base_request(), "alwayson_scripts": {"SDPipe": {"args": [{"label": "appears"}]}}}
    host.post("/sdapi/v1/txt2img", request)
    page.tab.locator("#sdpipe_refresh").click()
    page.tab.locator("#sdpipe_runs button", has_text="appears").first.wait_for()
    page.tab.locator("#sdpipe_runs button", has_text="appears").filter(has_text="Completed").first.wait_for()
