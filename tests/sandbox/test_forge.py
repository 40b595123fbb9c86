"""Where Forge differs."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, Starter

SMALL = {"width": 64, "height": 64, "steps": 2}


@pytest.fixture(scope="module")
def sandbox(start: Starter) -> Sandbox:
    return start(flavour="forge")


def test_model_is_loaded_by_the_first_job(sandbox: Sandbox, log: Log) -> None:
    from modules import shared

    assert not hasattr(shared.sd_model, "sd_checkpoint_info")
    sandbox.generate(prompt="x", seed=1, **SMALL)
    assert log.names()[:4] == ["setup", "before_process", "on_model_loaded", "process"]


def test_page_jobs_run_on_the_main_thread(sandbox: Sandbox, log: Log) -> None:
    sandbox.press_generate(prompt="x", seed=1, **SMALL)
    assert log.of("process")[0]["thread"] == "MainThread"
    out = sandbox.press_generate(prompt="x", enable_hr=True, hr_upscaler="No such")
    assert "could not find upscaler" in out[3]


def test_infotext_is_hidden_in_alpha_before_the_callbacks(sandbox: Sandbox, log: Log) -> None:
    from modules import stealth_infotext

    sandbox.generate(prompt="x", seed=1, save_images=True, **SMALL)
    event = log.of("on_before_image_saved")[0]
    assert event["mode"] == "RGBA"
    image = Image.open(log.of("on_image_saved")[0]["filename"])
    assert image.getchannel("A").getextrema() == (254, 255)
    assert stealth_infotext.read_info_from_image_stealth(image) == image.info["parameters"]


def test_hook_of_an_image_knows_its_place_in_the_job(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=1, batch_size=2, n_iter=2, **SMALL)
    assert [x["given"].index for x in log.of("postprocess_image")] == [0, 1, 2, 3]


def test_hires_without_its_modules_fails_as_in_forge(sandbox: Sandbox, log: Log) -> None:
    with pytest.raises(TypeError):
        sandbox.generate(prompt="x", seed=1, enable_hr=True, **SMALL)
    log.clear()
    sandbox.generate(prompt="x", seed=1, enable_hr=True, denoising_strength=0.7,
                     hr_additional_modules=["Use same choices"], **SMALL)
    assert len(log.of("process_before_every_sampling")) == 3


def test_number_suffix_is_told_on_the_picture_but_not_to_the_callback(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_images_add_number = False
    opts.save_images_replace_action = "Add number suffix"
    for _ in range(2):
        sandbox.generate(prompt="x", seed=42, save_images=True, **SMALL)
    last = log.of("on_image_saved")[-1]
    assert last["filename"].endswith("/42.png") and last["already"].endswith("/42-1.png")


def test_extras_write_their_text_once(sandbox: Sandbox, log: Log, picture: str) -> None:
    from modules.api.requests import decode_base64_to_image
    from modules.postprocessing import run_postprocessing_webui

    upscale = [True, 0, 2.0, 0, 512, 512, True, "Lanczos", "None", 0.0]
    run_postprocessing_webui("task(x)", 0, decode_base64_to_image(picture), None, "", "", True, *upscale)
    assert list(log.of("on_image_saved")[0]["pnginfo"]) == ["postprocessing"]


def test_files_beside_an_image_have_its_corrected_name(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_images_add_number, opts.save_images_replace_action = False, "Add number suffix"
    opts.save_txt, opts.target_side_length = True, 32
    for _ in range(2):
        sandbox.generate(prompt="x", seed=43, save_images=True, **SMALL)
    folder = Path(log.of("on_image_saved")[-1]["filename"]).parent
    assert sorted(x.name for x in folder.glob("43*")) == ["43-1.jpg", "43-1.png", "43-1.txt", "43.jpg", "43.png", "43.txt"]


def test_plot_knows_the_distilled_scale(sandbox: Sandbox, log: Log) -> None:
    from modules import scripts

    labels = [x.label for x in scripts.scripts_txt2img.script("X/Y/Z plot").current_axis_options]
    assert labels[6:8] == ["CFG Scale", "Distilled CFG Scale"]


def test_hires_button_takes_the_size_of_the_picture_and_leaves_grids_alone(sandbox: Sandbox, log: Log) -> None:
    form = {"prompt": "x", "seed": 1, "n_iter": 2, "hr_upscaler": "Lanczos", **SMALL}
    gallery, info, *_ = sandbox.press_generate(**form)
    log.clear()
    assert "Unable to upscale" in sandbox.press_generate(**form, upscale=(gallery, 0, info))[2] and log.names() == []
    sandbox.press_generate(**{**form, "width": 128}, upscale=(gallery, 1, info))
    p = log.of("before_process")[0]["p"]
    assert (p.width, p.height) == (64, 64) and p.extra_generation_params["Original Size"] == "128x64"
