"""A person compares two images, looks at what differs in pixels, words and settings, and compares two runs."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from tests.browser.page import Page
from tests.contract.conftest import Made, base_request
from tests.contract.webui import WebUI


@pytest.fixture
def two(generate: Callable[..., Made]) -> tuple[Made, Made]:
    """Two runs of one seed whose prompts, steps and pictures differ; the second has a hostile prompt."""
    one = generate(prompt="a harbour, (mist:1.2), gulls", seed=7, steps=2, width=128, height=128)
    hostile = "a harbour, (mist:1.1), <script>window.stolen = 1</script>"
    other = generate(prompt=hostile, seed=7, steps=3, cfg_scale=5, width=128, height=128)
    return one, other


def _images(*runs: Made) -> list[dict[str, Any]]:
    return [{"run": made.run_id, "name": made.of("txt2img")[0]["name"]} for made in runs]


def _compare(page: Page, **data: Any) -> Any:
    page.tab.evaluate("data => { window.sdpipe.turnTo('compare'); window.sdpipe.ask('compare', data); }", data)
    section = page.tab.locator("#sdpipe_compare")
    section.locator(".sdpipe-compare").first.wait_for()
    return section


def _wait_until_loaded(page: Page) -> None:
    page.tab.wait_for_function(
        "() => [...document.querySelectorAll('#sdpipe_compare .sdpipe-frame img')].length >= 2"
        " && [...document.querySelectorAll('#sdpipe_compare .sdpipe-frame img')].every(i => i.complete && i.naturalWidth === 128)"
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_two_images_are_compared_by_eye_by_pixel_and_by_word(
    open_page: Callable[..., Page], two: tuple[Made, Made], theme: str
) -> None:
    page = open_page(theme=theme)
    page.open_runs()
    section = _compare(page, images=_images(*two))
    _wait_until_loaded(page)
    texts = section.locator("#sdpipe_compare_texts").first.inner_text()
    assert "1.2" in texts and "gulls" in texts and "<script>window.stolen = 1</script>" in texts and "CFG scale" in texts
    assert page.tab.evaluate("() => window.stolen") is None
    section.locator("[data-sdpipe-show=difference]").click()
    section.get_by_text("Largest difference").wait_for()
    section.locator("[data-sdpipe-amplify]").fill("5")
    assert section.locator(".sdpipe-pixels img").evaluate("i => getComputedStyle(i).filter") == "brightness(32)"
    section.locator("[data-sdpipe-show=side]").click()
    assert section.locator(".sdpipe-stage img:visible").count() == 2


def test_the_divider_is_moved_by_keys_and_by_dragging(page: Page, two: tuple[Made, Made]) -> None:
    page.open_runs()
    section = _compare(page, images=_images(*two))
    _wait_until_loaded(page)
    divider, frame = section.locator(".sdpipe-divider"), section.locator("[data-sdpipe-side=other] .sdpipe-frame")
    divider.wait_for()  # it is seen once the page's script has chosen a view
    divider.press("Home")
    divider.press("ArrowRight")
    divider.press("Shift+ArrowRight")
    assert divider.get_attribute("aria-valuenow") == "11"
    assert "11%" in frame.evaluate("f => getComputedStyle(f).clipPath")
    box = frame.bounding_box()
    page.tab.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + 40)
    page.tab.mouse.down()
    page.tab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 40, steps=4)
    page.tab.mouse.up()
    assert abs(int(divider.get_attribute("aria-valuenow")) - 75) <= 1


def test_zoom_and_pan_go_in_step(page: Page, two: tuple[Made, Made]) -> None:
    page.open_runs()
    section = _compare(page, images=_images(*two))
    _wait_until_loaded(page)
    section.locator("[data-sdpipe-show=side]").click()
    frame = section.locator(".sdpipe-stage .sdpipe-frame").first
    frame.focus()
    for key in ("+", "+", "ArrowRight"):
        page.tab.keyboard.press(key)
    places = section.locator(".sdpipe-stage img").evaluate_all("found => found.map(i => getComputedStyle(i).transform)")
    assert places[0] == places[1] and places[0].startswith("matrix(2.25,")
    page.tab.keyboard.press("0")
    assert section.locator(".sdpipe-stage img").first.evaluate("i => getComputedStyle(i).transform") == "matrix(1, 0, 0, 1, 0, 0)"


def test_two_runs_are_compared_and_a_pair_of_their_images_opened(page: Page, two: tuple[Made, Made]) -> None:
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('compare')")
    field = page.tab.locator("#sdpipe_compare_typed input, #sdpipe_compare_typed textarea").first
    field.fill(f"{two[0].run_id} {two[1].run_id}")
    page.tab.locator("#sdpipe_compare_button").click()
    section = page.tab.locator("#sdpipe_compare")
    section.locator(".sdpipe-pair").first.wait_for()
    texts = section.inner_text()
    assert "What was asked" in texts and "Both ran in the same environment" in texts
    section.locator("button", has_text="Compare these two").last.click()
    section.locator("[data-sdpipe-compare]").wait_for()
    assert two[1].run_id in field.input_value()


def test_what_is_picked_anywhere_is_compared(page: Page, host: WebUI, two: tuple[Made, Made]) -> None:
    page.open_runs()
    page.tab.evaluate("images => images.forEach(image => window.sdpipe.setPicked(image, true))", _images(*two))
    page.tab.evaluate("() => window.sdpipe.turnTo('compare')")
    section = page.tab.locator("#sdpipe_compare")
    section.locator("[data-sdpipe-picked-count]", has_text="2").wait_for()
    section.get_by_role("button", name="Compare picked images").click()
    _wait_until_loaded(page)
    assert base_request()["negative_prompt"] in section.inner_text()
