"""Each way of the img2img tab: one run, of the right stage, with the pictures that went into it."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image

from tests.browser.conftest import Press
from tests.browser.fields import DRAWN, draw, open_mode, put, require, type_into
from tests.browser.page import Page
from tests.contract.conftest import Made, open_picture

PAINTED = 0.12  # how far a brush reaches beyond its path, as a part of the picture


def assert_white_where_drawn(mask: Image.Image) -> None:
    found = mask.convert("L").point(lambda value: 255 if value > 128 else 0).getbbox()
    assert found is not None, "the mask is empty"
    parts = [edge / size for edge, size in zip(found, (*mask.size, *mask.size))]
    assert all(abs(part - wanted) < PAINTED for part, wanted in zip(parts, DRAWN)), parts


def run_of(page: Page, press: Press, mode: str, field: str, picture: Path) -> Made:
    open_mode(page, "img2img", mode)
    put(page, field, picture)
    draw(page, field)
    page.fill("img2img", f"a harbour, {mode}", width=128, height=128)
    return press(lambda: page.generate("img2img"))


def test_a_sketch_is_an_img2img_run_of_the_picture_as_it_was_drawn_upon(page: Page, press: Press, source: Made) -> None:
    file = source.file(source.of("txt2img")[0])
    made = run_of(page, press, "Sketch", "img2img_sketch", file)
    (image,) = made.of("img2img")
    (reference,) = image["config"]["init_images"]
    assert image["config"]["init_images"] == made.run["config"]["init_images"]
    drawn, plain = made.picture(reference).convert("RGB"), open_picture(file).convert("RGB")
    middle, corner = (64, 64), (4, 4)
    assert sum(abs(a - b) for a, b in zip(drawn.getpixel(middle), plain.getpixel(middle))) > 30
    assert sum(abs(a - b) for a, b in zip(drawn.getpixel(corner), plain.getpixel(corner))) <= 6


def test_a_drawn_mask_is_an_inpaint_run_with_its_mask_and_its_parent(page: Page, press: Press, source: Made) -> None:
    made = run_of(page, press, "Inpaint", "img2maskimg", source.file(source.of("txt2img")[0]))
    (image,) = made.of("inpaint")
    assert (image["parent"]["run_id"], image["parent"]["name"]) == (source.run_id, "txt2img_001")
    assert_white_where_drawn(made.picture(image["config"]["mask"]))
    assert made.run["config"]["mask"] == image["config"]["mask"]
    assert image["config"]["init_images"] == made.run["config"]["init_images"]


def test_an_inpaint_sketch_keeps_the_painted_picture_and_its_mask(page: Page, press: Press, source: Made) -> None:
    made = run_of(page, press, "Inpaint sketch", "inpaint_sketch", source.file(source.of("txt2img")[0]))
    (image,) = made.of("inpaint")
    assert_white_where_drawn(made.picture(image["config"]["mask"]))
    assert made.picture(image["config"]["init_images"][0]).size == (128, 128)


def test_an_uploaded_mask_is_kept_as_it_came(page: Page, press: Press, source: Made, tmp_path: Path) -> None:
    mask = Image.new("L", (128, 128), 0)
    mask.paste(255, (38, 38, 77, 77))
    mask.save(tmp_path / "mask.png")
    open_mode(page, "img2img", "Inpaint upload")
    put(page, "img_inpaint_base", source.file(source.of("txt2img")[1]))
    put(page, "img_inpaint_mask", tmp_path / "mask.png")
    page.fill("img2img", "a harbour, uploaded mask", width=128, height=128)
    made = press(lambda: page.generate("img2img"))
    (image,) = made.of("inpaint")
    assert (image["parent"]["run_id"], image["parent"]["name"]) == (source.run_id, "txt2img_002")
    kept = made.picture(image["config"]["mask"]).convert("L")
    assert kept.point(lambda value: 255 if value > 128 else 0).getbbox() == (38, 38, 77, 77)


def test_a_batch_of_uploaded_pictures_is_one_run_and_each_image_has_its_own_parent(page: Page, press: Press, source: Made) -> None:
    open_mode(page, "img2img", "Batch")
    put(page, "img2img_batch_upload", *[source.file(m) for m in source.of("txt2img")])
    page.fill("img2img", "a harbour, uploaded batch", width=128, height=128)
    assert_each_from_its_own(press(lambda: page.generate("img2img")), source)


def test_a_batch_from_a_folder_is_one_run_and_each_image_has_its_own_parent(
    page: Page, press: Press, source: Made, tmp_path: Path
) -> None:
    fill_batch_folders(page, source, tmp_path)
    page.fill("img2img", "a harbour, batch folder", width=128, height=128)
    made = press(lambda: page.generate("img2img"))
    assert_each_from_its_own(made, source)
    assert {made.file(m).parent for m in made.of("img2img")} == {tmp_path / "out"}


def test_an_inpaint_batch_keeps_the_mask_of_each_image(page: Page, press: Press, source: Made, tmp_path: Path) -> None:
    fill_batch_folders(page, source, tmp_path)
    for number in (1, 2):
        mask = Image.new("L", (128, 128), 0)
        mask.paste(255, (0, 0, 40 * number, 40 * number))
        (tmp_path / "masks").mkdir(exist_ok=True)
        mask.save(tmp_path / "masks" / f"picture-{number}.png")
    type_into(page, "img2img_batch_inpaint_mask_dir", str(tmp_path / "masks"))
    page.fill("img2img", "a harbour, inpaint batch", width=128, height=128)
    made = press(lambda: page.generate("img2img"))
    images = made.of("inpaint")
    assert [m["parent"]["name"] for m in images] == ["txt2img_001", "txt2img_002"]
    masks = [made.picture(m["config"]["mask"]).convert("L").getbbox() for m in images]
    assert masks == [(0, 0, 40, 40), (0, 0, 80, 80)]


def fill_batch_folders(page: Page, source: Made, folder: Path) -> None:
    (folder / "in").mkdir()
    for number, manifest in enumerate(source.of("txt2img"), start=1):
        shutil.copy(source.file(manifest), folder / "in" / f"picture-{number}.png")
    open_mode(page, "img2img", "Batch")
    require(page, "#img2img_batch_from_dir_tab-button, #img2img_batch_source button:nth-of-type(2)").click()
    page.settle(700)
    type_into(page, "img2img_batch_input_dir", str(folder / "in"))
    type_into(page, "img2img_batch_output_dir", str(folder / "out"))


def assert_each_from_its_own(made: Made, source: Made) -> None:
    images = made.of("img2img")
    assert [m["parent"] and m["parent"]["name"] for m in images] == ["txt2img_001", "txt2img_002"]
    assert {m["parent"]["run_id"] for m in images} == {source.run_id}
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 2}
    pictures = [[one["$image"] for one in m["config"]["init_images"]] for m in images]  # in Forge they also have a hidden alpha
    assert pictures == [[{"run_id": source.run_id, "name": m["name"]}] for m in source.of("txt2img")]
