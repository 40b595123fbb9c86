"""What every host must give: for each image a manifest that is right at birth."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.manifest.infotext import parse_infotext
from tests.contract.conftest import Generate, Made, base_request, detailer, hires_request
from tests.contract.webui import HttpError, WebUI, decode_picture, encode_picture

ALWAYS, NEVER = "always_yolov8n.pt", "never_yolov8n.pt"


def assert_true_to_the_file(made: Made, manifest: dict[str, Any]) -> None:
    """Digests are the file's, and prompt, seed, size, sampler and model are what the host wrote into it."""
    file = made.file(manifest)
    facts = manifest["image"]
    data = file.read_bytes()
    assert facts["sha256"] == hashlib.sha256(data).hexdigest()
    assert facts["bytes"] == len(data)
    with Image.open(file) as image:
        assert facts["pixel_sha256"] == pixel_sha256(image)
        assert (facts["width"], facts["height"], facts["format"]) == (*image.size, image.format)
        infotext = read_infotext(image)
    assert infotext == manifest["infotext"]
    text = parse_infotext(infotext or "")
    assert text.seed == manifest["actual_seed"]
    assert (text.prompt, text.negative_prompt) == (manifest["prompt"], manifest["negative_prompt"])
    assert text.run_id == made.run_id
    if manifest["stage"] in ("txt2img", "img2img", "grid"):
        settings = manifest["config"]
        assert text.parameters["Sampler"] == settings["sampler_name"]
        assert text.parameters["Steps"] == str(settings["steps"])
        assert text.parameters["Size"] == f"{settings['width']}x{settings['height']}"
        assert text.parameters["Model"] == manifest["model"]


def assert_all_true(made: Made) -> None:
    assert made.manifests
    for manifest in made.manifests:
        if manifest["role"] == "final":
            assert_true_to_the_file(made, manifest)


def test_every_image_of_a_batch_has_its_own_seed_and_the_grid_its_members(generate: Generate) -> None:
    made = generate(seed=100, batch_size=2, n_iter=2)
    images = made.of("txt2img")
    assert [m["name"] for m in images] == ["txt2img_001", "txt2img_002", "txt2img_003", "txt2img_004"]
    assert [m["actual_seed"] for m in images] == [100, 101, 102, 103]
    assert [(m["batch"]["iteration"], m["batch"]["index"]) for m in images] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    info = json.loads(made.answer["info"])
    assert [m["actual_subseed"] for m in images] == info["all_subseeds"]
    (grid,) = made.of("grid")
    assert grid["members"] == [m["name"] for m in images]
    assert made.run["status"] == "completed"
    assert made.run["images"] == {"planned": 4, "returned": 4, "saved": 4}
    assert made.run["source"] == "api"
    assert_all_true(made)


def test_a_random_seed_is_recorded_as_the_number_that_was_used(generate: Generate) -> None:
    made = generate()
    (image,) = made.of("txt2img")
    assert image["requested_seed"] is None
    assert image["actual_seed"] == json.loads(made.answer["info"])["seed"] >= 0


def test_variation_seeds_count_up_while_the_seed_stays(generate: Generate) -> None:
    made = generate(seed=5, subseed=70, subseed_strength=0.3, batch_size=2)
    images = made.of("txt2img")
    assert [(m["actual_seed"], m["actual_subseed"]) for m in images] == [(5, 70), (5, 71)]
    assert {m["subseed_strength"] for m in images} == {0.3}


def test_the_run_file_lists_what_was_saved_and_can_be_asked_again(generate: Generate) -> None:
    made = generate(seed=7)
    assert [o["manifest"] for o in made.run["stage_outputs"]] == ["manifests/txt2img_001.json"]
    assert made.run["config"]["seed"] == 7 and made.run["config"]["prompt"] == base_request()["prompt"]
    assert made.run["replayable"] is True and made.run["not_replayable_because"] is None
    assert made.run["process"] is None and made.run["finished_at"] >= made.run["started_at"]
    assert made.run["packs"] == [] and made.run["one_click_action"] is None


