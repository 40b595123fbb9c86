"""What a person does below a finished picture: Save, Zip, the hires button; and without end: Generate forever."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.browser.conftest import Press
from tests.browser.fields import choose_in_gallery, press_from_menu, require
from tests.browser.page import Page
from tests.contract.conftest import Made
from tests.contract.webui import WebUI


def batch(page: Page, press: Press) -> Made:
    page.fill("txt2img", "a harbour, a batch", batch_size=2)
    return press(lambda: page.generate("txt2img"))


@pytest.fixture
def saved(host: WebUI, tmp_path: Path) -> Iterator[Callable[[], list[Path]]]:
    """The files of the folder that the Save button writes to."""
    before = host.get("/sdapi/v1/options").get("outdir_save")
    if before is None:
        pytest.skip("this host has no folder for the Save button")
    folder = tmp_path / "log" / "images"
    host.set_options(outdir_save=str(folder))
    yield lambda: sorted(file for file in folder.rglob("*") if file.suffix != ".csv")
    host.set_options(outdir_save=before)


@pytest.mark.parametrize(("button", "zipped"), [("save_txt2img", False), ("save_zip_txt2img", True)])
def test_saved_copies_make_no_run_and_no_manifest(
    page: Page, press: Press, host: WebUI, saved: Callable[[], list[Path]], button: str, zipped: bool
) -> None:
    require(page, f"#{button}")
    made = batch(page, press)
    runs, manifests = host.run_ids(), len(made.manifests)
    page.tab.locator(f"#{button}").click()
    wait_until(page, lambda: len(saved()) >= 3 + zipped)
    page.settle(1500)
    assert any(file.suffix == ".zip" for file in saved()) == zipped
    assert sum(file.suffix == ".png" for file in saved()) == 3  # the grid and both pictures
    assert host.run_ids() == runs
    assert len(host.manifests(made.run_id)) == manifests


def test_save_selected_only_saves_one(page: Page, press: Press, host: WebUI, saved: Callable[[], list[Path]]) -> None:
    require(page, "#save_txt2img")
    made = batch(page, press)
    choose_in_gallery(page, "txt2img", 2)
    host.set_options(save_selected_only=True)
    runs = host.run_ids()
    page.tab.locator("#save_txt2img").click()
    wait_until(page, lambda: len(saved()) >= 1)
    page.settle(1000)
    assert len(saved()) == 1
    assert host.run_ids() == runs and len(host.manifests(made.run_id)) == len(made.manifests)


@pytest.fixture
def plain_png(host: WebUI) -> Iterator[None]:
    """Forge's hires button cannot take the picture it has hidden its text in."""
    before = host.get("/sdapi/v1/options").get("stealth_pnginfo_option")
    if before is not None:
        host.set_options(stealth_pnginfo_option="None")
    yield
    if before is not None:
        host.set_options(stealth_pnginfo_option=before)


def test_the_hires_button_is_a_run_whose_parent_is_the_chosen_picture(plain_png: None, page: Page, press: Press, host: WebUI) -> None:
    require(page, "#txt2img_upscale")
    source = batch(page, press)
    choose_in_gallery(page, "txt2img", 2)
    made = press(lambda: page.press("txt2img", "txt2img_upscale"))
    (image,) = made.of("txt2img")
    assert (image["parent"]["run_id"], image["parent"]["name"]) == (source.run_id, "txt2img_002")
    assert image["hires"]["width"] == image["image"]["width"] == 128
    assert image["actual_seed"] == source.of("txt2img")[1]["actual_seed"]
    assert image["stage_history"][0]["run_id"] == source.run_id
    assert f"Run ID: {made.run_id}" in image["infotext"]


def test_generate_forever_is_a_run_for_every_press(page: Page, host: WebUI) -> None:
    before = host.run_ids()
    page.fill("txt2img", "a harbour without end")
    if page.tab.evaluate("() => typeof appendContextMenuOption") != "function":
        pytest.skip("this page has no menu behind Generate")
    press_from_menu(page, "txt2img_generate", "Generate forever")
    wait_until(page, lambda: len(host.run_ids() - before) >= 3)
    press_from_menu(page, "txt2img_generate", "Cancel generate forever")
    runs = all_closed(page, host, before)
    assert len({run["job_id"] for run in runs}) == len(runs) >= 3
    assert all(run["status"] == "completed" and run["images"]["saved"] == 1 for run in runs)
    page.tab.wait_for_timeout(2000)
    assert len(host.run_ids() - before) == len(runs), "it went on after it was cancelled"


def all_closed(page: Page, host: WebUI, before: set[str]) -> list[dict[str, Any]]:
    page.tab.wait_for_timeout(2500)  # the press that was under way
    return [host.wait_closed(run_id) for run_id in sorted(host.run_ids() - before)]


def wait_until(page: Page, done: Callable[[], bool], seconds: int = 60) -> None:
    """By the page's clock: its requests pass through this process."""
    for _ in range(seconds * 5):
        if done():
            return
        page.tab.wait_for_timeout(200)
    raise AssertionError("it did not happen in time")
