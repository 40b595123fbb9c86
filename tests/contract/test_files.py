"""Files as the host's settings make them: formats, text, names, and what the host writes beside an image."""

from __future__ import annotations

import hashlib
import time
from typing import Any, Callable

import pytest
from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import read_infotext
from tests.contract.conftest import Generate, Made, box_mask, noise, open_picture
from tests.contract.webui import HttpError, decode_picture, encode_picture

Options = Callable[..., None]


def assert_is_the_file(made: Made, manifest: dict[str, Any]) -> None:
    data = made.file(manifest).read_bytes()
    assert manifest["image"]["sha256"] == hashlib.sha256(data).hexdigest()
    assert manifest["image"]["bytes"] == len(data)
    with Image.open(made.file(manifest)) as picture:
        assert manifest["image"]["pixel_sha256"] == pixel_sha256(picture)
        assert manifest["image"]["format"] == picture.format


@pytest.mark.parametrize("extension", ["png", "jpg", "webp", "avif"])
def test_images_and_grids_of_every_format(generate: Generate, options: Options, extension: str) -> None:
    if f".{extension}" not in Image.registered_extensions():
        pytest.skip(f"this Python's Pillow cannot read {extension}")
    options(samples_format=extension, grid_format=extension, jpeg_quality=85)
    try:
        made = generate(batch_size=2, send_images=False)  # an answer cannot be an AVIF
    except HttpError:
        pytest.skip(f"this host cannot write {extension}")
    for manifest in made.manifests:
        assert made.file(manifest).suffix == f".{extension}"
        assert_is_the_file(made, manifest)
        with Image.open(made.file(manifest)) as picture:
            assert f"Run ID: {made.run_id}" in (read_infotext(picture) or "")
    assert len(made.manifests) == 3


def test_a_lossless_webp_has_the_pixels_of_the_png(generate: Generate, options: Options) -> None:
    png = generate(seed=21).of("txt2img")[0]["image"]
    options(samples_format="webp", webp_lossless=True)
    webp = generate(seed=21).of("txt2img")[0]["image"]
    assert (png["format"], webp["format"]) == ("PNG", "WEBP")
    assert png["pixel_sha256"] == webp["pixel_sha256"]


def test_a_webp_that_is_too_large_becomes_a_png_and_is_recorded_as_one(generate: Generate, options: Options) -> None:
    options(samples_format="webp", export_for_4chan=False)
    picture = noise(16448, 64)
    mask = encode_picture(box_mask(picture.size, (100, 8, 140, 56)))
    # The hosts cannot put such a picture into an answer.
    request = {"init_images": [encode_picture(picture)], "mask": mask, "inpaint_full_res": True, "denoising_strength": 0.5}
    made = generate("img2img", send_images=False, **request)
    (image,) = made.of("inpaint")
    assert made.file(image).suffix == ".png" and image["image"]["width"] == 16448
    assert_is_the_file(made, image)


def test_with_metadata_off_the_file_has_no_text_and_the_manifest_has(generate: Generate, options: Options) -> None:
    options(enable_pnginfo=False)
    made = generate()
    (image,) = made.of("txt2img")
    with Image.open(made.file(image)) as picture:
        assert "parameters" not in picture.info
    assert f"Run ID: {made.run_id}" in image["infotext"]
    assert_is_the_file(made, image)
    child = generate("img2img", init_images=[encode_picture(open_picture(made.file(image)))], denoising_strength=0.4)
    assert child.of("img2img")[0]["parent"]["run_id"] == made.run_id


def test_the_text_file_beside_an_image_is_named(generate: Generate, options: Options) -> None:
    options(save_txt=True)
    made = generate(batch_size=2)
    for image in made.of("txt2img"):
        file = made.file(image)
        assert image["beside"] == [f"{file.stem}.txt"]
        assert made.run_id in file.with_suffix(".txt").read_text("utf-8")


def test_the_small_copy_beside_a_large_image_is_named(generate: Generate, options: Options) -> None:
    options(export_for_4chan=True, target_side_length=32, save_txt=True)
    made = generate()
    (image,) = made.of("txt2img")
    file = made.file(image)
    assert sorted(image["beside"]) == [f"{file.stem}.jpg", f"{file.stem}.txt"]
    assert open_picture(file.with_suffix(".jpg")).size == (32, 32)
    assert file.suffix == ".png" and len(made.manifests) == 1


def test_nothing_beside_an_image_is_an_empty_list(generate: Generate) -> None:
    assert generate().of("txt2img")[0]["beside"] == []


def test_an_overwritten_image_leaves_two_manifests_and_the_newer_is_true(generate: Generate, options: Options) -> None:
    options(save_images_add_number=False, save_images_replace_action="Replace")
    seed = int(time.time() * 10)
    older, newer = (generate(seed=seed, steps=steps) for steps in (2, 3))
    first, second = older.of("txt2img")[0], newer.of("txt2img")[0]
    assert first["path"] == second["path"] and first["run_id"] != second["run_id"]
    assert_is_the_file(newer, second)
    assert first["image"]["pixel_sha256"] == pixel_sha256(decode_picture(older.answer["images"][0]))
    assert second["lost_at"] is None


def test_images_of_one_batch_that_overwrite_each_other_are_not_mixed_up(generate: Generate, options: Options) -> None:
    options(save_images_add_number=False, save_images_replace_action="Replace", samples_filename_pattern=f"same-{time.time_ns()}")
    made = generate(batch_size=3, n_iter=2, override_settings={"return_grid": False, "grid_save": False})
    images = made.of("txt2img")
    assert len(images) == 6 and len({m["path"] for m in images}) == 1
    assert_is_the_file(made, images[-1])
    assert images[-1]["lost_at"] is None
    pixels = [pixel_sha256(decode_picture(p)) for p in made.answer["images"]]
    for image, wanted in zip(images[:-1], pixels):
        facts = image["image"] or {}
        assert image["lost_at"] or facts.get("sha256"), "a lost image is called lost"
        assert facts.get("pixel_sha256") in (None, wanted)


def test_number_suffixes_are_followed(generate: Generate, options: Options) -> None:
    options(save_images_add_number=False, save_images_replace_action="Add number suffix", samples_filename_pattern=f"s-{time.time_ns()}")
    made = generate(batch_size=3)
    names = [made.file(m).stem for m in made.of("txt2img")]
    assert names == [names[0], f"{names[0]}-1", f"{names[0]}-2"]
    for image in made.of("txt2img"):
        assert_is_the_file(made, image)


def test_a_name_that_is_too_long_is_recorded_as_it_was_cut(generate: Generate, options: Options) -> None:
    options(samples_filename_pattern="[prompt]-[prompt]-[prompt]")
    made = generate(prompt="a very long way to a lighthouse " * 4, batch_size=2)
    assert len(made.of("txt2img")) == 2
    for image in made.of("txt2img"):
        assert 150 < len(made.file(image).name) <= 255
        assert_is_the_file(made, image)


def test_a_name_of_other_letters_is_recorded(generate: Generate, options: Options) -> None:
    options(samples_filename_pattern="[prompt]")
    made = generate(prompt="灯台 Ångström é")
    assert "灯台" in made.file(made.of("txt2img")[0]).name
    assert_is_the_file(made, made.of("txt2img")[0])