def test_the_environment_is_stored_once_per_content(generate: Generate, host: WebUI) -> None:
    digests = {generate().run["environment"] for _ in range(2)}
    assert len(digests) == 1
    environment = host.store.read_environment(digests.pop())
    assert environment["host"]["name"] and environment["host"]["version"]
    assert any(extension["name"] for extension in environment["extensions"])


def test_hires_fix_is_one_image_whose_first_pass_is_in_its_history(generate: Generate) -> None:
    made = generate(**hires_request())
    (image,) = made.manifests
    assert image["hires"]["hr_upscaler"] == "Latent"
    assert (image["image"]["width"], image["config"]["width"]) == (128, 64)
    (first,) = image["stage_history"]
    assert (first["stage"], first["role"], first["name"]) == ("txt2img", "before-highres-fix", None)
    assert_all_true(made)


def test_pictures_saved_before_hires_fix_belong_to_their_images(generate: Generate) -> None:
    made = generate(**hires_request(), batch_size=2, n_iter=2, override_settings={"save_images_before_highres_fix": True})
    before, final = made.of("txt2img", "before-highres-fix"), made.of("txt2img")
    assert len(before) == len(final) == 4
    assert [m["actual_seed"] for m in before] == [m["actual_seed"] for m in final]
    assert [m["stage_history"][0]["name"] for m in final] == [m["name"] for m in before]
    assert made.of("grid")[0]["members"] == [m["name"] for m in final]
    assert all(m["image"]["width"] == 64 for m in before)


def test_the_refiner_is_recorded(generate: Generate, host: WebUI) -> None:
    models = [model["model_name"] for model in host.get("/sdapi/v1/sd-models")]
    if len(models) < 2:
        pytest.skip("this WebUI has one checkpoint only")
    made = generate(refiner_checkpoint=models[1], refiner_switch_at=0.5)
    assert made.of("txt2img")[0]["refiner"] == {"refiner_checkpoint": models[1], "refiner_switch_at": 0.5}


def test_loras_and_embeddings_are_recorded_with_weights_and_hashes(generate: Generate, host: WebUI) -> None:
    loras = [lora["name"] for lora in host.get("/sdapi/v1/loras")]
    embeddings = list(host.get("/sdapi/v1/embeddings")["loaded"])
    if not loras:
        pytest.skip("this WebUI has no LoRA")
    made = generate(prompt=f"a lighthouse <lora:{loras[0]}:0.75> {' '.join(embeddings[:1])}")
    (image,) = made.of("txt2img")
    (lora,) = image["loras"]
    assert (lora["name"], lora["weight"]) == (loras[0], 0.75) and lora["hash"]
    assert [e["name"] for e in image["embeddings"]] == embeddings[:1]
    assert_all_true(made)


def test_img2img_knows_its_parent_by_pixels_also_without_any_text(generate: Generate) -> None:
    source = generate()
    (first,) = source.of("txt2img")
    with Image.open(source.file(first)) as picture:
        made = generate("img2img", init_images=[encode_picture(picture)], denoising_strength=0.4)
    (image,) = made.of("img2img")
    parent = image["parent"]
    assert (parent["run_id"], parent["name"], parent["by"]) == (source.run_id, "txt2img_001", "pixels")
    assert made.run["parent"] == {"run_id": source.run_id, "name": "txt2img_001"}
    assert [(h["stage"], h["run_id"], h["name"]) for h in image["stage_history"]] == [("txt2img", source.run_id, "txt2img_001")]
    assert made.run["config"]["init_images"] == [{"$image": {"run_id": source.run_id, "name": "txt2img_001"}}]
    assert_all_true(made)


def test_a_painted_over_picture_keeps_both_what_its_text_and_what_its_pixels_say(generate: Generate, host: WebUI) -> None:
    one, other = generate(seed=1), generate(seed=2)
    text = one.of("txt2img")[0]["infotext"]
    with Image.open(other.file(other.of("txt2img")[0])) as picture:
        made = generate("img2img", init_images=[_with_text(picture.convert("RGB"), text)], denoising_strength=0.4)
    parent = made.of("img2img")[0]["parent"]
    assert (parent["run_id"], parent["by"]) == (other.run_id, "pixels")
    assert [(a["run_id"], a["by"]) for a in parent["also"]] == [(one.run_id, "run-id")]


