"""Scripts that put a picture together from tiles: the picture is the image, its tiles are its members."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.images.digest import pixel_sha256
from tests.contract.conftest import Generate, Made, open_picture, require_script
from tests.contract.webui import WebUI, decode_picture, encode_picture

SCRIPTS = {
    "SD upscale": ("img2img", [None, 16, "Lanczos", 2.0], (128, 128)),
    "Poor man's outpainting": ("inpaint", [32, 2, 1, ["left", "right"]], (128, 64)),
    "Outpainting mk2": ("inpaint", [None, 32, 2, ["left", "right"], 1.0, 0.05], (128, 64)),
}


@pytest.fixture
def source(generate: Generate) -> Made:
    return generate()


def request(source: Made, title: str) -> dict[str, Any]:
    picture = encode_picture(open_picture(source.file(source.of("txt2img")[0])))
    return {"init_images": [picture], "denoising_strength": 0.5, "script_name": title, "script_args": SCRIPTS[title][1]}


def whole_and_tiles(made: Made, stage: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    wholes = [m for m in made.of(stage) if m["members"]]
    assert len(wholes) == 1, f"{len(wholes)} pictures have members"
    return wholes[0], [m for m in made.of(stage) if not m["members"]]


@pytest.mark.parametrize("title", SCRIPTS)
def test_the_picture_is_one_image_made_of_its_tiles(generate: Generate, host: WebUI, source: Made, title: str) -> None:
    require_script(host, "img2img", title)
    stage, _, size = SCRIPTS[title]
    made = generate("img2img", **request(source, title))
    whole, tiles = whole_and_tiles(made, stage)
    assert (whole["image"]["width"], whole["image"]["height"]) == size
    assert whole["members"] == [m["name"] for m in tiles] and len(tiles) >= 2
    assert all(m["path"] is None and m["image"]["pixel_sha256"] for m in tiles)
    assert whole["image"]["pixel_sha256"] == pixel_sha256(open_picture(made.file(whole)))
    assert whole["image"]["pixel_sha256"] == pixel_sha256(decode_picture(made.answer["images"][0]))
    assert made.run["images"]["saved"] == 1


@pytest.mark.parametrize("title", SCRIPTS)
def test_the_parent_is_the_picture_that_was_given_not_a_tile_of_it(
    generate: Generate, host: WebUI, source: Made, title: str
) -> None:
    require_script(host, "img2img", title)
    made = generate("img2img", **request(source, title))
    whole, _ = whole_and_tiles(made, SCRIPTS[title][0])
    assert (whole["parent"]["run_id"], whole["parent"]["name"]) == (source.run_id, "txt2img_001")
    assert made.run["parent"] == {"run_id": source.run_id, "name": "txt2img_001"}
    given = [{"$image": {"run_id": source.run_id, "name": "txt2img_001"}}]
    assert made.run["config"]["init_images"] == given == whole["config"]["init_images"]


def test_several_pictures_have_each_their_own_tiles(generate: Generate, host: WebUI, source: Made) -> None:
    require_script(host, "img2img", "SD upscale")
    made = generate("img2img", n_iter=2, **request(source, "SD upscale"))
    wholes = [m for m in made.of("img2img") if m["members"]]
    assert len(wholes) == 2 and not set(wholes[0]["members"]) & set(wholes[1]["members"])
    assert len(wholes[0]["members"]) == len(wholes[1]["members"]) >= 4
