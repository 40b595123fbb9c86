"""Extras: each press is a run of stage `upscale`, whose parents are the recorded pictures it was given."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from PIL import Image

from tests.browser.conftest import Press
from tests.browser.fields import open_mode, put, require, select, type_into
from tests.browser.page import Page
from tests.contract.conftest import Made
from tests.contract.webui import WebUI


def ready(page: Page, mode: str) -> None:
    open_mode(page, "Extras", mode)
    select(page, "extras_upscaler_1", "Lanczos")
    field = require(page, "#extras_upscaling_resize input[type=number]")
    field.fill("2")
    field.press("Tab")
    page.settle(300)


def upscale(page: Page) -> None:
    page.press("extras", "extras_generate")


def assert_upscaled(made: Made, image: dict[str, Any], source: Made, name: str) -> None:
    """Everything a manifest of Extras promises."""
    parent = image["parent"]
    assert (parent["run_id"], parent["name"]) == (source.run_id, name)
    assert image["config"]["image"] == {"$image": {"run_id": source.run_id, "name": name}}
    assert image["config"]["Postprocess upscaler"] == "Lanczos"
    assert f"Run ID: {made.run_id}" in image["infotext"]
    assert (image["image"]["width"], image["image"]["height"]) == (256, 256)
    made_from = next(m for m in source.manifests if m["name"] == name)
    assert (image["prompt"], image["actual_seed"], image["model"]) == tuple(made_from[k] for k in ("prompt", "actual_seed", "model"))
    assert {"prompt", "actual_seed", "model"} <= set(image["inferred"])
    with Image.open(made.file(image)) as picture:
        assert picture.info["postprocessing"] == image["infotext"]
        assert source.run_id in picture.info["parameters"] and made.run_id not in picture.info["parameters"]


def test_a_single_picture(page: Page, press: Press, source: Made) -> None:
    ready(page, "Single Image")
    put(page, "extras_image", source.file(source.of("txt2img")[0]))
    made = press(lambda: upscale(page))
    (image,) = made.of("upscale")
    assert_upscaled(made, image, source, "txt2img_001")
    assert (made.run["config"]["endpoint"], made.run["config"]["extras_mode"]) == ("extras", 0)
    assert made.run["config"]["image"] == image["config"]["image"]
    assert made.run["images"] == {"planned": 1, "returned": 1, "saved": 1}
    assert made.run["status"] == "completed" and made.run["job_id"].startswith("task(")


def test_a_batch_of_uploaded_pictures(page: Page, press: Press, source: Made) -> None:
    ready(page, "Batch Process")
    put(page, "extras_image_batch", *[source.file(m) for m in source.of("txt2img")])
    made = press(lambda: upscale(page))
    assert made.run["config"]["extras_mode"] == 1
    for image, name in zip(made.of("upscale"), ("txt2img_001", "txt2img_002"), strict=True):
        assert_upscaled(made, image, source, name)


def test_a_folder_in_which_not_everything_is_a_picture(page: Page, press: Press, source: Made, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for manifest in source.of("txt2img"):
        shutil.copy(source.file(manifest), tmp_path / "in" / f"{manifest['name']}.png")
    (tmp_path / "in" / "notes.txt").write_text("no picture")
    ready(page, "Batch from Directory")
    type_into(page, "extras_batch_input_dir", str(tmp_path / "in"))
    type_into(page, "extras_batch_output_dir", str(tmp_path / "out"))
    made = press(lambda: upscale(page))
    assert made.run["config"]["extras_mode"] == 2
    images = made.of("upscale")
    assert {made.file(image).parent for image in images} == {tmp_path / "out"}
    for image, name in zip(images, ("txt2img_001", "txt2img_002"), strict=True):
        assert_upscaled(made, image, source, name)


def test_send_to_extras_gives_the_parent(page: Page, press: Press) -> None:
    require(page, "#txt2img_send_to_extras")
    page.fill("txt2img", "a harbour to enlarge", width=128, height=128)
    source = press(lambda: page.generate("txt2img"))
    page.tab.locator("#txt2img_send_to_extras").click()
    page.tab.locator("#extras_generate").wait_for(state="visible")
    page.settle(2000)
    ready(page, "Single Image")
    made = press(lambda: upscale(page))
    assert_upscaled(made, made.of("upscale")[0], source, "txt2img_001")


def test_an_unknown_picture_is_kept_and_has_no_parent(page: Page, press: Press, host: WebUI, tmp_path: Path) -> None:
    Image.effect_noise((128, 128), 90).convert("RGB").save(tmp_path / "unknown.png")
    ready(page, "Single Image")
    put(page, "extras_image", tmp_path / "unknown.png")
    made = press(lambda: upscale(page))
    (image,) = made.of("upscale")
    assert image["parent"] is None and image["actual_seed"] is None
    assert host.layout.input_file(image["config"]["image"]["$input"]).exists()


def test_two_presses_are_two_runs(page: Page, press: Press, source: Made) -> None:
    ready(page, "Single Image")
    put(page, "extras_image", source.file(source.of("txt2img")[0]))
    first = press(lambda: upscale(page))
    second = press(lambda: upscale(page))
    assert first.run_id != second.run_id
    assert all(len(made.of("upscale")) == 1 for made in (first, second))