def test_a_slightly_altered_picture_is_found_by_near_pixels(generate: Generate) -> None:
    source = generate()
    with Image.open(source.file(source.of("txt2img")[0])) as picture:
        altered = picture.convert("RGB").point(lambda value: value + 1 if value < 255 else value)
    made = generate("img2img", init_images=[encode_picture(altered)], denoising_strength=0.4)
    parent = made.of("img2img")[0]["parent"]
    assert (parent["run_id"], parent["by"]) == (source.run_id, "near-pixels")


def test_of_several_input_pictures_each_image_has_its_own_for_a_parent(generate: Generate) -> None:
    source = generate(seed=40, batch_size=2)
    pictures = [encode_picture(Image.open(source.file(m))) for m in source.of("txt2img")]
    made = generate("img2img", init_images=pictures, batch_size=2, denoising_strength=0.4)
    assert [m["parent"]["name"] for m in made.of("img2img")] == ["txt2img_001", "txt2img_002"]


def test_an_image_that_was_never_saved_is_kept_as_an_input(generate: Generate) -> None:
    unsaved = generate(save_images=False)
    made = generate("img2img", init_images=[encode_picture(decode_picture(unsaved.answer["images"][0]))], denoising_strength=0.4)
    assert list(made.run["config"]["init_images"][0]) == ["$input"]
    assert made.of("img2img")[0]["parent"]["run_id"] == unsaved.run_id


def test_an_unknown_input_picture_is_kept_once_and_has_no_parent(generate: Generate, host: WebUI) -> None:
    picture = Image.effect_noise((64, 64), 90).convert("RGB")
    runs = [generate("img2img", init_images=[encode_picture(picture)], denoising_strength=0.4) for _ in range(2)]
    inputs = [made.run["config"]["init_images"] for made in runs]
    assert inputs[0] == inputs[1]
    kept = host.layout.input_file(inputs[0][0]["$input"])
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == inputs[0][0]["$input"]
    with Image.open(kept) as stored:
        assert pixel_sha256(stored) == pixel_sha256(picture)
    assert runs[0].of("img2img")[0]["parent"] is None


def test_adetailer_is_a_stage_with_what_came_before_in_its_history(generate: Generate) -> None:
    made = generate(alwayson_scripts=detailer(ALWAYS), batch_size=2, n_iter=2)
    images = made.of("adetailer")
    assert len(images) == 4 and not made.of("txt2img")
    for image in images:
        (before,) = image["stage_history"]
        assert (before["stage"], before["role"]) == ("txt2img", "before-adetailer")
        assert len(before["pixel_sha256"]) == 64 and before["pixel_sha256"] != image["image"]["pixel_sha256"]
        assert image["adetailer"]["model"] == ALWAYS
        assert image["stage_duration_ms"] is not None
    assert len({image["stage_history"][0]["pixel_sha256"] for image in images}) == 4
    assert made.of("grid")[0]["members"] == [m["name"] for m in images]
    assert_all_true(made)


def test_adetailer_that_finds_nothing_is_no_stage(generate: Generate) -> None:
    made = generate(alwayson_scripts=detailer(NEVER), batch_size=2)
    assert len(made.of("txt2img")) == 2 and not made.of("adetailer")
    assert made.of("txt2img")[0]["stage_history"] == []


def test_inner_passes_that_call_every_script_make_no_runs(generate: Generate, host: WebUI) -> None:
    host.set_options(ad_only_selected_scripts=False)
    made = generate(alwayson_scripts=detailer(ALWAYS), batch_size=2)
    assert len(made.of("adetailer")) == 2
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 2}


def test_adetailers_own_saves_stay_companions_where_the_images_themselves_are_not_saved(generate: Generate, host: WebUI) -> None:
    host.set_options(ad_save_images_before=True, ad_save_previews=True)
    try:
        made = generate(batch_size=2, save_images=False, seed=70, alwayson_scripts=detailer("always_yolov8n.pt"))
    finally:
        host.set_options(ad_save_images_before=False, ad_save_previews=False)
    assert [(m["actual_seed"], m["path"]) for m in made.of("adetailer")] == [(70, None), (71, None)]
    assert sorted(m["role"] for m in made.of("txt2img", "preview") + made.of("txt2img", "before-adetailer")) == [
        "before-adetailer", "before-adetailer", "preview", "preview",
    ]
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 0}


