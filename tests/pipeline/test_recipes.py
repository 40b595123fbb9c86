"""Recipes: every fault is told with its place, what is not known is kept, and a recorded run can become one."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.errors import NewerSchemaError, RecordError, UsageError
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.pipeline.recipe_of_run import build_recipe
from lib_sdpipe.pipeline.recipes import MOST_STAGES, check_items, check_recipe, check_stages, format_recipe, parse_recipe
from lib_sdpipe.pipeline.records import STAGES, Item, Recipe, Stage
from lib_sdpipe.pipeline.stage_fields import FIELDS, check_setting

KEYS = ["stages", "stage", "settings", "name", "steps"]
MASK = {"$input": "a" * 64}
WHOLE = [
    Stage(stage="txt2img", settings={"prompt": "a harbour", "steps": 20, "enable_hr": True, "hr_scale": 1.5}),
    Stage(stage="img2img", settings={"denoising_strength": 0.3, "scripts": [{"title": "ControlNet", "args": []}]}),
    Stage(stage="inpaint", settings={"mask": MASK, "inpaint_full_res": True}),
    Stage(stage="adetailer", settings={"adetailer": [{"ad_model": "face_yolov8n.pt", "ad_confidence": 0.3}]}),
    Stage(stage="upscale", settings={"upscaler_1": "R-ESRGAN 4x+", "upscaling_resize": 2}),
]


def faults_of(*stages: dict[str, Any]) -> list[str]:
    return check_stages([Stage.parse_obj(stage) for stage in stages])


def test_a_chain_of_every_stage_is_in_order() -> None:
    assert check_stages(WHOLE) == [] and {stage.stage for stage in WHOLE} == set(STAGES) == set(FIELDS)


@pytest.mark.parametrize(("stages", "fault"), [
    ([], "a chain needs at least one stage"),
    ([{"stage": "img2img"}, {"stage": "txt2img", "settings": {"steps": "x"}}],
     "stage 2: steps must be a whole number from 1 to 150, not 'x'"),
    ([{"stage": "img2img"}, {"stage": "txt2img"}], "stage 2: txt2img makes images from a prompt alone, so it can only be the first stage"),
    ([{"stage": "sculpt"}], "stage 1: stage must be one of txt2img, img2img, inpaint, adetailer, upscale, not 'sculpt'"),
    ([{"stage": "img2img", "settings": {"stepz": 3}}], "stage 1: img2img has no setting 'stepz'; is steps meant?"),
    ([{"stage": "img2img", "settings": {"sampler": "Euler"}}], "stage 1: img2img has no setting 'sampler'; is sampler_name meant?"),
    ([{"stage": "img2img", "settings": {"hr_scale": 2}}], "stage 1: img2img has no setting 'hr_scale'; it is one of txt2img"),
    ([{"stage": "img2img", "settings": {"scheduler": None}}],
     "stage 1: scheduler is null; leave it out to have it as the image before has it"),
    ([{"stage": "inpaint"}], 'stage 1: inpaint needs a mask: {"$input": sha256} or {"$image": {"run_id", "name"}}'),
    ([{"stage": "upscale", "settings": {"upscaler_1": "None"}}],
     "stage 1: upscale needs upscaler_1, the name of an upscaler as the WebUI lists it"),
    ([{"stage": "adetailer"}], 'stage 1: adetailer needs a model: "adetailer": [{"ad_model": "face_yolov8n.pt"}]'),
    ([{"stage": "adetailer", "settings": {"adetailer": [{"ad_model": "a.pt", "steps": 3}]}}],
     "stage 1: adetailer 1: ADetailer has no argument 'steps'; its names begin with ad_"),
    ([{"stage": "upscale"}] * (MOST_STAGES + 1), "a chain has at most 20 stages, not 21"),
])
def test_every_fault_is_told_with_its_place(stages: list[dict[str, Any]], fault: str) -> None:
    assert fault in faults_of(*stages)


@pytest.mark.parametrize(("stage", "name", "value"), [
    ("txt2img", "steps", 0), ("txt2img", "steps", 151), ("txt2img", "steps", True), ("txt2img", "steps", 20.0),
    ("txt2img", "steps", 10**30),
    ("txt2img", "seed", -2), ("txt2img", "seed", 1 << 64), ("txt2img", "cfg_scale", "7"), ("txt2img", "cfg_scale", float("inf")),
    ("txt2img", "styles", "a"), ("txt2img", "prompt", "x" * 20_001), ("txt2img", "enable_hr", 1), ("txt2img", "override_settings", []),
    ("txt2img", "scripts", [{"args": []}]), ("img2img", "denoising_strength", 1.01), ("img2img", "init_images", []),
    ("inpaint", "mask", {"$input": "../../etc/passwd"}), ("inpaint", "mask", {"$image": {"run_id": "", "name": "a"}}),
    ("inpaint", "mask", "data:image/png;base64,"), ("upscale", "upscaling_resize", 0), ("upscale", "steps", 3),
    ("img2img", "override_settings_restore_afterwards", False), ("img2img", "x" * 5000, "x" * 5000),
])
def test_what_no_host_takes_is_refused_in_a_short_sentence(stage: str, name: str, value: Any) -> None:
    fault = check_setting(stage, name, value)
    assert fault and len(fault) < 250


@pytest.mark.parametrize(("stage", "name", "value"), [
    ("txt2img", "steps", 150), ("txt2img", "seed", -1), ("txt2img", "seed", (1 << 64) - 1),
    ("txt2img", "cfg_scale", 7), ("inpaint", "mask", {"$image": {"run_id": "r", "name": "txt2img_001"}}), ("img2img", "batch_size", 4),
])
def test_what_hosts_take_is_accepted(stage: str, name: str, value: Any) -> None:
    assert check_setting(stage, name, value) is None


def test_settings_of_an_item_are_held_to_the_first_stage() -> None:
    items = [Item(settings={"prompt": "x"}), Item(settings={"steps": 0}), *[Item(settings={"hr_scale": 2})] * 50]
    faults = check_items(items, Stage(stage="img2img"))
    assert faults[0] == "item 2: steps must be a whole number from 1 to 150, not 0" and len(faults) == 10
    assert check_items(items[:1], Stage(stage="txt2img")) == []


@pytest.mark.parametrize(("data", "text"), [
    (b"[", "not readable JSON"), (b"[]", "not an object"), (b"{}", "it has no list of stages"), (b'{"stages": {}}', "must be a list"),
    (b'{"stages": [3]}', "stage 1: must be an object"), (b'{"stages": [{}]}', "stage 1: stage must be one of"),
    (b'{"stages": [{"stage": "txt2img", "settings": []}]}', "stage 1: settings must be an object"),
    (b'{"stages": [], "name": 5}', "name must be a text"), (b'{"schema": "sdpipe.run/1", "stages": []}', "this is no recipe"),
    (b" " * (2 << 20), "larger than"),
    (b'{"stages": [{"stage": "txt2img", "settings": ' + b'{"a":' * 200 + b"1" + b"}" * 201 + b"]}", "nested"),
    (b"\xff\xfe", "not readable"),
])
def test_what_is_no_recipe_is_told(data: bytes, text: str) -> None:
    with pytest.raises(RecordError, match=text) as fault:
        parse_recipe(data, "recipes/mine.json")
    assert str(fault.value).startswith("recipes/mine.json: ")


def test_a_later_version_is_left_alone() -> None:
    with pytest.raises(NewerSchemaError):
        parse_recipe(b'{"schema": "sdpipe.recipe/2", "stages": []}', "a")


def test_what_a_person_writes_is_enough_and_what_others_add_stays() -> None:
    written = b'\xef\xbb\xbf{"stages": [{"stage": "upscale", "settings": {"upscaler_1": "Lanczos"}, "note": 1}], "from": "a friend"}'
    recipe = parse_recipe(written, "a")
    assert check_recipe(recipe) == []
    document = json.loads(format_recipe(recipe))
    assert list(document) == ["schema", "stages", "from"] and document["from"] == "a friend" and document["stages"][0]["note"] == 1


@given(st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=5), inner),
    max_leaves=12,
))
def test_nothing_that_json_can_hold_breaks_it(document: Any) -> None:
    try:
        recipe = parse_recipe(json.dumps(document).encode(), "a")
    except RecordError:
        return
    check_recipe(recipe)
    assert parse_recipe(format_recipe(recipe), "a") == recipe


def test_a_run_becomes_a_recipe_without_what_belongs_to_it_alone() -> None:
    run = Run(run_id="20260101_000000_sea", label="sea", config={
        "endpoint": "img2img", "prompt": "the sea", "negative_prompt": "", "styles": [], "seed": -1, "subseed_strength": 0, "steps": 12,
        "scheduler": None, "denoising_strength": 0.4, "init_images": [MASK],
        "width": 512.0, "mask_blur_x": 4, "inpainting_fill": 0, "scripts": [],
        "do_not_save_grid": False, "override_settings": {}, "override_settings_restore_afterwards": True, "odd": 3,
    })
    made = build_recipe(run)
    assert made.recipe.name == "sea" and check_recipe(made.recipe) == []
    (stage,) = made.recipe.stages
    assert (stage.stage, stage.settings) == (
        "img2img", {"prompt": "the sea", "negative_prompt": "", "seed": -1, "steps": 12, "denoising_strength": 0.4, "width": 512},
    )
    assert made.notes == ["Not in the recipe: 'odd'."]
    assert build_recipe(run, with_prompts=False).recipe.stages[0].settings == {
        "seed": -1, "steps": 12, "denoising_strength": 0.4, "width": 512,
    }


def test_an_inpainting_run_keeps_its_mask_and_says_so() -> None:
    run = Run(run_id="r", config={"endpoint": "img2img", "prompt": "x", "mask": MASK, "inpainting_fill": 1})
    made = build_recipe(run)
    assert made.recipe.stages[0] == Stage(stage="inpaint", settings={"prompt": "x", "mask": MASK, "inpainting_fill": 1})
    assert made.notes == ["Stage 1 names a picture of this library: with another library the recipe needs another one."]


def test_a_run_of_extras_tells_what_the_host_wrote_where_the_request_was_silent() -> None:
    scripts = [
        {"title": "Upscale", "args": [{"label": "upscaler_1_name", "value": "Lanczos"}, {"label": "upscale_enabled", "value": True}]},
        {"title": "Caption", "args": [{"label": "enable", "value": True}]},
    ]
    run = Run(run_id="r", config={"endpoint": "extras", "image": MASK, "scripts": scripts})
    manifest = Manifest(stage="upscale", config={"Postprocess upscale by": 4, "Postprocess upscaler": "Lanczos"})
    (stage,) = build_recipe(run, [manifest]).recipe.stages
    assert stage.settings == {"upscaler_1": "Lanczos", "upscaling_resize": 4, "scripts": [scripts[1]]}
    assert check_stages([stage]) == []


@pytest.mark.parametrize("option", [
    "outdir_txt2img_samples", "temp_dir", "save_to_dirs", "samples_filename_pattern", "directories_filename_pattern",
    "ad_extra_models_dir", "api_forbid_local_requests", "lora_path",
])
def test_a_recipe_from_a_stranger_says_nothing_of_where_files_go(option: str) -> None:
    options = {"sd_model_checkpoint": "photo", option: "/etc"}
    fault = check_setting("txt2img", "override_settings", options)
    assert fault == f"override_settings: '{option}' is set in the WebUI's settings alone"
    made = build_recipe(Run(run_id="r", config={"endpoint": "txt2img", "prompt": "x", "override_settings": options}))
    assert made.recipe.stages[0].settings["override_settings"] == {"sd_model_checkpoint": "photo"}
    assert made.notes == [f"Not in the recipe: '{option}'."] and check_recipe(made.recipe) == []


def test_a_run_that_only_restored_faces_says_so() -> None:
    scripts = [{"title": "GFPGAN", "args": [{"label": "enable", "value": True}, {"label": "gfpgan_visibility", "value": 0.5}]}]
    (stage,) = build_recipe(Run(run_id="r", config={"endpoint": "extras", "scripts": scripts})).recipe.stages
    assert stage.settings == {"upscaler_1": "None", "gfpgan_visibility": 0.5} and check_stages([stage]) == []


def test_a_chain_becomes_the_recipe_it_was_and_a_rerun_none() -> None:
    chain = Run(run_id="r", config={"endpoint": "chain", "items": [], "stages": [stage.to_json() for stage in WHOLE]})
    assert build_recipe(chain).recipe.stages == WHOLE
    for config in ({"endpoint": "requests", "requests": []}, {}, {"endpoint": "chain"}):
        with pytest.raises(UsageError):
            build_recipe(Run(run_id="r", config=config))


def test_an_adopted_run_is_read_by_its_first_record() -> None:
    run = Run(run_id="r", config={"prompt": "x", "steps": 3}, stage_outputs=[{"stage": "txt2img"}])
    assert build_recipe(run).recipe == Recipe(name="r", stages=[Stage(stage="txt2img", settings={"prompt": "x", "steps": 3})])
