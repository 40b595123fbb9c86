"""The choice "Then" in the accordion: one press of Generate makes the images and what comes after them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.conftest import Press
from tests.browser.page import Page
from tests.contract.webui import WebUI

API = "/sdpipe/v1/recipes"
NAME = "Test twice as large"


@pytest.fixture
def recipe(host: WebUI) -> Iterator[str]:
    stages = [
        {"stage": "img2img", "settings": {"denoising_strength": 0.4, "steps": 2}},
        {"stage": "upscale", "settings": {"upscaler_1": "Lanczos", "upscaling_resize": 2}},
    ]
    path = f"{API}/{NAME.replace(' ', '%20')}"
    digest = host.post(path, {"recipe": {"stages": stages}})["digest"]
    yield NAME
    host.post(f"{path}/delete", {"digest": digest})


def choose(page: Page, tab: str, name: str) -> None:
    field = page.tab.locator(f"#sdpipe_{tab}_then input").first
    field.click()
    page.tab.locator(f"#sdpipe_{tab}_then [role=option], #sdpipe_{tab}_then li").filter(has_text=name).first.click()
    page.settle(500)


def test_a_recipe_saved_meanwhile_is_chosen_and_made_with_the_press(page: Page, recipe: str, press: Press) -> None:
    page.open_panel("txt2img")
    page.settle(2500, 1200)
    choose(page, "txt2img", recipe)
    page.fill("txt2img", "a harbour, then a larger one", batch_size=2)
    made = press(lambda: page.generate("txt2img"))
    assert made.run["images"] == {"planned": 6, "returned": 6, "saved": 6} and made.run["config"]["then"]["recipe"] == recipe
    assert [m["parent"]["name"] for m in made.of("upscale")] == ["img2img_001", "img2img_002"]
    assert page.tab.locator("#txt2img_gallery .thumbnail-item, #txt2img_gallery button.thumbnail-lg").count() >= 7  # with the grid


def test_the_choice_begins_with_none_and_pasting_leaves_it(page: Page, recipe: str) -> None:
    page.open_panel("txt2img")
    page.settle(2500, 1200)
    field = page.tab.locator("#sdpipe_txt2img_then input").first
    assert field.input_value() == "none"
    choose(page, "txt2img", recipe)
    text = "pasted prompt\nSteps: 3, Sampler: Euler a, CFG scale: 6, Seed: 5, Size: 64x64, Run ID: 20251225_143022_x, Version: 1"
    page.tab.locator("#txt2img_prompt textarea").fill(text)
    page.tab.locator("#paste").first.click()
    page.tab.wait_for_function("() => document.querySelector('#txt2img_prompt textarea').value === 'pasted prompt'")
    page.settle(800)
    assert field.input_value() == recipe
