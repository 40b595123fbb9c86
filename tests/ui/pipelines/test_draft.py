"""Fields of the page become the settings they mean, every fault stands at its field, and nothing that a page sends breaks it."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.pipeline.records import STAGES, Stage
from lib_sdpipe.ui.pipelines.draft import Draft, StageDraft, build_stages, draft_stage, list_placeholders, read_draft
from lib_sdpipe.ui.pipelines.fields import SHOWN

DIGEST = "ab" * 32


def build(stage: str, other: str = "", **texts: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The settings of one stage, and its faults as (field, sentence)."""
    (built,), faults = build_stages(Draft(stages=(StageDraft(stage, texts, other),)))
    return built.settings, [(fault.field, fault.sentence) for fault in faults]


def test_an_empty_field_sets_nothing() -> None:
    assert build("img2img", prompt="  ", steps="") == ({}, [])


def test_texts_become_values_of_their_kind() -> None:
    settings, faults = build("img2img", prompt="a cat", steps="12", cfg_scale="6,5", denoising_strength="0.4", checkpoint="dream")
    assert faults == []
    assert settings == {
        "prompt": "a cat", "steps": 12, "cfg_scale": 6.5, "denoising_strength": 0.4, "override_settings": {"sd_model_checkpoint": "dream"},
    }


@pytest.mark.parametrize(("stage", "name", "text", "begins"), [
    ("img2img", "steps", "many", "Steps must be a whole number"),
    ("img2img", "steps", "1000", "steps must be a whole number from 1 to 150"),
    ("img2img", "cfg_scale", "nan", "cfg_scale must be"), ("inpaint", "mask", "../../etc/passwd", "Mask must be a picture"),
    ("inpaint", "inpainting_fill", "9", "Masked content must be one of the choices"), ("upscale", "upscaler_1", "", "upscale needs"),
    ("adetailer", "ad_model", "", "adetailer needs"), ("inpaint", "mask", "", "inpaint needs a mask"),
])
def test_a_fault_stands_once_and_at_its_field(stage: str, name: str, text: str, begins: str) -> None:
    _, faults = build(stage, **{name: text})
    assert [sentence.startswith(begins) for field, sentence in faults if field == name] == [True]


@pytest.mark.parametrize("text", ["{", "[]", "7", "[" * 5_000, '{"no_such": 1}', '{"steps": null}'])
def test_other_settings_that_are_none_are_told_at_their_field(text: str) -> None:
    assert [field for field, _ in build("img2img", text)[1]] == ["other"]


def test_fields_go_over_the_other_settings_and_join_their_objects() -> None:
    other = '{"steps": 3, "tiling": true, "override_settings": {"sd_vae": "x"}}'
    settings, faults = build("img2img", other, steps="9", checkpoint="m")
    assert faults == []
    assert settings == {"steps": 9, "tiling": True, "override_settings": {"sd_vae": "x", "sd_model_checkpoint": "m"}}


def test_the_first_detector_is_that_of_the_fields() -> None:
    other = '{"adetailer": [{"ad_mask_blur": 8}, {"ad_model": "hand.pt"}]}'
    settings, faults = build("adetailer", other, ad_model="face.pt", ad_confidence="0.4")
    assert faults == []
    assert settings["adetailer"] == [{"ad_mask_blur": 8, "ad_model": "face.pt", "ad_confidence": 0.4}, {"ad_model": "hand.pt"}]


@pytest.mark.parametrize("stage", [
    Stage(stage="txt2img", settings={"prompt": "a", "steps": 4, "enable_hr": True, "batch_size": 2}),
    Stage(stage="inpaint", settings={"mask": {"$input": DIGEST}, "mask_blur": 8, "inpainting_fill": 0}),
    Stage(stage="inpaint", settings={"mask": {"$image": {"run_id": "20251225_143022_a", "name": "mask_001"}}}),
    Stage(stage="adetailer", settings={"adetailer": [{"ad_model": "a.pt", "ad_confidence": 0.5, "ad_x": 1}, {"ad_model": "b.pt"}]}),
    Stage(stage="upscale", settings={"upscaler_1": "Lanczos", "upscaling_resize": 2, "upscale_first": True}),
    Stage(stage="img2img", settings={"override_settings": {"sd_model_checkpoint": "m", "sd_vae": "v"}, "seed": -1}),
])
def test_a_stage_comes_back_from_the_page_as_it_was(stage: Stage) -> None:
    (built,), _ = build_stages(Draft(stages=(draft_stage(stage),)))
    assert built.to_json() == stage.to_json()


@pytest.mark.parametrize("value", [
    None, 7, [], {"stages": 3}, {"stages": [None, 5]}, {"stages": [{"stage": "rm -rf", "texts": []}]},
    {"sources": [{"run": "../x", "name": "y"}]}, {"recipe": [1, 2]}, {"label": {}},
    {"stages": [{"stage": "img2img", "texts": {"prompt": ["x"], "steps": "9" * 100_000}, "other": 5}]},
])
def test_what_a_page_sends_may_be_anything(value: Any) -> None:
    draft = read_draft(value)
    assert draft.sources == () and all(each.stage in STAGES for each in draft.stages)
    build_stages(draft)


def test_empty_fields_show_what_the_image_had_and_what_the_stage_before_says() -> None:
    source = Manifest(
        run_id="20251225_143022_a", name="txt2img_001", stage="txt2img", prompt="a lighthouse", actual_seed=7,
        config={"steps": 24, "sampler_name": "DPM++ 2M", "cfg_scale": 6.5}, image=ImageFacts(width=516, height=768), model="dream",
    )
    draft = Draft(stages=(StageDraft("img2img", {"steps": "30"}), StageDraft("img2img"), StageDraft("upscale")))
    first, second, third = list_placeholders(draft, source)
    shown = [first[name] for name in ("prompt", "steps", "seed", "width", "checkpoint")]
    assert shown == ["a lighthouse", "24", "7", "512", "dream"]
    assert second["steps"] == "30" and "width" not in second
    assert third["upscaling_resize"] == "2"


def test_without_an_image_they_show_the_usual_numbers() -> None:
    (first,) = list_placeholders(Draft(stages=(StageDraft("txt2img"),)), None)
    assert (first["steps"], first["width"]) == ("20", "512")
    assert (first["prompt"], first["seed"], first["checkpoint"]) == ("to be written, or of a pack", "a random one", "the loaded one")


def test_a_later_stage_has_what_the_one_before_has() -> None:
    draft = Draft(stages=(StageDraft("txt2img", {"seed": "5"}), StageDraft("img2img")))
    first, second = list_placeholders(draft, None)
    assert "seed" in first and second.get("seed", "5") == "5" and "prompt" not in second


def test_an_image_without_a_prompt_can_still_be_gone_on_from() -> None:
    (first,) = list_placeholders(Draft(stages=(StageDraft("img2img"),)), Manifest(run_id="20251225_143022_a", name="txt2img_001"))
    assert first["denoising_strength"] == "0.75"


def test_every_stage_has_fields_of_its_own_settings() -> None:
    for stage in STAGES:
        samples = {"whole": "64", "number": "1", "choice": "1", "picture": DIGEST}
        texts = {field.name: samples.get(field.kind, "x") for field in SHOWN[stage]}
        assert build(stage, **texts)[1] == [], stage
