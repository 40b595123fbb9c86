"""Masks and init images: kept with the pass they belong to, recorded where the host saves or returns them."""

from __future__ import annotations

from typing import Any, Callable

from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from tests.contract.conftest import Generate, Made, box_mask, noise, open_picture, require_script
from tests.contract.webui import WebUI, decode_picture, encode_picture

Options = Callable[..., None]
BOX = (16, 16, 48, 48)


def inpaint(picture: Image.Image | None = None, **request: Any) -> dict[str, Any]:
    mask = encode_picture(box_mask((64, 64), BOX))
    return {"init_images": [encode_picture(picture or noise())], "mask": mask, "denoising_strength": 0.5, "mask_blur": 0, **request}


def kept_mask(made: Made) -> Image.Image:
    return made.picture(made.run["config"]["mask"]).convert("L")


def test_the_mask_and_the_picture_are_in_the_settings_of_the_image(generate: Generate, host: WebUI) -> None:
    made = generate("img2img", **inpaint())
    (image,) = made.of("inpaint")
    assert kept_mask(made).getbbox() == BOX
    assert image["config"]["mask"] == made.run["config"]["mask"]
    assert image["config"]["init_images"] == made.run["config"]["init_images"]


def test_saved_masks_and_composites_belong_to_their_images(generate: Generate, options: Options) -> None:
    options(save_mask=True, save_mask_composite=True)
    made = generate("img2img", **inpaint(batch_size=2))
    for role in ("final", "mask", "mask-composite"):
        found = made.of("inpaint", role)
        assert [m["batch"]["index"] for m in found] == [0, 1]
        assert all(m["path"] for m in found)
    assert open_picture(made.file(made.of("inpaint", "mask")[0])).convert("L").getbbox() == BOX
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 2}


def test_masks_that_are_only_returned_have_manifests_without_a_path(generate: Generate, options: Options) -> None:
    options(return_mask=True, return_mask_composite=True, grid_save=False, return_grid=False)
    made = generate("img2img", **inpaint(batch_size=2))
    returned = [pixel_sha256(decode_picture(p)) for p in made.answer["images"]]
    assert len(returned) == 6
    for role, first in (("final", 0), ("mask", 1), ("mask-composite", 2)):
        found = made.of("inpaint", role)
        assert [m["image"]["pixel_sha256"] for m in found] == [returned[first], returned[first + 3]]
        assert all((m["path"] is None) == (role != "final") for m in found)


def test_an_upside_down_mask_is_recorded_as_it_was_given(generate: Generate, host: WebUI) -> None:
    made = generate("img2img", **inpaint(inpainting_mask_invert=1, inpaint_full_res=True, inpaint_full_res_padding=8))
    (image,) = made.of("inpaint")
    assert kept_mask(made).getbbox() == BOX
    assert image["config"]["inpainting_mask_invert"] == 1 and image["config"]["inpaint_full_res"]


def test_soft_inpainting_is_an_inpaint_image_like_any_other(generate: Generate, host: WebUI) -> None:
    require_script(host, "img2img", "Soft Inpainting")
    soft = {"Soft Inpainting": {"args": [True, 1, 0.5, 4, 0, 0.5, 2]}}
    made = generate("img2img", **inpaint(alwayson_scripts=soft, mask_blur=4))
    (image,) = made.of("inpaint")
    assert "Soft inpainting enabled: True" in image["infotext"]
    assert image["image"]["pixel_sha256"] == pixel_sha256(open_picture(made.file(image)))
    assert any(script["title"] == "Soft Inpainting" for script in made.run["config"]["scripts"])


def test_a_saved_init_image_is_recorded_once_per_content(generate: Generate, host: WebUI, options: Options) -> None:
    options(save_init_img=True)
    picture = encode_picture(noise())
    first = generate("img2img", init_images=[picture], denoising_strength=0.4, n_iter=2)
    (init,) = first.of("img2img", "init")
    assert init["image"]["pixel_sha256"] == pixel_sha256(open_picture(first.file(init)))
    assert init["image"]["pixel_sha256"] == pixel_sha256(decode_picture(picture))
    again = generate("img2img", init_images=[picture], denoising_strength=0.4)
    assert again.of("img2img", "init") == []
    other = generate("img2img", init_images=[encode_picture(noise())], denoising_strength=0.4)
    assert len(other.of("img2img", "init")) == 1
    assert all(made.run["images"]["saved"] == len(made.of("img2img")) for made in (first, again, other))


def test_a_saved_init_image_of_an_inpaint_pass_is_of_that_stage(generate: Generate, options: Options) -> None:
    options(save_init_img=True)
    made = generate("img2img", **inpaint())
    assert len(made.of("inpaint", "init")) == len(made.of("inpaint")) == 1
