"""The order of hooks and callbacks, held against what was seen in running hosts."""

from __future__ import annotations

from lib_sdpipe.sandbox.launch import Sandbox
from tests.sandbox.conftest import Log, Starter

SMALL = {"width": 64, "height": 64, "steps": 2}
SAMPLED = ["post_sample", "postprocess_batch", "postprocess_batch_list"]
BATCH = ["before_process_batch", "after_extra_networks_activate", "process_batch", "process_before_every_sampling"]
IMAGE = ["postprocess_image", "postprocess_maskoverlay", "postprocess_image_after_composite"]
SAVE = ["on_before_image_saved", "on_image_saved"]
BEGIN = ["setup", "before_process", "process"]
EARLY = "early_postprocess_image"


def test_start_with_a_page(sandbox: Sandbox) -> None:
    log = Log()
    assert log.names("component") == ["import", "on_before_ui", "on_ui_settings", "ui", "ui", "on_ui_tabs", "ui", "ui",
                                      "ui", "ui", "on_app_started", "on_model_loaded"]
    assert [x["is_img2img"] for x in log.of("ui")] == [False, True, False, False, True, True]
    assert log.of("component")[0]["elem_id"] == "txt2img_generate"


def test_script_is_loaded_as_the_host_loads_it(sandbox: Sandbox) -> None:
    import sys

    loaded = Log().of("import")[0]
    assert loaded["on_path"] and not loaded["own_module"]
    assert loaded["basedir"] not in sys.path


def test_two_by_two(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=1, batch_size=2, n_iter=2, save_images=True, **SMALL)
    once = [*BATCH, *SAMPLED, *(IMAGE + SAVE) * 2]
    assert log.names(EARLY) == [*BEGIN, *once * 2, "on_image_grid", *SAVE, "postprocess"]
    assert log.of("process")[0]["seeds"] == [1, 2, 3, 4]
    assert log.of("before_process")[0]["model"] is None
    assert log.of("process")[0]["model"] == "sandbox-hills-v1"


def test_hires_saves_the_copies_of_the_whole_batch_first(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.save_images_before_highres_fix = True
    sandbox.generate(prompt="x", seed=1, batch_size=2, enable_hr=True, denoising_strength=0.7, save_images=True, **SMALL)
    second = ["after_extra_networks_activate", "before_hr", "process_before_every_sampling"]
    assert log.names(EARLY) == [*BEGIN, *BATCH, *SAVE * 2, *second, *SAMPLED, *(IMAGE + SAVE) * 2, "on_image_grid",
                                *SAVE, "postprocess"]
    copies, finals = log.of("on_image_saved")[:2], log.of("on_image_saved")[2:4]
    assert all(x["is_hr_pass"] and "batch_index" not in x for x in copies)
    assert all(x["filename"].endswith("-before-highres-fix.png") for x in copies)
    assert not any(x["is_hr_pass"] for x in finals)
    assert getattr(log.of("post_sample")[0]["given"].samples, "already_decoded", False)


def test_img2img_with_a_mask(sandbox: Sandbox, log: Log, picture: str, mask: str) -> None:
    from modules.shared import opts

    opts.save_mask = opts.save_mask_composite = True
    sandbox.generate("img2img", prompt="x", seed=1, init_images=[picture], mask=mask, save_images=True, **SMALL)
    assert log.names(EARLY) == [*BEGIN, *BATCH, "on_mask_blend", *SAMPLED, *IMAGE, *SAVE * 3, "postprocess"]
    assert [x["filename"].rsplit("-1", 1)[1] for x in log.of("on_image_saved")] == [
        ".png", "-mask.png", "-mask-composite.png"]


def test_nothing_saved_still_calls_every_hook(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=1, **SMALL)
    assert log.names(EARLY) == [*BEGIN, *BATCH, *SAMPLED, *IMAGE, "postprocess"]


def test_selected_script_runs_two_jobs_and_saves_its_grid_with_a_processed(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=1, script_name="two passes", script_args=[9], save_images=True, **SMALL)
    job = ["before_process", "process", *BATCH, *SAMPLED, *IMAGE, *SAVE, "postprocess"]
    assert log.names(EARLY) == ["setup", *job, *job, "on_image_grid", *SAVE]
    grid = log.of("on_image_saved")[-1]
    assert grid["type"] == "Processed" and "outpath_samples" not in grid
    assert "xyz_grid-" in grid["filename"]


def test_a_hook_that_raises_is_reported_and_the_job_goes_on(sandbox: Sandbox, log: Log) -> None:
    from modules import errors

    before = len(errors.exception_records)
    sandbox.generate(prompt="raise", seed=1, **SMALL)
    assert "the probe was told to raise" in errors.exception_records[before]["exception"]
    assert log.names()[-1] == "postprocess"


def test_metadata_puts_a_hook_before_adetailer(sandbox: Sandbox, log: Log) -> None:
    args = {"ADetailer": {"args": [True, False, {"ad_model": "always_yolov8n.pt"}]}}
    sandbox.generate(prompt="x", seed=1, alwayson_scripts=args, **SMALL)
    assert "parameters" not in log.of(EARLY)[0]["info"]
    assert "parameters" in log.of("postprocess_image")[0]["given"].image.info


def test_mask_overlay_and_composite_see_the_whole_picture(sandbox: Sandbox, log: Log, picture: str, mask: str) -> None:
    sandbox.generate("img2img", prompt="x", seed=1, init_images=[picture], mask=mask, inpaint_full_res=True,
                     width=32, height=32, steps=2)
    assert log.of("postprocess_image")[0]["given"].image.size == (32, 32)
    assert log.of("postprocess_image_after_composite")[0]["given"].image.size == (64, 64)


def test_start_without_a_page(start: Starter) -> None:
    start(page=False)
    assert Log().names("component") == ["import", "on_ui_settings", "ui", "ui", "on_ui_tabs", "ui", "ui", "ui", "ui",
                                        "on_before_ui", "on_app_started", "on_model_loaded"]
    assert Log().of("on_app_started")[0]["demo"] is None
