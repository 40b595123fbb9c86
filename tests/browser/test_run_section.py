"""A person opens a run: its lineage, its images large and one after the other, its settings, and the way there from txt2img."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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


def open_run(page: Page, run: dict[str, Any]) -> None:
    page.open_runs()
    page.tab.evaluate("run => window.sdpipe.ask('open', {run: run})", run["run_id"])
    wait_until_open(page, run["run_id"])


def wait_until_open(page: Page, run_id: str) -> None:
    page.tab.locator(f'#sdpipe_run [data-sdpipe-open-run="{run_id}"]').first.wait_for()


def wait_for_picture(page: Page, part: str) -> None:
    """The browser has the picture and could decode it."""
    page.tab.wait_for_function(
        "part => { const all = [...document.querySelectorAll(`${part} img`)];"
        " return all.length > 0 && all.every(img => img.complete && img.naturalWidth > 0); }", arg=part,
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_run_its_images_and_its_lineage_are_found(
    open_page: Callable[..., Page], chain: tuple[dict[str, Any], dict[str, Any]], theme: str
) -> None:
    first, second = chain
    page = open_page(theme=theme)
    open_run(page, second)
    for part in ("#sdpipe_strip", "#sdpipe_picture", "#sdpipe_lineage"):
        wait_for_picture(page, part)
    assert page.tab.locator("#sdpipe_strip .sdpipe-tile").count() >= 2
    assert "<script>window.stolen = 1</script>" in page.tab.locator("#sdpipe_details").first.inner_text()
    assert page.tab.evaluate("() => window.stolen") is None
    page.tab.locator("#sdpipe_lineage button", has_text="chain_first").first.click()
    wait_until_open(page, first["run_id"])


def test_keys_go_through_the_images_and_the_page_follows(page: Page, chain: tuple[dict[str, Any], dict[str, Any]]) -> None:
    open_run(page, chain[0])
    tab = page.tab
    names = tab.locator("#sdpipe_strip .sdpipe-tile > button").evaluate_all("all => all.map(one => one.dataset.sdpipeCaption)")
    tab.locator("#sdpipe_picture button", has_text="View large").click()
    viewer = tab.locator(".sdpipe-viewer")
    viewer.wait_for(state="visible")
    caption = tab.locator(".sdpipe-viewer-caption")
    assert caption.inner_text().startswith(names[0]) and viewer.get_attribute("aria-modal") == "true"
    wait_for_picture(page, ".sdpipe-viewer")
    tab.keyboard.press("ArrowRight")
    assert caption.inner_text().startswith(names[1])
    tab.locator("#sdpipe_details h3", has_text=names[1].split(",")[0]).first.wait_for()
    tab.keyboard.press("i")
    assert names[1].split(",")[0] in tab.locator("aside.sdpipe-viewer-facts").inner_text()
    width = "() => document.querySelector('.sdpipe-viewer-image').getBoundingClientRect().width"
    before = tab.evaluate(width)
    tab.keyboard.press("+")
    assert tab.evaluate(width) > before * 1.2
    tab.keyboard.press("0")
    assert tab.evaluate(width) == pytest.approx(before, abs=1)
    tab.keyboard.press("End")
    assert caption.inner_text().startswith(names[-1])
    tab.keyboard.press("Escape")
    viewer.wait_for(state="hidden")
    assert tab.evaluate("() => document.activeElement.closest('#sdpipe_open_column') !== null"), "the keyboard is where it was"


def test_the_environment_and_the_manifest_open_where_they_are_asked_for(page: Page, chain: tuple[dict[str, Any], dict[str, Any]]) -> None:
    open_run(page, chain[0])
    about = page.tab.locator("#sdpipe_about").first
    about.get_by_role("button", name="Environment").click()
    about.get_by_text("Python").first.wait_for()
    about.get_by_role("button", name="Manifest").click()
    about.locator("pre", has_text='"schema": "sdpipe.manifest/1"').first.wait_for()
    about.get_by_role("button", name="Manifest").click()
    about.locator("pre").first.wait_for(state="detached")


def test_the_accordion_leads_to_the_last_run(page: Page, press: Callable[..., Any]) -> None:
    page.open_panel("txt2img")
    page.fill("txt2img", "a harbour")
    made = press(lambda: page.generate("txt2img"))
    last = page.tab.locator("#sdpipe_txt2img_last").first
    last.locator(f"button[title='{made.run_id}']").wait_for()
    last.get_by_text("Completed").first.wait_for()
    last.locator("button").first.click()
    wait_until_open(page, made.run_id)
