"""Several clients at once, one of whom interrupts; and calls that fail: each call stays a run of its own."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from tests.contract.conftest import Generate, base_request, hires_request
from tests.contract.webui import HttpError, WebUI


def in_background(host: WebUI, **request: Any) -> threading.Thread:
    thread = threading.Thread(target=lambda: host.post("/sdapi/v1/txt2img", {**base_request(), **request}))
    thread.start()
    return thread


def runs_since(host: WebUI, before: set[str]) -> list[dict[str, Any]]:
    return [host.wait_closed(run_id) for run_id in sorted(host.run_ids() - before)]


def test_calls_that_come_at_once_are_runs_of_their_own(host: WebUI) -> None:
    before = host.run_ids()
    clients = [in_background(host, prompt=f"client {number}", n_iter=2, seed=number * 100) for number in range(4)]
    for client in clients:
        client.join()
    runs = runs_since(host, before)
    assert len(runs) == len({run["job_id"] for run in runs}) == 4
    for run in runs:
        images = [m for m in host.manifests(run["run_id"]) if m["stage"] == "txt2img"]
        assert {m["prompt"] for m in images} == {run["config"]["prompt"]}
        assert [m["actual_seed"] for m in images] == [run["config"]["seed"], run["config"]["seed"] + 1]
        assert run["images"] == {"planned": 2, "returned": 2, "saved": 2}


def test_an_interrupt_by_a_third_client_ends_one_run_only(host: WebUI) -> None:
    before = host.run_ids()
    clients = [in_background(host, prompt=f"client {number}", steps=120, n_iter=2) for number in range(2)]
    wait_for_step(host, 3)
    host.post("/sdapi/v1/interrupt")
    for client in clients:
        client.join()
    runs = runs_since(host, before)
    assert sorted(run["status"] for run in runs) == ["completed", "interrupted"]
    whole = next(run for run in runs if run["status"] == "completed")
    assert whole["images"] == {"planned": 2, "returned": 2, "saved": 2}
    for run in runs:
        assert {m["prompt"] for m in host.manifests(run["run_id"])} <= {run["config"]["prompt"]}


def wait_for_step(host: WebUI, step: int) -> None:
    deadline = time.monotonic() + 60
    while host.get("/sdapi/v1/progress?skip_current_image=true")["state"]["sampling_step"] < step:
        assert time.monotonic() < deadline, "the job never began to sample"
        time.sleep(0.02)


def test_a_call_after_one_that_raised_is_whole_and_its_own(generate: Generate, host: WebUI) -> None:
    for _ in range(2):
        with pytest.raises(HttpError):
            host.post("/sdapi/v1/txt2img", {**base_request(), **hires_request(), "hr_upscaler": "no such upscaler"})
    made = generate()
    assert made.run["status"] == "completed" and len(made.of("txt2img")) == 1


def test_a_call_that_the_host_refuses_before_it_begins_makes_no_run(host: WebUI) -> None:
    before = host.run_ids()
    for wrong in ({"script_name": "no such script"}, {"width": "wide"}, {"alwayson_scripts": {"no such script": {"args": []}}}):
        with pytest.raises(HttpError) as fault:
            host.post("/sdapi/v1/txt2img", {**base_request(), **wrong})
        assert fault.value.status < 500
    assert host.run_ids() == before


def test_a_checkpoint_that_the_host_replaces_in_silence_is_a_warning_of_the_run(generate: Generate) -> None:
    try:
        made = generate(override_settings={"sd_model_checkpoint": "no such checkpoint"})
    except HttpError as fault:
        pytest.skip(f"this host refuses it: {fault.status}")
    used = made.of("txt2img")[0]["model"]
    assert used and used != "no such checkpoint"
    assert any("no such checkpoint" in warning and used in warning for warning in made.run["warnings"])


def test_a_name_that_the_file_system_refuses_is_a_failed_run_that_says_so(host: WebUI, options: Any) -> None:
    options(samples_filename_pattern="[prompt][prompt][prompt]", save_images_add_number=False)
    before = host.run_ids()
    # The hosts cut names by characters; file systems count bytes.
    try:
        host.post("/sdapi/v1/txt2img", {**base_request(), "prompt": "灯台" * 60})
    except HttpError as fault:
        assert fault.status == 500
    else:
        pytest.skip("this host can write the name")
    (run,) = runs_since(host, before)
    assert run["status"] == "failed" and "name too long" in run["error"]["message"].lower()
    assert [m["path"] for m in host.manifests(run["run_id"]) if m["path"]] == []
