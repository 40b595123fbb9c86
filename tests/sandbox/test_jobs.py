"""Interruption, skipping, tasks, ADetailer's extra calls, the refiner, and Reload UI."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from lib_sdpipe.sandbox.launch import Sandbox, start_sandbox
from tests.sandbox.conftest import Log, Starter

SMALL = {"width": 64, "height": 64, "steps": 5}
ALWAYS = {"ADetailer": {"args": [True, False, {"ad_model": "always_yolov8n.pt"}]}}


@pytest.fixture
def slow(sandbox: Sandbox) -> Any:
    from modules.shared import cmd_opts

    cmd_opts.sandbox_step_ms = 20
    yield
    cmd_opts.sandbox_step_ms = 0


def during(job: Callable[[], Any], act: Callable[[], None]) -> Any:
    """Run the job on a thread and act when its second step has come."""
    from modules.shared import state

    result: list[Any] = []
    thread = threading.Thread(target=lambda: result.append(job()))
    thread.start()
    while state.sampling_step < 1:
        time.sleep(0.002)
    act()
    thread.join(10)
    return result[0]


def test_interrupted_job_saves_nothing_and_ends_once(sandbox: Sandbox, log: Log, slow: None) -> None:
    from modules.shared import state

    answer = during(lambda: sandbox.generate(prompt="x", seed=1, n_iter=3, save_images=True, **SMALL), state.interrupt)
    assert "on_image_saved" not in log.names()
    assert len(log.of("postprocess")) == 1 and log.of("postprocess")[0]["images"] == 1
    assert len(answer["images"]) == 1 and len(json.loads(answer["info"])["all_seeds"]) == 3


def test_skipping_loses_one_batch(sandbox: Sandbox, log: Log, slow: None) -> None:
    from modules.shared import state

    during(lambda: sandbox.generate(prompt="x", seed=1, n_iter=2, save_images=True, **SMALL), state.skip)
    assert [x["filename"].rsplit("-", 1)[1] for x in log.of("on_image_saved")][:1] == ["2.png"]
    assert log.of("postprocess")[0]["images"] == 3  # both images and their grid


def test_stopping_lets_the_image_finish(sandbox: Sandbox, log: Log, slow: None) -> None:
    from modules.shared import state

    during(lambda: sandbox.generate(prompt="x", seed=1, n_iter=3, save_images=True, **SMALL), state.stop_generating)
    assert len(log.of("on_image_saved")) == 1


def test_incomplete_images_are_saved_if_the_user_wants_it(sandbox: Sandbox, log: Log, slow: None) -> None:
    from modules.shared import opts, state

    opts.save_incomplete_images = True
    during(lambda: sandbox.generate(prompt="x", seed=1, save_images=True, **SMALL), state.interrupt)
    assert len(log.of("on_image_saved")) == 1


def test_page_job_has_its_task_id_while_it_runs(sandbox: Sandbox, log: Log, slow: None) -> None:
    from modules import progress

    seen: list[str | None] = []
    during(lambda: sandbox.press_generate(prompt="x", seed=1, task_id="task(abc)", user="ann", steps=5, width=64, height=64),
           lambda: seen.append(progress.current_task))
    assert seen == ["task(abc)"] and progress.current_task is None and "task(abc)" in progress.finished_tasks
    event = log.of("before_process")[0]
    assert event["user"] == "ann" and not event["is_api"]


def test_page_job_that_fails_answers_with_the_error(sandbox: Sandbox, log: Log) -> None:
    out = sandbox.press_generate(prompt="x", enable_hr=True, hr_upscaler="No such")
    assert out[0] is None and "could not find upscaler named No such" in out[3]


def test_waiting_jobs_come_in_order(sandbox: Sandbox, log: Log, slow: None) -> None:
    from modules.call_queue import queue_lock

    threads = [threading.Thread(target=sandbox.generate, kwargs={"prompt": "x", "seed": i, **SMALL}) for i in range(3)]
    with queue_lock:
        for thread in threads:
            thread.start()
            time.sleep(0.05)
    for thread in threads:
        thread.join()
    assert [x["seeds"][0] for x in log.of("process")] == [0, 1, 2]


def test_adetailer_calls_hooks_on_copies(sandbox: Sandbox, log: Log) -> None:
    sandbox.generate(prompt="x", seed=1, batch_size=2, n_iter=2, save_images=True, alwayson_scripts=ALWAYS, **SMALL)
    outer = log.of("setup")[0]["p"]
    marks = {"postprocess", "before_process", "process", "postprocess_image", "on_image_saved", "on_image_grid"}
    names = [x["event"] + ("" if x["p"] is outer else "*") for x in log.events if x["event"] in marks - {"on_image_grid"}]
    batch = ["postprocess*", "postprocess_image", "on_image_saved", "before_process*", "process*", "postprocess_image",
             "on_image_saved"]
    assert names == ["before_process", "process", *batch * 2, "on_image_saved", "postprocess"]
    assert [x["images"] for x in log.of("postprocess")] == [0, 0, 5]
    assert not any(x.get("_ad_inner") for x in log.events)


def test_adetailer_changes_the_picture_and_leaves_its_text_in_it(sandbox: Sandbox, log: Log) -> None:
    with_it = sandbox.generate(prompt="x", seed=1, alwayson_scripts=ALWAYS, **SMALL)
    given = log.of("postprocess_image")[0]["given"].image
    log.clear()
    never = {"ADetailer": {"args": [True, False, {"ad_model": "never_yolov8n.pt"}]}}
    without = sandbox.generate(prompt="x", seed=1, alwayson_scripts=never, **SMALL)
    assert with_it["images"] != without["images"]
    assert given.tobytes() != log.of("postprocess_image")[0]["given"].image.tobytes()
    text = json.loads(without["info"])["infotexts"][0]
    assert "ADetailer model: never_yolov8n.pt" in text  # enabled, which is no proof of a find


def test_adetailer_saves_previews_and_the_image_before(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.ad_save_previews = opts.ad_save_images_before = True
    sandbox.generate(prompt="x", seed=1, alwayson_scripts=ALWAYS, **SMALL)
    assert [x["filename"].rsplit("-1-", 1)[1] for x in log.of("on_image_saved")] == ["ad-preview.png", "ad-before.png"]
    assert all(x["p"] is log.of("setup")[0]["p"] for x in log.of("on_image_saved"))


def test_adetailer_may_run_all_scripts_in_its_passes(sandbox: Sandbox, log: Log) -> None:
    from modules.shared import opts

    opts.ad_only_selected_scripts = False
    sandbox.generate(prompt="x", seed=1, alwayson_scripts=ALWAYS, **SMALL)
    inner = [x for x in log.events if x.get("_ad_inner")]
    assert inner[0]["event"] == "before_process" and inner[-1]["event"] == "postprocess"
    assert inner[0]["type"] == "StableDiffusionProcessingImg2Img"
    assert len(log.of("setup")) == 2 and not log.of("on_image_saved")


def test_refiner_and_checkpoint_come_back(sandbox: Sandbox, log: Log) -> None:
    from modules import shared

    answer = sandbox.generate(prompt="x", seed=1, refiner_checkpoint="sandbox-refiner-v1", refiner_switch_at=0.5, **SMALL)
    assert "Refiner: sandbox-refiner-v1 [" in answer["info"] and "Refiner switch at: 0.5" in answer["info"]
    assert len(log.of("on_model_loaded")) == 1
    sandbox.generate(prompt="x", seed=1, **SMALL)
    assert shared.sd_model.sd_checkpoint_info.name_for_extra == "sandbox-hills-v1"


def test_every_pass_goes_through_a_wrapper(sandbox: Sandbox, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import processing

    inner, seen = processing.process_images_inner, []
    monkeypatch.setattr(processing, "process_images_inner", lambda p: (seen.append(type(p).__name__), inner(p))[1])
    sandbox.generate(prompt="x", seed=1, alwayson_scripts=ALWAYS, **SMALL)
    assert seen == ["StableDiffusionProcessingTxt2Img", "StableDiffusionProcessingImg2Img"]


def test_reload_ui(start: Starter) -> None:
    sandbox = start()
    log = Log()
    old = sandbox.app
    log.clear()
    sandbox.reload_ui()
    names = log.names("component")
    assert names == ["on_before_reload", "on_script_unloaded", "import", "on_before_ui", "on_ui_settings", "ui", "ui",
                     "on_ui_tabs", "ui", "ui", "ui", "ui", "on_app_started"]
    assert log.of("on_app_started")[0]["app"] is not old
    log.clear()
    sandbox.generate(prompt="x", seed=1, **SMALL)
    assert len(log.of("before_process")) == 1


def test_one_sandbox_a_process_and_none_inside_a_webui(start: Starter, tmp_path: Any,
                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = start()
    with pytest.raises(RuntimeError, match="already running"):
        start_sandbox(tmp_path, server=False)
    sandbox.stop()
    monkeypatch.setitem(sys.modules, "modules", type(sys)("modules"))
    with pytest.raises(RuntimeError, match="real `modules`"):
        start_sandbox(tmp_path, server=False)
