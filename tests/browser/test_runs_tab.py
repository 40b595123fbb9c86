"""A person opens the Runs tab and finds the pictures, where they came from, and the switch that pauses recording."""

from __future__ import annotations

import json
import time
from typing import Any, Callable

import pytest
from PIL import Image

from tests.browser.page import Page
from tests.contract.conftest import base_request
from tests.contract.webui import WebUI, encode_picture


@pytest.fixture
def chain(host: WebUI) -> tuple[dict[str, Any], dict[str, Any]]:
    """A txt2img run with a hostile prompt, and an img2img run made from its image."""
    runs = []
    picture: Image.Image | None = None
    for endpoint, label in (("txt2img", "first"), ("img2img", "second")):
        before = host.run_ids()
        request = {**base_request(), "prompt": "a harbour <script>window.stolen = 1</script>", "n_iter": 2}
        request["alwayson_scripts"] = {"SDPipe": {"args": [{"label": f"chain {label}"}]}}
        if picture is not None:
            request.update(init_images=[encode_picture(picture)], denoising_strength=0.4)
        host.post(f"/sdapi/v1/{endpoint}", request)
        (run_id,) = host.run_ids() - before
        runs.append(host.wait_closed(run_id))
        picture = Image.open(host.file_of(host.manifests(run_id)[0]))
    return runs[0], runs[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_run_its_images_and_their_lineage_are_found(
    open_page: Callable[..., Page], chain: tuple[dict[str, Any], dict[str, Any]], theme: str
) -> None:
    first, second = chain
    page = open_page(theme=theme)
    page.open_runs()
    row = page.tab.locator("#sdpipe_runs button", has_text="chain_second").first
    row.click()
    page.tab.locator("#sdpipe_run", has_text=second["run_id"]).first.wait_for()
    page.tab.wait_for_function("() => document.querySelectorAll('#sdpipe_run_gallery img').length >= 3")
    page.tab.locator("#sdpipe_run_gallery button img").first.click()
    details = page.tab.locator("#sdpipe_details").first
    details.get_by_text("img2img_001").first.wait_for()
    assert "<script>window.stolen = 1</script>" in details.inner_text()
    assert page.tab.evaluate("() => window.stolen") is None
    details.locator("button", has_text="txt2img_001").first.click()
    page.tab.locator("#sdpipe_run", has_text=first["run_id"]).first.wait_for()


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
