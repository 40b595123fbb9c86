"""The page in a real browser: the ids and the behaviour that tests of extensions rely on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, Starter

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def sandbox(start: Starter) -> Sandbox:
    return start(server=True)


@pytest.fixture(scope="module")
def page(sandbox: Sandbox, browser: Any) -> Iterator[Any]:
    page = browser.new_page()
    page.set_default_timeout(20_000)
    page.route("**/*", lambda route: route.continue_() if "127.0.0.1" in route.request.url else route.abort())
    page.goto(f"{sandbox.url}/?__theme=dark")
    page.wait_for_selector("#txt2img_prompt textarea")
    yield page
    page.close()


def open_tab(page: Any, name: str) -> None:
    page.evaluate(f"switchToTab({name!r})")


def test_generate_with_hires_and_send_to_img2img(page: Any, sandbox: Sandbox, log: Log) -> None:
    assert page.inner_text("#sandbox_banner").startswith("Sandbox: ")
    assert page.evaluate("window.probeLoaded") is True
    page.fill("#txt2img_prompt textarea", "a castle by the sea")
    page.fill("#txt2img_seed input", "42")
    page.fill("#txt2img_steps input[type=number]", "2")
    for side in ("width", "height"):
        page.fill(f"#txt2img_{side} input[type=number]", "64")
    page.click("#txt2img_hr .label-wrap")
    page.wait_for_selector("#txt2img_hr_scale")
    page.click("#txt2img_generate")
    page.wait_for_selector("#html_info_txt2img :text('Hires upscale: 2')")
    page.wait_for_selector("#txt2img_gallery img")
    assert log.of("on_image_saved")[0]["filename"].endswith("-42.png")
    page.click("#txt2img_send_to_img2img")
    page.wait_for_selector("#img2img_image img")
    page.wait_for_function("document.querySelector('#img2img_prompt textarea').value == 'a castle by the sea'")
    log.clear()
    page.click("#img2img_generate")
    page.wait_for_selector("#html_info_img2img :text('Denoising strength: 0.75')")
    image = log.of("before_process")[0]["p"].init_images[0]
    assert image.mode == "RGBA" and image.size == (128, 128) and image.info["parameters"].startswith("a castle")


def choose_mode(page: Any, tab: str, name: str) -> None:
    page.click(", ".join(f"#mode_{tab} {x}:text-is('{name}')" for x in (".tab-nav button", "[role=tab]")))


def wait_for(page: Any, condition: Callable[[], Any], seconds: float = 20) -> None:
    """By the page's clock: the page's requests are answered only while it is asked."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come"
        page.wait_for_timeout(50)


def test_buttons_of_the_gallery(page: Any, sandbox: Sandbox, log: Log) -> None:
    open_tab(page, "txt2img")
    page.click("#save_zip_txt2img")
    page.wait_for_selector("#html_log_txt2img :text('Saved:')")
    assert [x["type"] for x in log.of("on_image_saved")] == ["MyObject"]
    page.wait_for_selector("#download_files_txt2img :text('.zip')")
    log.clear()
    page.click("#txt2img_upscale")
    wait_for(page, lambda: log.of("postprocess"))
    assert log.of("before_process")[0]["p"].txt2img_upscale is True


def test_folder_through_extras_and_through_img2img(page: Any, log: Log, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (64, 64), "red").save(tmp_path / "in" / "a.png")
    open_tab(page, "extras")
    choose_mode(page, "extras", "Batch from Directory")
    page.fill("#extras_batch_input_dir textarea", str(tmp_path / "in"))
    page.fill("#extras_batch_output_dir textarea", str(tmp_path / "out"))
    page.wait_for_timeout(300)
    page.click("#extras_generate")
    wait_for(page, lambda: log.of("on_image_saved"))
    assert Path(log.of("on_image_saved")[0]["filename"]) == tmp_path / "out" / "a.png"
    page.wait_for_selector("#extras_gallery img")
    log.clear()
    open_tab(page, "img2img")
    choose_mode(page, "img2img", "Batch")
    page.fill("#img2img_batch_input_dir textarea", str(tmp_path / "in"))
    page.wait_for_timeout(300)
    page.click("#img2img_generate")
    wait_for(page, lambda: log.of("postprocess"))
    assert log.of("before_process")[0]["p"].init_images[0].getpixel((0, 0)) == (255, 0, 0)


def test_script_menu_shows_the_controls_of_the_chosen_script(page: Any, log: Log) -> None:
    open_tab(page, "txt2img")
    page.fill("#txt2img_script_container #script_list input", "X/Y/Z")
    page.wait_for_timeout(300)
    page.keyboard.press("Enter")
    page.fill("#script_txt2img_xyz_plot_x_values textarea", "1,2")
    page.click("#txt2img_generate")
    wait_for(page, lambda: any("xyz_grid" in x["filename"] for x in log.of("on_image_saved")))
    assert len(log.of("process")) == 2


def test_infotext_goes_from_an_extensions_tab_into_the_form(page: Any, log: Log) -> None:
    open_tab(page, "probe tab")
    page.wait_for_selector("#tab_probe_tab #probe_infotext")
    page.fill("#probe_infotext textarea", "pasted\nNegative prompt: no\nSteps: 7, Sampler: Euler a, CFG scale: 5, "
              "Seed: 99, Size: 128x192, Probe: False, Version: sandbox")
    page.click("#tab_probe_tab #txt2img_tab")
    page.wait_for_function("document.querySelector('#txt2img_prompt textarea').value == 'pasted'")
    assert page.input_value("#txt2img_seed input") == "99"
    assert page.input_value("#txt2img_height input[type=number]") == "192"
    assert not page.is_checked("#script_txt2img_probe_on input")


def test_reload_button(page: Any, log: Log) -> None:
    open_tab(page, "settings")
    page.click("#settings_restart_gradio")
    page.wait_for_function("!document.querySelector('#settings_restart_gradio')")
    page.wait_for_selector("#txt2img_prompt textarea", state="attached")
    assert "on_script_unloaded" in log.names() and log.names()[-1] == "on_app_started"
