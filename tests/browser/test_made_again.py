"""A person has an image made again: another picture and why, a lost file put back, room made and taken back, a job stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.page import Page
from tests.browser.test_pipelines_section import open_pipelines, press, wait_ended
from tests.contract.conftest import Generate, Made, base_request, noise, open_picture, options  # noqa: F401  (a fixture)
from tests.contract.webui import WebUI, encode_picture

OpenPage = Callable[..., Page]
Options = Callable[..., None]


@pytest.fixture(autouse=True)
def empty_list(host: WebUI) -> None:
    """Nothing that ended earlier is taken for what ends here."""
    host.post("/sdpipe/v1/queue/clear")


def open_again(page: Page, run_id: str, name: str) -> None:
    """An image of a run in Browse, and from there Make again or Regenerate."""
    page.open_runs()
    page.tab.evaluate("() => window.sdpipe.turnTo('browse')")
    page.tab.evaluate("data => window.sdpipe.ask('open', data)", {"run": run_id, "name": name})
    page.tab.locator(f"#sdpipe_details [data-sdpipe-ask='again'][data-sdpipe-with*='{name}']").first.click()
    page.tab.locator("[data-sdpipe-keep='do-make']").wait_for()


def test_another_picture_is_told_with_its_likeliest_cause(open_page: OpenPage, generate: Generate, options: Options) -> None:  # noqa: F811
    options(img2img_color_correction=False)
    made = generate("img2img", init_images=[encode_picture(noise())], denoising_strength=0.5)
    options(img2img_color_correction=True)
    page = open_page(theme="dark")
    open_again(page, made.run_id, "img2img_001")
    first = page.tab.locator(".sdpipe-preflight li").first
    assert first.locator("span[title]").first.get_attribute("title") == "options.img2img_color_correction"
    first.locator("[data-sdpipe-back]").uncheck()
    press(page, "do-make")
    wait_ended(page, "Made again", "Different").locator("[data-sdpipe-ask='open']").click()
    verdict = page.tab.locator("#sdpipe_run .sdpipe-verdict", has_text="Different").first
    verdict.wait_for()
    assert "options.img2img_color_correction" in verdict.locator("tbody tr").first.inner_text()
    assert "PSNR" in verdict.inner_text()


def test_a_lost_file_is_put_back_and_room_is_made_and_taken_back(open_page: OpenPage, generate: Generate, host: WebUI) -> None:
    made = generate(seed=11)
    (image,) = made.of("txt2img")
    file = made.file(image)
    pixels = open_picture(file).convert("RGB").tobytes()
    file.unlink()
    page = open_page()
    regenerate(page, made, file)
    assert open_picture(file).convert("RGB").tobytes() == pixels

    open_again(page, made.run_id, "txt2img_001")
    press(page, "do-release")
    wait_ended(page, "Release space", "Identical")
    assert not file.exists()
    page.tab.evaluate("() => window.sdpipe.turnTo('bin')")
    page.tab.locator(".sdpipe-bin", has_text="txt2img_001").first.wait_for()

    host.post("/sdpipe/v1/queue/clear")
    regenerate(page, made, file)
    assert open_picture(file).convert("RGB").tobytes() == pixels


def regenerate(page: Page, made: Made, file: Path) -> None:
    open_again(page, made.run_id, "txt2img_001")
    press(page, "do-regenerate")
    page.tab.locator(".sdpipe-again", has_text="In the queue").wait_for()
    wait_ended(page, "Regenerate", "Identical")  # or an earlier one, until the page has looked again
    deadline = time.monotonic() + 60
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_job_is_stopped_on_the_page_and_goes_on_from_there(open_page: OpenPage, host: WebUI) -> None:
    page = open_page()
    open_pipelines(page)
    asked = {key: value for key, value in base_request().items() if key != "save_images"}
    stages = [
        {"stage": "txt2img", "settings": {**asked, "batch_size": 4}},
        {"stage": "img2img", "settings": {"steps": 150, "denoising_strength": 0.9}},
    ]
    job = host.post("/sdpipe/v1/jobs", {"stages": stages, "label": "long"})["id"]
    page.tab.evaluate("() => window.sdpipe.ask('queue', {do: 'look'})")
    page.tab.locator(".sdpipe-now", has_text="Stage 2 of 2").wait_for()
    press(page, f"stop-{job}")
    wait_ended(page, "long", "Interrupted")
    (known,) = [one for one in host.get("/sdpipe/v1/queue")["jobs"] if one["id"] == job]
    assert 1 <= known["passes"] < 5
    press(page, f"resume-{job}")
    wait_ended(page, "long", "Done")
    finals = [one for one in host.manifests(known["run_id"]) if one["role"] == "final" and not one["config"].get("incomplete")]
    assert sorted(one["stage"] for one in finals if one["stage"] != "grid") == ["img2img"] * 4 + ["txt2img"] * 4
