"""From records to what is asked again."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Manifest, ParentLink, Run, StageEntry
from lib_sdpipe.pipeline.replay import Replay, Wanted, plan_rerun
from tests.pipeline.recorded import ENVIRONMENT, RUN_ID, a_batch, a_run, an_image

XYZ = {
    "title": "X/Y/Z plot", "file": "xyz_grid.py", "selected": True, "args": [{"index": 12, "label": "Keep -1 for seeds", "value": False}],
}
DETAILER = {
    "title": "ADetailer", "file": "!adetailer.py", "selected": False,
    "args": [{"index": 0, "label": "ADetailer", "value": True}, {"index": 2, "label": None, "value": {"ad_model": "face.pt"}}],
}


def replay(run: Run, images: list[Manifest], environment: Any = ENVIRONMENT, **wanted: Any) -> Replay:
    return plan_rerun(run, images, environment, Wanted(**wanted))


def config_of(run: Run, images: list[Manifest], **wanted: Any) -> dict[str, Any]:
    (request,) = replay(run, images, **wanted).requests
    return request.config


def compared(found: Replay) -> list[tuple[str | None, int | None]]:
    return [(one.of.name if one.of else None, one.place) for one in found.compare]


# --- a whole run ---


def test_a_whole_run_is_asked_with_the_seed_that_was_drawn() -> None:
    images = a_batch(2, 2)
    found = replay(a_run(images, batch_size=2, n_iter=2), images)
    (request,) = found.requests
    assert (request.config["seed"], request.config["subseed"], request.config["batch_size"], request.config["n_iter"]) == (100, 7000, 2, 2)
    assert (request.save, request.stage, found.exactness, found.planned) == (None, "txt2img", "exact", 4)
    assert compared(found) == [("txt2img_001", 0), ("txt2img_002", 1), ("txt2img_003", 2), ("txt2img_004", 3)]
    assert (found.of.run_id, found.of.name) == (RUN_ID, None)


def test_a_missing_image_of_a_run_leaves_the_others_in_their_places() -> None:
    images = a_batch(2, 2)[1:]
    found = replay(a_run(images, batch_size=2, n_iter=2), images)
    assert found.requests[0].config["seed"] == 100
    assert compared(found) == [("txt2img_002", 1), ("txt2img_003", 2), ("txt2img_004", 3)]


def test_styles_and_wildcards_are_asked_as_they_came_out() -> None:
    images = [an_image(place + 1, index=place, size=2, prompt=prompt) for place, prompt in enumerate(["a red boat", "a blue boat"])]
    config = config_of(a_run(images, prompt="a __colour__ boat", styles=["sea"], batch_size=2), images)
    assert (config["prompt"], config["negative_prompt"], config["styles"]) == (["a red boat", "a blue boat"], "blurry", [])


def test_a_prompt_that_was_used_as_it_was_asked_stays() -> None:
    images = a_batch(2, 1)
    assert config_of(a_run(images, batch_size=2), images)["prompt"] == "a lighthouse"


def test_a_script_that_writes_prompts_does_not_write_over_them() -> None:
    writer = {"title": "Dynamic Prompts", "file": "dynamic_prompting.py", "args": [{"label": "Dynamic Prompts enabled", "value": True}]}
    environment = {**ENVIRONMENT, "script_defaults": {"txt2img": [writer]}}
    image = an_image(prompt="a red boat")
    (request,) = replay(a_run([image], prompt="a {red|blue} boat"), [image], environment).requests
    (script,) = request.config["scripts"]
    assert script["args"] == [{"index": 0, "label": "Dynamic Prompts enabled", "value": False}]


def test_the_models_that_were_used_are_asked_for() -> None:
    image = an_image(vae="sea.vae", config={**an_image().config, "clip_skip": 2})
    options = config_of(a_run([image], override_settings={"eta_noise_seed_delta": 5}), [image])["override_settings"]
    assert options == {
        "eta_noise_seed_delta": 5, "sd_model_checkpoint": "tiny", "sd_vae": "sea.vae", "CLIP_stop_at_last_layers": 2,
    }


def test_no_vae_is_asked_for_where_none_was_loaded() -> None:
    image = an_image()
    assert config_of(a_run([image]), [image])["override_settings"]["sd_vae"] == "None"


def test_on_forge_the_modules_are_asked_for_and_no_vae() -> None:
    image = an_image()
    (request,) = plan_rerun(a_run([image]), [image], {"host": {"name": "Forge"}}, Wanted()).requests
    assert request.config["override_settings"]["forge_additional_modules"] == []
    assert "sd_vae" not in request.config["override_settings"]


def test_images_that_were_cut_short_are_not_compared() -> None:
    images = a_batch(1, 2)
    images[1] = images[1].copy(update={"config": {**images[1].config, "incomplete": "interrupted"}})
    found = replay(a_run(images, n_iter=2), images)
    assert compared(found) == [("txt2img_001", 0)]
    assert any("1 of 2 images were cut short" in note for note in found.notes)
    with pytest.raises(RefusedError, match="was cut short"):
        replay(a_run(images, n_iter=2), images, name="txt2img_002")


def test_a_run_without_images_says_so() -> None:
    with pytest.raises(RefusedError, match="has no image"):
        replay(a_run(), [])


# --- one image ---


@pytest.mark.parametrize(("name", "seed", "place"), [("txt2img_001", 100, 0), ("txt2img_004", 102, 1)])
def test_one_image_of_a_batch_is_asked_with_its_batch_and_saved_alone(name: str, seed: int, place: int) -> None:
    images = a_batch(2, 2)
    found = replay(a_run(images, batch_size=2, n_iter=2), images, name=name)
    (request,) = found.requests
    assert (request.config["seed"], request.config["batch_size"], request.config["n_iter"]) == (seed, 2, 1)
    assert request.config["subseed"] == 7000 + seed - 100
    assert (request.save, found.exactness, compared(found)) == ((place,), "exact", [(name, place)])
    assert found.of.name == name


def test_with_a_variation_strength_the_seed_stays_and_the_variation_seed_counts() -> None:
    images = a_batch(2, 2, subseed_strength=0.3)
    config = config_of(a_run(images, batch_size=2, n_iter=2, subseed_strength=0.3), images, name="txt2img_003")
    assert (config["seed"], config["subseed"], config["subseed_strength"]) == (100, 7002, 0.3)


def test_the_quick_way_is_near_but_for_an_image_that_was_alone() -> None:
    images = a_batch(2, 1)
    found = replay(a_run(images, batch_size=2), images, name="txt2img_002", alone=True)
    assert (found.exactness, compared(found), found.requests[0].save) == ("near", [("txt2img_002", 0)], (0,))
    assert (found.requests[0].config["seed"], found.requests[0].config["batch_size"]) == (101, 1)
    single = a_batch(1, 3)
    assert replay(a_run(single, n_iter=3), single, name="txt2img_003", alone=True).exactness == "exact"


def test_each_image_alone_has_its_own_input_picture() -> None:
    pictures = [{"$input": "a" * 64}, {"$input": "b" * 64}]
    images = [an_image(place + 1, "img2img", index=place, size=2) for place in range(2)]
    run = a_run(images, endpoint="img2img", init_images=pictures, batch_size=2)
    assert config_of(run, images, name="img2img_002", alone=True)["init_images"] == [pictures[1]]
    assert config_of(run, images, name="img2img_002")["init_images"] == pictures


def test_latent_noise_takes_the_first_batchs_seeds_so_all_before_is_made_too() -> None:
    images = [an_image(place + 1, "inpaint", iteration=place, count=3) for place in range(3)]
    run = a_run(images, endpoint="img2img", mask={"$input": "b" * 64}, inpainting_fill=2, n_iter=3)
    found = replay(run, images, name="inpaint_002")
    assert (found.requests[0].config["n_iter"], found.requests[0].config["seed"], compared(found)) == (2, 100, [("inpaint_002", 1)])
    assert found.requests[0].stage == "inpaint"
    assert replay(run, images, name="inpaint_002", alone=True).exactness == "near"


def test_an_image_that_is_not_there_is_said() -> None:
    with pytest.raises(RefusedError, match="has no image txt2img_009"):
        replay(a_run(), [an_image()], name="txt2img_009")


# --- hires fix, ADetailer, companions ---


def test_a_hires_prompt_of_its_own_is_asked_with_its_styles() -> None:
    image = an_image(prompt="a boat, sea", infotext="a boat, sea\nSteps: 4, Sampler: Euler a, Seed: 100, Hires prompt: \"a ship, sea\"")
    run = a_run([image], prompt="a boat", styles=["sea"], enable_hr=True, hr_prompt="a ship", hr_negative_prompt="", hr_scale=2)
    config = config_of(run, [image])
    assert (config["hr_prompt"], config["hr_negative_prompt"], config["styles"]) == ("a ship, sea", "", [])


def test_adetailers_arguments_stay_and_its_images_are_the_requests() -> None:
    image = an_image(stage="adetailer")
    found = replay(a_run([image], scripts=[DETAILER]), [image], name="adetailer_001")
    assert (found.requests[0].config["scripts"], found.requests[0].stage) == ([DETAILER], "txt2img")


@pytest.mark.parametrize(("role", "option"), [
    ("before-highres-fix", "save_images_before_highres_fix"), ("before-adetailer", "ad_save_images_before"), ("mask", "save_mask"),
    ("mask-composite", "save_mask_composite"),
])
def test_a_companion_is_made_through_its_image(role: str, option: str) -> None:
    images = [*a_batch(2, 1), an_image(3, index=1, size=2, role=role)]
    found = replay(a_run(images, batch_size=2), images, name="txt2img_003")
    assert found.requests[0].config["override_settings"][option] is True
    assert [(one.of.name, one.place, one.role) for one in found.compare if one.of] == [("txt2img_003", 1, role)]


def test_a_grid_is_made_by_the_whole_request() -> None:
    images = a_batch(2, 1)
    grid = an_image(1, "grid", batch={"index": None}, members=["txt2img_001", "txt2img_002"])
    found = replay(a_run(images, batch_size=2, do_not_save_grid=True), [*images, grid], name="grid_001")
    assert (found.requests[0].config["n_iter"], found.requests[0].config["do_not_save_grid"]) == (1, False)
    assert [(one.of.name, one.place, one.role) for one in found.compare if one.of] == [("grid_001", 0, "grid")]


def test_an_input_picture_is_not_made_by_anything() -> None:
    with pytest.raises(RefusedError, match="is an input picture"):
        replay(a_run(), [an_image(), an_image(2, role="init", batch=None)], name="txt2img_002")


# --- scripts of the Script menu ---


def a_plot() -> list[Manifest]:
    return [
        an_image(place + 1, seed=100 - place, iteration=0, index=0, size=1, config={**an_image().config, "steps": 4 + place},
                 variant={"row": place, "index": 0, "values": {"Steps": 4 + place}}, actual_seed=100)
        for place in range(3)
    ]


def test_a_cell_of_a_plot_is_made_by_the_whole_plot_and_saved_alone() -> None:
    images = a_plot()
    found = replay(a_run(images, scripts=[XYZ]), images, name="txt2img_002")
    (request,) = found.requests
    assert (request.config["seed"], request.config["scripts"], request.save) == (100, [XYZ], (1,))
    assert (found.exactness, compared(found)) == ("exact", [("txt2img_002", 1)])


def test_the_quick_way_makes_the_cell_from_what_is_recorded_of_it() -> None:
    images = a_plot()
    found = replay(a_run(images, scripts=[XYZ, DETAILER]), images, name="txt2img_002", alone=True)
    (request,) = found.requests
    assert (request.config["steps"], request.config["scripts"], found.exactness) == (5, [DETAILER], "near")
    assert any("Steps" in note for note in found.notes)


@pytest.mark.parametrize(("fields", "message"), [
    ({"config": {"init_images": [None]}}, "made it from was not kept"), ({"members": ["img2img_002"]}, "put together of pieces"),
])
def test_a_tile_and_what_is_put_together_of_tiles_have_no_quick_way(fields: dict[str, Any], message: str) -> None:
    image = an_image(stage="img2img", **fields)
    run = a_run([image], endpoint="img2img", scripts=[{**XYZ, "title": "SD upscale"}])
    assert replay(run, [image], name="img2img_001").exactness == "exact"
    with pytest.raises(RefusedError, match=message):
        replay(run, [image], name="img2img_001", alone=True)


def test_a_loop_goes_on_from_the_image_before() -> None:
    parent = {"run_id": RUN_ID, "name": "img2img_001", "by": "pixels"}
    images = [an_image(n, "img2img", variant={"row": n - 1, "values": {"loop": n}}, parent=parent if n > 1 else None) for n in (1, 2)]
    run = a_run(images, endpoint="img2img", scripts=[{**XYZ, "title": "Loopback"}])
    assert config_of(run, images, name="img2img_002", alone=True)["init_images"] == [{"$image": {"run_id": RUN_ID, "name": "img2img_001"}}]


def test_a_plot_that_drew_a_seed_for_each_cell_cannot_be_exact() -> None:
    images = [image.copy(update={"actual_seed": place}) for place, image in enumerate(a_plot())]
    keeps = {**XYZ, "args": [{"index": 12, "label": "Keep -1 for seeds", "value": True}]}
    assert replay(a_run(images, scripts=[keeps]), images).exactness == "near"


def test_models_that_a_plot_varied_are_left_to_it() -> None:
    images = [image.copy(update={"model": f"model {place}"}) for place, image in enumerate(a_plot())]
    assert "sd_model_checkpoint" not in config_of(a_run(images, scripts=[XYZ]), images).get("override_settings", {})


# --- several passes, Extras, chains ---


def test_a_batch_of_files_is_a_request_for_each() -> None:
    pictures = [{"$input": letter * 64} for letter in "ab"]
    images = [
        an_image(place + 1, "img2img", config={**an_image().config, "init_images": [picture], "width": 64 * (place + 1)}, actual_seed=100)
        for place, picture in enumerate(pictures)
    ]
    found = replay(a_run(images, endpoint="img2img", init_images=[pictures[0]]), images)
    assert [request.config["init_images"] for request in found.requests] == [[picture] for picture in pictures]
    assert [request.config["width"] for request in found.requests] == [64, 128]
    assert compared(found) == [("img2img_001", 0), ("img2img_002", 1)]
    assert [request.config["seed"] for request in found.requests] == [100, 100]
    rerun = a_run(images, endpoint="requests", requests=[request.config for request in found.requests])
    assert [request.config for request in replay(rerun, images).requests] == [request.config for request in found.requests]


def test_an_upscaled_picture_is_asked_with_what_its_text_says_beside_the_request() -> None:
    picture = {"$image": {"run_id": "other", "name": "txt2img_001"}}
    image = an_image(stage="upscale", batch=None, config={"image": picture, "Postprocess upscale by": 4, "Postprocess upscaler": "Lanczos"})
    script = {"title": "Upscale", "selected": False, "args": [{"index": 7, "label": "upscaler_1_name", "value": "Lanczos"}]}
    run = a_run([image], endpoint="extras", extras_mode=0, image=picture, scripts=[script])
    config = config_of(run, [image], name="upscale_001")
    values = {argument["label"]: argument["value"] for argument in config["scripts"][0]["args"]}
    assert config["image"] == picture
    assert values == {"upscaler_1_name": "Lanczos", "upscale_enabled": True, "upscale_by": 4, "upscale_mode": 0}


def test_several_pictures_of_the_extras_tab_are_a_request_each() -> None:
    images = [an_image(n, "upscale", batch=None, config={"image": {"$input": str(n) * 64}}) for n in (1, 2)]
    found = replay(a_run(images, endpoint="extras", extras_mode=1, image=None, scripts=[]), images)
    assert [request.config["image"] for request in found.requests] == [{"$input": "1" * 64}, {"$input": "2" * 64}]
    assert compared(found) == [("upscale_001", 0), ("upscale_002", 1)]


def test_an_upscaled_picture_that_was_not_kept_is_refused() -> None:
    image = an_image(stage="upscale", batch=None, config={})
    with pytest.raises(RefusedError, match="was not kept"):
        replay(a_run([image], endpoint="extras", extras_mode=0, image=None, scripts=[]), [image])


def a_chain() -> tuple[Run, list[Manifest]]:
    first = an_image(step={"stage": 0, "input": "0"}, seed=55)
    second = an_image(2, "img2img", step={"stage": 1, "input": "txt2img_001"}, seed=55, config={**first.config, "denoising_strength": 0.3},
                      parent=ParentLink(run_id=RUN_ID, name="txt2img_001", by="pixels"))
    stages = [{"stage": "txt2img", "settings": {"steps": 4}}, {"stage": "img2img", "settings": {"denoising_strength": 0.3}}]
    run = a_run([first, second], endpoint="chain", stages=stages, items=[{"settings": {"prompt": "a lighthouse", "seed": -1}}])
    return run, [first, second]


def test_a_chain_is_asked_pass_by_pass_from_the_recorded_images() -> None:
    run, images = a_chain()
    found = replay(run, images)
    first, second = found.requests
    assert (first.config["endpoint"], first.config["seed"], first.config["sampler_name"]) == ("txt2img", 55, "Euler a")
    assert second.config["init_images"] == [{"$image": {"run_id": RUN_ID, "name": "txt2img_001"}}]
    assert (second.config["seed"], second.config["denoising_strength"]) == (55, 0.3)
    assert compared(found) == [("txt2img_001", 0), ("img2img_002", 1)]


def test_one_stage_of_a_chain_is_asked_alone() -> None:
    run, images = a_chain()
    found = replay(run, images, stage="img2img")
    assert [request.stage for request in found.requests] == ["img2img"]
    assert compared(found) == [("img2img_002", 0)]
    with pytest.raises(RefusedError, match="of stage upscale"):
        replay(run, images, stage="upscale")


# --- requests that are not known ---


def test_what_is_not_replayable_is_refused_with_its_reason() -> None:
    run = a_run([an_image()]).copy(update={"replayable": False, "not_replayable_because": "prompts were not recorded"})
    with pytest.raises(RefusedError, match="cannot be asked again: prompts were not recorded"):
        replay(run, [an_image()])


def test_an_adopted_image_is_asked_as_its_text_tells_and_called_near() -> None:
    text = (
        "a boat\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, Schedule type: Karras, CFG scale: 6.5, Seed: 9, Size: 512x768, "
        "Model: tiny, Denoising strength: 0.4, Hires upscale: 2, Hires upscaler: Latent, ADetailer model: face.pt, "
        "ADetailer confidence: 0.3, ADetailer inpaint only masked: True, ADetailer model 2nd: hand.pt"
    )
    image = an_image(prompt=None, negative_prompt=None, config={}, model=None, actual_seed=None, batch=None, stage=None, infotext=text)
    run = a_run([image]).copy(update={"source": "adopted", "replayable": False})
    found = replay(run, [image], name=image.name)
    config = found.requests[0].config
    assert (config["prompt"], config["negative_prompt"], config["seed"], config["steps"]) == ("a boat", "fog", 9, 20)
    assert (config["enable_hr"], config["hr_scale"], config["denoising_strength"], config["height"]) == (True, 2, 0.4, 768)
    models = [argument["value"] for argument in config["scripts"][0]["args"]][2:]
    assert models == [
        {"ad_model": "face.pt", "ad_confidence": 0.3, "ad_inpaint_only_masked": True},
        {"ad_model": "hand.pt", "ad_inpaint_only_masked": False},
    ]
    assert config["override_settings"] == {"sd_model_checkpoint": "tiny"}
    assert found.exactness == "near" and "concluded" in found.notes[0]


def test_an_adopted_run_is_asked_image_by_image_and_says_what_cannot_be() -> None:
    images = [an_image(1), an_image(2, "img2img", parent=None), an_image(3, "img2img", parent={"run_id": RUN_ID, "name": "txt2img_001"})]
    found = replay(a_run(images).copy(update={"source": "adopted"}), images)
    assert compared(found) == [("txt2img_001", 0), ("img2img_003", 1)]
    assert any("img2img_002: the picture that it was made from was not kept" in note for note in found.notes)


def test_an_image_of_an_incomplete_request_can_still_be_asked_alone() -> None:
    run = a_run([an_image()]).copy(update={"replayable": False, "not_replayable_because": "Other argument 1 is a Thing"})
    found = replay(run, [an_image()], name="txt2img_001", alone=True)
    assert (found.exactness, found.requests[0].config["seed"]) == ("near", 100)
    assert any("Other argument 1" in note for note in found.notes)


# --- variations ---


def test_a_variation_changes_its_fields_and_compares_nothing() -> None:
    images = a_batch(2, 1)
    found = replay(a_run(images, batch_size=2), images, changes={"steps": 9, "sd_model_checkpoint": "other"})
    config = found.requests[0].config
    assert (config["steps"], config["override_settings"]["sd_model_checkpoint"], config["seed"]) == (9, "other", 100)
    assert found.compare == []


def test_an_upscale_is_varied_by_the_names_of_the_hosts_api() -> None:
    picture = {"$input": "a" * 64}
    image = an_image(stage="upscale", batch=None, config={"image": picture, "Postprocess upscale by": 4})
    run = a_run([image], endpoint="extras", extras_mode=0, image=picture, scripts=[])
    config = config_of(run, [image], changes={"upscaling_resize": 2, "gfpgan_visibility": 0.5})
    values = {argument["label"]: argument["value"] for script in config["scripts"] for argument in script["args"]}
    assert (values["upscale_by"], values["gfpgan_visibility"]) == (2, 0.5)


@pytest.mark.parametrize(("changes", "message"), [
    ({"outpath_samples": "/etc"}, "cannot be changed"), ({"steps": "many"}, "must be a whole number"), ({"steps": True}, "must be"),
    ({"cfg_scale": float("nan")}, "must be a number"), ({"prompt": "x" * 100_001}, "must be a text"),
    ({"scripts": []}, "cannot be changed"), ({"sd_vae": 3}, "must be a text"),
])
def test_what_cannot_be_changed_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(RefusedError, match=message):
        replay(a_run([an_image()]), [an_image()], changes=changes)


# --- again and again ---


@given(st.integers(1, 4), st.integers(1, 3), st.sampled_from([0, 0.4]), st.booleans(), st.data())
def test_a_re_run_of_a_re_run_asks_the_same(size: int, count: int, strength: float, varied: bool, data: st.DataObject) -> None:
    prompts = {"prompt": "a boat, sea"} if varied else {}
    images = a_batch(size, count, subseed_strength=strength, **prompts)
    run = a_run(images, batch_size=size, n_iter=count, subseed_strength=strength, styles=["sea"] if varied else [])
    wanted = Wanted(name=data.draw(st.sampled_from([None, *(image.name for image in images)])), alone=data.draw(st.booleans()))
    first = plan_rerun(run, images, ENVIRONMENT, wanted)
    (request,) = first.requests
    made = {one.place: one.of.name for one in first.compare if one.of}
    again = [
        image.copy(update={"batch": image.batch.copy(update={
            "iteration": place // request.config["batch_size"], "index": place % request.config["batch_size"],
            "size": request.config["batch_size"], "count": request.config["n_iter"],
        })}) for place, name in made.items() for image in images if image.name == name and image.batch
    ]
    rerun = a_run(again).copy(update={"config": request.config})
    second = plan_rerun(rerun, again, ENVIRONMENT, Wanted())
    assert second.requests[0].config == request.config


def test_history_of_hires_does_not_change_what_is_asked() -> None:
    entry = StageEntry(stage="txt2img", role="before-highres-fix", run_id=RUN_ID, settings={"width": 64})
    image = an_image(stage_history=[entry], hires={"hr_scale": 2})
    assert config_of(a_run([image], enable_hr=True, hr_scale=2, hr_prompt="", hr_negative_prompt=""), [image])["width"] == 64
