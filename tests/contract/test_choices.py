"""What an API caller can choose for one run, and what the settings choose for all."""

from __future__ import annotations

import json
import os
import threading
import time
from typing import Any

from PIL import Image

from lib_sdpipe.manifest.infotext import parse_infotext
from tests.contract.conftest import Generate, detailer, hires_request
from tests.contract.test_recording import ALWAYS
from tests.contract.webui import WebUI, encode_picture


def choose(**choices: Any) -> dict[str, Any]:
    return {"SDPipe": {"args": [choices]}}


def test_a_run_that_is_not_to_be_recorded_leaves_nothing(generate: Generate) -> None:
    answer = generate(runs=0, alwayson_scripts=choose(record=False))
    assert "Run ID" not in answer["info"]


def test_while_recording_is_paused_nothing_is_recorded(generate: Generate, host: WebUI) -> None:
    host.set_options(sdpipe_paused=True)
    generate(runs=0)
    generate(runs=0, alwayson_scripts=choose(record=True))


def test_without_the_run_id_the_infotext_is_as_the_host_would_write_it(generate: Generate) -> None:
    plain = generate(seed=3, alwayson_scripts=choose(write_run_id=False)).of("txt2img")[0]["infotext"]
    marked_run = generate(seed=3)
    marked = marked_run.of("txt2img")[0]["infotext"]
    assert parse_infotext(plain).run_id is None
    assert marked.replace(f"Run ID: {marked_run.run_id}, ", "") == plain


def test_the_label_names_the_run(generate: Generate) -> None:
    made = generate(alwayson_scripts=choose(label="  my/pack: キャット*2 "))
    assert made.run_id.split("_", 2)[2] == "my_pack_キャット_2"
    assert made.run["label"] == "my_pack_キャット_2"


def test_unknown_keys_and_wrong_kinds_change_nothing(generate: Generate) -> None:
    made = generate(alwayson_scripts=choose(colour="red", record="no", label=7))
    assert made.run["status"] == "completed"


def test_extra_arguments_after_the_first_do_not_matter_to_an_api_call(generate: Generate) -> None:
    made = generate(alwayson_scripts={"SDPipe": {"args": [{"label": "first"}, False, False]}})
    assert made.run["label"] == "first"


def test_kept_images_are_in_the_run_folder_as_the_same_file(generate: Generate, host: WebUI) -> None:
    made = generate(alwayson_scripts=choose(keep_images=True))
    (image,) = made.of("txt2img")
    kept = host.layout.runs / image["kept"]
    assert kept.parent == host.layout.run_folder(made.run_id) / "txt2img"
    assert os.path.samefile(kept, made.file(image)) or kept.read_bytes() == made.file(image).read_bytes()


def test_kept_stages_are_the_pictures_before_hires_and_before_adetailer(generate: Generate, host: WebUI) -> None:
    request = {**hires_request(), "alwayson_scripts": {**detailer(ALWAYS), **choose(keep_stages=True)}}
    made = generate(**request)
    assert [m["role"] for m in made.manifests] == ["before-highres-fix", "before-adetailer", "final"]
    for manifest in made.manifests[:2]:
        assert manifest["root"] == "runs" and made.file(manifest).parent.parent.name == made.run_id
    final = made.manifests[-1]
    assert [h["name"] for h in final["stage_history"]] == [m["name"] for m in made.manifests[:2]]
    assert final["stage_history"][1]["pixel_sha256"] == made.manifests[1]["image"]["pixel_sha256"]
    assert host.get("/sdapi/v1/options")["save_images_before_highres_fix"] is False


def test_inputs_that_are_not_kept_make_a_run_that_cannot_be_made_again(generate: Generate) -> None:
    picture = encode_picture(Image.effect_noise((64, 64), 60).convert("RGB"))
    made = generate("img2img", init_images=[picture], alwayson_scripts=choose(keep_inputs=False))
    assert made.run["config"]["init_images"] == [None]
    assert made.run["replayable"] is False and "not kept" in made.run["not_replayable_because"]


def test_settings_are_what_an_api_call_does_not_say(generate: Generate, host: WebUI) -> None:
    host.set_options(sdpipe_label="from the settings", sdpipe_write_run_id=False)
    try:
        made = generate()
    finally:
        host.set_options(sdpipe_label="", sdpipe_write_run_id=True)
    assert made.run["label"] == "from_the_settings"
    assert "Run ID" not in made.of("txt2img")[0]["infotext"]


def test_runs_of_the_api_can_be_left_out(generate: Generate, host: WebUI) -> None:
    host.set_options(sdpipe_record_sources=["Browser"])
    generate(runs=0)


def test_settings_that_are_saved_while_stages_are_kept_stay_as_they_were(generate: Generate, host: WebUI) -> None:
    host.set_options(save_images_before_highres_fix=False)
    stop = threading.Event()

    def keep_saving() -> None:
        while not stop.wait(0.02):
            host.set_options(jpeg_quality=80 + int(time.time() * 50) % 10)

    saver = threading.Thread(target=keep_saving)
    saver.start()
    try:
        made = generate(**hires_request(), n_iter=3, alwayson_scripts=choose(keep_stages=True))
    finally:
        stop.set()
        saver.join()
    host.set_options(jpeg_quality=85)
    assert len(made.of("txt2img", "before-highres-fix")) == 3
    assert json.loads((host.data_dir / "config.json").read_text("utf-8"))["save_images_before_highres_fix"] is False
