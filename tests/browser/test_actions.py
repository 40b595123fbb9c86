"""A person goes on from an image: sends it with all its settings to a tab of the host, copies, downloads, shares."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest
from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.head import parse_head
from tests.browser.conftest import Press
from tests.browser.page import Page
from tests.contract.conftest import Made

PROMPT = "a lighthouse, evening: mist\nand (rocks:1.2)"
SETTINGS = {"steps": 3, "cfg_scale": 6.5, "width": 128, "height": 96, "seed": 4711, "sampler_name": "DPM++ 2M"}


@pytest.fixture
def made(generate: Callable[..., Made]) -> Made:
    return generate(prompt=PROMPT, negative_prompt="blurry", **SETTINGS)


def open_image(page: Page, made: Made) -> Any:
    page.open_runs()
    page.tab.evaluate("([run, name]) => window.sdpipe.ask('open', {run, name})", [made.run_id, made.manifests[0]["name"]])
    details = page.tab.locator("#sdpipe_details").first
    details.get_by_text("4711").first.wait_for()
    return details


def send(page: Page, made: Made, target: str) -> None:
    open_image(page, made).get_by_role("button", name=f"Send to {target}", exact=True).click()
    field = {"inpaint": "img2img"}.get(target, target)
    page.tab.locator(f"#{field}_generate").first.wait_for(state="visible")


def wait_for_value(page: Page, selector: str, value: str) -> None:
    page.tab.wait_for_function("([place, value]) => document.querySelector(place).value === value", arg=[selector, value])


def test_all_settings_go_to_txt2img(page: Page, made: Made) -> None:
    send(page, made, "txt2img")
    wait_for_value(page, "#txt2img_prompt textarea", PROMPT)
    wait_for_value(page, "#txt2img_neg_prompt textarea", "blurry")
    for field, value in (("steps", "3"), ("cfg_scale", "6.5"), ("width", "128"), ("height", "96"), ("seed", "4711")):
        wait_for_value(page, f"#txt2img_{field} input[type=number]", value)


@pytest.mark.parametrize("target", ["img2img", "extras"])
def test_the_image_itself_goes_with_them(page: Page, made: Made, press: Press, target: str) -> None:
    send(page, made, target)
    if target == "img2img":
        wait_for_value(page, "#img2img_prompt textarea", PROMPT)
    page.tab.wait_for_function("id => document.querySelector(`#${id} img, #${id} canvas`) !== null", arg=f"{target}_image")
    page.settle(1000)
    child = press(lambda: page.press(target, f"{target}_generate")).manifests[0]
    assert (child["parent"]["run_id"], child["parent"]["name"]) == (made.run_id, made.manifests[0]["name"])
    assert child["parent"]["by"] in ("file", "pixels")


def test_its_texts_are_copied(page: Page, made: Made) -> None:
    page.tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    details = open_image(page, made)
    for label, text in (("infotext", made.manifests[0]["infotext"]), ("prompt", PROMPT), ("seed", "4711")):
        details.get_by_role("button", name=f"Copy {label}", exact=True).click()
        page.tab.wait_for_function("async text => (await navigator.clipboard.readText()).trim() === text.trim()", arg=text)


def download(page: Page) -> tuple[str, bytes]:
    with page.tab.expect_download() as waiting:
        page.tab.locator("#sdpipe_download a", has_text="Download").click()
    name, data = waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()
    page.tab.locator("#sdpipe_download").get_by_role("button", name="Close").click()
    page.tab.locator("#sdpipe_download a").wait_for(state="detached")
    return name, data


def test_a_run_is_downloaded_and_an_image_is_shared_without_its_prompt(page: Page, made: Made) -> None:
    details, manifest = open_image(page, made), made.manifests[0]
    page.tab.get_by_role("button", name="Download as zip").first.click()
    name, data = download(page)
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert name == f"{made.run_id}.zip" and archive.testzip() is None
    assert {f"{made.run_id}/run_metadata.json", f"{made.run_id}/manifests/{manifest['name']}.json"} < set(archive.namelist())
    details.get_by_role("button", name="Download a copy for sharing").first.click()
    name, data = download(page)
    assert name == "image.png" and parse_head(data).texts == {} and b"lighthouse" not in data
    assert pixel_sha256(Image.open(io.BytesIO(data))) == manifest["image"]["pixel_sha256"]
