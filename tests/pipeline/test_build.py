"""A stage of a chain as a request: what the stage leaves open is as the image before has it."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import ImageFacts, StageEntry
from lib_sdpipe.pipeline.build import build_request, count_planned
from lib_sdpipe.pipeline.records import Item, Stage
from tests.pipeline.recorded import RUN_ID, an_image

SOURCE = an_image(image=ImageFacts(width=128, height=96))
REFERENCE = {"$image": {"run_id": RUN_ID, "name": "txt2img_001"}}


def stage(name: str, **settings: Any) -> Stage:
    return Stage(stage=name, settings=settings)


def arguments(config: dict[str, Any], title: str) -> dict[Any, Any]:
    (script,) = [script for script in config["scripts"] if script["title"] == title]
    return {argument["label"] or argument["index"]: argument["value"] for argument in script["args"]}


def test_img2img_has_prompt_seed_and_settings_of_the_image_and_its_own_size() -> None:
    request = build_request(stage("img2img", denoising_strength=0.3), None, SOURCE)
    config = request.config
    assert (config["endpoint"], config["init_images"], request.stage) == ("img2img", [REFERENCE], "img2img")
    assert (config["prompt"], config["negative_prompt"], config["seed"]) == ("a lighthouse", "blurry", 100)
    assert (config["sampler_name"], config["steps"], config["denoising_strength"]) == ("Euler a", 4, 0.3)
    assert (config["width"], config["height"]) == (128, 96)
    assert [(link.run_id, link.name) for link in request.parents if link] == [(RUN_ID, "txt2img_001")]


def test_what_the_stage_says_goes_over_what_the_image_has() -> None:
    config = build_request(stage("img2img", prompt="a windmill", seed=-1, steps=9, width=256), None, SOURCE).config
    assert (config["prompt"], config["seed"], config["steps"], config["width"], config["height"]) == ("a windmill", -1, 9, 256, 96)


def test_a_recorded_prompt_has_its_styles_applied() -> None:
    styled = SOURCE.copy(update={"config": {**SOURCE.config, "styles": ["sea"]}})
    assert build_request(stage("img2img"), None, styled).config["styles"] == []


@pytest.mark.parametrize(("pixels", "asked"), [((1023, 513), (1016, 512)), ((20, 64), (64, 64))])
def test_a_pass_is_of_whole_latents(pixels: tuple[int, int], asked: tuple[int, int]) -> None:
    image = SOURCE.copy(update={"image": ImageFacts(width=pixels[0], height=pixels[1])})
    config = build_request(stage("img2img"), None, image).config
    assert (config["width"], config["height"]) == asked


def test_inpaint_needs_a_mask_and_says_so() -> None:
    with pytest.raises(RefusedError, match="needs a mask"):
        build_request(stage("inpaint"), None, SOURCE)


def test_inpaint_takes_the_mask_of_its_settings() -> None:
    config = build_request(stage("inpaint", mask={"$input": "b" * 64}, mask_blur=2), None, SOURCE).config
    assert (config["mask"], config["mask_blur_x"], config["mask_blur_y"]) == ({"$input": "b" * 64}, 2, 2)
    assert "mask_blur" not in config


def test_adetailer_is_img2img_that_paints_over_what_it_detects_alone() -> None:
    request = build_request(stage("adetailer", adetailer=[{"ad_model": "face.pt", "ad_confidence": 0.4}]), None, SOURCE)
    assert (request.config["endpoint"], request.stage) == ("img2img", "adetailer")
    assert arguments(request.config, "ADetailer") == {0: True, 1: True, 2: {"ad_model": "face.pt", "ad_confidence": 0.4}}
    assert "adetailer" not in request.config


def test_adetailer_without_a_detector_is_refused() -> None:
    with pytest.raises(RefusedError, match="needs a detector"):
        build_request(stage("adetailer"), None, SOURCE)


def test_upscale_is_a_request_of_the_extras_tab() -> None:
    request = build_request(stage("upscale", upscaler="ESRGAN_4x", upscaling_resize=3, gfpgan_visibility=0.5), None, SOURCE)
    assert (request.config["endpoint"], request.config["image"]) == ("extras", REFERENCE)
    upscale = arguments(request.config, "Upscale")
    assert (upscale["upscaler_1_name"], upscale["upscale_by"], upscale["upscale_mode"]) == ("ESRGAN_4x", 3, 0)
    assert arguments(request.config, "GFPGAN") == {"enable": True, "gfpgan_visibility": 0.5}
    assert [script["title"] for script in request.config["scripts"]] == ["Upscale", "GFPGAN"]


def test_upscale_without_an_upscaler_is_refused() -> None:
    with pytest.raises(RefusedError, match="needs an upscaler"):
        build_request(stage("upscale"), None, SOURCE)


def test_a_prompt_of_a_pack_goes_over_the_first_stage() -> None:
    item = Item(variant={"pack": "sea", "row": 3}, settings={"prompt": "a boat", "seed": 5})
    request = build_request(stage("txt2img", prompt="unused", steps=7, batch_size=2), item)
    assert (request.config["prompt"], request.config["seed"], request.config["steps"], request.config["batch_size"]) == ("a boat", 5, 7, 2)
    assert (request.variant, request.parents) == ({"pack": "sea", "row": 3}, ())


def test_later_stages_keep_what_varies() -> None:
    source = SOURCE.copy(update={"variant": {"pack": "sea", "row": 3}})
    assert build_request(stage("img2img"), None, source).variant == {"pack": "sea", "row": 3}


def test_an_image_is_made_anew_with_its_hires_fix() -> None:
    source = an_image(hires={"hr_scale": 2, "hr_upscaler": "Latent", "width": 128, "height": 128})
    config = build_request(stage("txt2img"), Item(), source).config
    assert (config["enable_hr"], config["hr_scale"], config["width"]) == (True, 2, 64)


def test_settings_of_an_image_that_adetailer_painted_over_are_those_of_its_pass_not_of_the_face() -> None:
    outer = StageEntry(stage="txt2img", role="before-adetailer", run_id=RUN_ID, settings={**SOURCE.config, "steps": 20})
    detailed = an_image(stage="adetailer", config={**SOURCE.config, "steps": 3, "width": 512}, stage_history=[outer])
    assert build_request(stage("img2img"), None, detailed).config["steps"] == 20


def test_settings_of_an_upscaled_image_are_those_it_was_generated_with() -> None:
    made = StageEntry(stage="txt2img", role="final", settings={**SOURCE.config, "steps": 21})
    shrunk = StageEntry(stage="img2img", role="before-adetailer", settings={"steps": 1, "width": 128, "height": 128})
    upscaled = an_image(stage="upscale", config={"Postprocess upscale by": "2"}, stage_history=[made, shrunk])
    assert build_request(stage("img2img"), None, upscaled).config["steps"] == 21


def test_arguments_of_scripts_may_be_given_as_to_the_host() -> None:
    config = build_request(stage("img2img", alwayson_scripts={"Other": {"args": [1, "two"]}}), None, SOURCE).config
    assert arguments(config, "Other") == {0: 1, 1: "two"}
    assert "alwayson_scripts" not in config


def test_without_a_prompt_anywhere_a_stage_is_refused() -> None:
    with pytest.raises(RefusedError, match="needs a prompt"):
        build_request(stage("txt2img"), Item())


@pytest.mark.parametrize("name", ["grid", None, "txt2txt"])
def test_what_is_no_stage_is_refused(name: Any) -> None:
    with pytest.raises(RefusedError, match="is no stage"):
        build_request(Stage(stage=name), None, SOURCE)


def test_a_stage_on_nothing_is_refused() -> None:
    with pytest.raises(RefusedError, match="needs an image"):
        build_request(stage("img2img"), Item())


def test_planned_images_count_through_all_stages() -> None:
    stages = [stage("txt2img", batch_size=2, n_iter=2), stage("img2img"), stage("img2img", n_iter=2), stage("upscale")]
    assert count_planned(stages, [Item()]) == 4 + 4 + 8 + 8
    assert count_planned(stages[:1], [Item(), Item(settings={"n_iter": 1})]) == 4 + 2
    assert count_planned([stage("upscale"), stage("adetailer")], [Item(), Item(), Item()]) == 6
    assert count_planned([], [Item()]) == 0
