"""Beside agent-scheduler: every queued task is a run of its own, as if it had been pressed. Skipped where it is not installed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.contract.conftest import Made, base_request, hires_request, noise, require_script
from tests.contract.webui import HttpError, WebUI, encode_picture

ROOT = "/agent-scheduler/v1"
ENDED = ("done", "failed", "interrupted")


@pytest.fixture
def queue(host: WebUI) -> WebUI:
    try:
        host.get(f"{ROOT}/queue")
    except HttpError:
        pytest.skip("agent-scheduler is not installed in this host")
    free(host)
    return host


def free(host: WebUI) -> None:
    """Make the queue run what is put into it next.

    After a call that failed the host goes on naming its task, and the queue waits for ever; a plain call ends that. And what is put
    in less than a second after the queue became empty stays there until something else is.
    """
    host.post("/sdapi/v1/txt2img", base_request())
    host.post(f"{ROOT}/queue/clear")
    time.sleep(2.5)


def enqueue(host: WebUI, tab: str = "txt2img", **request: Any) -> str:
    return host.post(f"{ROOT}/queue/{tab}", {**base_request(), **request})["task_id"]


def ended(host: WebUI, task: str) -> dict[str, Any]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = host.get(f"{ROOT}/task/{task}")["data"]
        if found["status"] in ENDED:
            return found
        time.sleep(0.1)
    raise AssertionError(f"task {task} is still {found['status']}")


def runs_of(host: WebUI, before: set[str], tasks: list[str]) -> list[Made]:
    for task in tasks:
        ended(host, task)
    return sorted((Made(host, None, run_id) for run_id in host.run_ids() - before), key=lambda made: made.run["started_at"])


def test_each_queued_task_is_a_run_with_its_own_images(queue: WebUI) -> None:
    before = queue.run_ids()
    tasks = [enqueue(queue, prompt=f"queued {number}", seed=number * 10, batch_size=2) for number in (1, 2, 3)]
    made = runs_of(queue, before, tasks)
    assert [m.run["config"]["prompt"] for m in made] == ["queued 1", "queued 2", "queued 3"]
    assert len({m.run["job_id"] for m in made}) == 3
    for run, seed in zip(made, (10, 20, 30)):
        assert [m["actual_seed"] for m in run.of("txt2img")] == [seed, seed + 1]
        assert run.run["images"] == {"planned": 2, "returned": 2, "saved": 2}
        assert run.run["status"] == "completed" and run.run["source"] == "api"


def test_what_the_queue_says_it_saved_is_what_was_recorded(queue: WebUI) -> None:
    before = queue.run_ids()
    task = enqueue(queue, batch_size=2)
    (made,) = runs_of(queue, before, [task])
    said = json.loads(ended(queue, task)["result"])["images"]
    assert sorted(said) == sorted(str(made.file(m)) for m in made.manifests)


def test_a_queued_img2img_task_knows_its_picture(queue: WebUI) -> None:
    before = queue.run_ids()
    task = enqueue(queue, "img2img", init_images=[encode_picture(noise())], denoising_strength=0.5)
    (made,) = runs_of(queue, before, [task])
    assert "$input" in made.run["config"]["init_images"][0]
    assert len(made.of("img2img")) == 1


def test_choices_for_one_run_reach_a_queued_task(queue: WebUI) -> None:
    require_script(queue, "txt2img", "SDPipe")
    before = queue.run_ids()
    task = enqueue(queue, alwayson_scripts={"SDPipe": {"args": [{"label": "from the queue"}]}})
    (made,) = runs_of(queue, before, [task])
    assert made.run["label"] == "from_the_queue"


def test_a_task_between_two_calls_is_not_mixed_up_with_them(queue: WebUI) -> None:
    before = queue.run_ids()
    first = enqueue(queue, prompt="queued", n_iter=3)
    queue.post("/sdapi/v1/txt2img", {**base_request(), "prompt": "called", "n_iter": 3})
    made = runs_of(queue, before, [first])
    assert sorted(m.run["config"]["prompt"] for m in made) == ["called", "queued"]
    for run in made:
        assert {m["prompt"] for m in run.of("txt2img")} == {run.run["config"]["prompt"]}
        assert len(run.of("txt2img")) == 3


def test_a_task_that_fails_is_a_failed_run(queue: WebUI) -> None:
    before = queue.run_ids()
    task = enqueue(queue, **{**hires_request(), "hr_upscaler": "no such upscaler"})
    (made,) = runs_of(queue, before, [task])
    assert ended(queue, task)["status"] == "failed"
    assert made.run["status"] == "failed" and "no such upscaler" in made.run["error"]["message"]
    free(queue)
    before = queue.run_ids()
    (made,) = runs_of(queue, before, [enqueue(queue)])
    assert made.run["status"] == "completed"