def test_adetailers_own_saves_are_companions(generate: Generate, host: WebUI) -> None:
    host.set_options(ad_save_images_before=True, ad_save_previews=True)
    try:
        made = generate(alwayson_scripts=detailer(ALWAYS))
    finally:
        host.set_options(ad_save_images_before=False, ad_save_previews=False)
    assert sorted(m["role"] for m in made.manifests) == ["before-adetailer", "final", "preview"]
    (final,) = made.of("adetailer")
    assert final["stage_history"][-1]["name"] == made.of("txt2img", "before-adetailer")[0]["name"]


def _in_background(host: WebUI, request: dict[str, Any]) -> threading.Thread:
    thread = threading.Thread(target=lambda: host.post("/sdapi/v1/txt2img", {**base_request(), **request}))
    thread.start()
    deadline = time.monotonic() + 60
    while host.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"] < 3:
        assert time.monotonic() < deadline and thread.is_alive(), "the job never began to sample"
        time.sleep(0.02)
    return thread


@pytest.mark.parametrize(("press", "status"), [("interrupt", "interrupted"), ("skip", "completed")])
def test_a_job_that_is_cut_short_says_so(host: WebUI, press: str, status: str) -> None:
    before = host.run_ids()
    job = _in_background(host, {"steps": 140, "n_iter": 2, "save_images": True})
    host.post(f"/sdapi/v1/{press}")
    job.join()
    (run_id,) = host.run_ids() - before
    run = host.wait_closed(run_id)
    assert run["status"] == status
    assert run["images"]["planned"] == 2 > run["images"]["saved"]
    cut = [m for m in host.manifests(run_id) if m["config"].get("incomplete")]
    assert all(m["path"] is None for m in cut)


def test_a_job_that_fails_inside_the_host_is_a_failed_run_that_says_why(host: WebUI) -> None:
    before = host.run_ids()
    with pytest.raises(HttpError) as fault:
        host.post("/sdapi/v1/txt2img", {**base_request(), **hires_request(), "hr_upscaler": "no such upscaler"})
    assert fault.value.status == 500
    (run_id,) = host.run_ids() - before
    run = host.wait_closed(run_id)
    assert run["status"] == "failed"
    assert run["error"]["stage"] == "txt2img" and "no such upscaler" in run["error"]["message"]
    assert host.manifests(run_id) == []


def test_images_that_are_returned_but_not_saved_have_manifests_without_a_path(generate: Generate) -> None:
    made = generate(save_images=False, batch_size=2)
    images = made.of("txt2img")
    assert [(m["path"], m["root"]) for m in images] == [(None, None)] * 2
    assert [m["image"]["pixel_sha256"] for m in images] == [pixel_sha256(decode_picture(p)) for p in made.answer["images"][-2:]]
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 0}


def test_each_format_keeps_the_run_id_and_its_manifest_is_true(generate: Generate, host: WebUI) -> None:
    for extension in ("jpg", "webp"):
        host.set_options(samples_format=extension, jpeg_quality=85)
        made = generate()
        assert made.file(made.of("txt2img")[0]).suffix == f".{extension}"
        assert_all_true(made)


def test_a_file_with_a_number_suffix_is_recorded_under_its_real_name(generate: Generate, host: WebUI) -> None:
    host.set_options(save_images_add_number=False, save_images_replace_action="Add number suffix")
    seed = int(time.time())
    names = [generate(seed=seed, steps=steps).of("txt2img")[0]["path"].rsplit("/", 1)[-1] for steps in (2, 3, 4)]
    assert names == [f"{seed}.png", f"{seed}-1.png", f"{seed}-2.png"]


def _with_text(picture: Image.Image, text: str) -> str:
    import base64
    import io

    from PIL.PngImagePlugin import PngInfo

    info, buffer = PngInfo(), io.BytesIO()
    info.add_itxt("parameters", text)
    picture.save(buffer, "PNG", pnginfo=info)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
