"""A WebUI that is killed in mid-run: its next start completes the records."""

from __future__ import annotations

import threading
import time
from pathlib import Path


from tests.contract.conftest import base_request
from tests.contract.webui import WebUI, start_sandbox


def test_the_next_start_finds_every_image_of_a_killed_run(tmp_path: Path) -> None:
    host = start_sandbox(tmp_path, "--step-ms", "20")
    thread = threading.Thread(target=_generate_until_killed, args=(host,))
    thread.start()
    saved = tmp_path / "outputs" / "txt2img-images"
    deadline = time.monotonic() + 60
    while len(list(saved.rglob("*.png"))) < 3:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    host.kill()
    thread.join()
    (run_id,) = host.run_ids()
    host = start_sandbox(tmp_path)
    try:
        run = host.wait_closed(run_id)
        assert run["status"] == "abandoned"
        recorded = {host.file_of(manifest) for manifest in host.manifests(run_id)}
        assert recorded == set(saved.rglob("*.png"))
        assert run["images"]["saved"] == len(recorded) == len(run["stage_outputs"])
        assert all(m["image"]["sha256"] and m["actual_seed"] is not None for m in host.manifests(run_id))
    finally:
        host.stop()


def test_three_queued_jobs_are_finished_after_the_host_was_killed_in_the_first(tmp_path: Path) -> None:
    """Nothing that was made is made again, and the first job's run is one run."""
    host = start_sandbox(tmp_path, "--step-ms", "40")
    asked = {key: value for key, value in base_request().items() if key != "save_images"}
    stages = [{"stage": "txt2img", "settings": {**asked, "seed": 3, "batch_size": 2}}, {"stage": "img2img", "settings": {"steps": 10}}]
    jobs = [host.post("/sdpipe/v1/jobs", {"stages": stages, "label": f"job {number}"})["id"] for number in range(3)]
    saved = tmp_path / "outputs" / "img2img-images"
    deadline = time.monotonic() + 60
    while not list(saved.rglob("*.png")):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    host.kill()
    (run_id,) = host.run_ids()
    host = start_sandbox(tmp_path)
    try:
        while (queue := host.get("/sdpipe/v1/queue")["jobs"]) and {job["status"] for job in queue} != {"done"}:
            assert time.monotonic() < deadline + 60, queue
            time.sleep(0.1)
        assert [job["id"] for job in queue] == jobs and queue[0]["run_id"] == run_id and len(host.run_ids()) == 3
        for job in queue:
            run = host.wait_closed(job["run_id"])
            made = [manifest["stage"] for manifest in host.manifests(job["run_id"]) if manifest["stage"] != "grid"]
            assert run["status"] == "completed" and run["images"]["planned"] == 4 and made.count("txt2img") == 2, run
            assert made.count("img2img") in ((2, 3) if job["run_id"] == run_id else (2,)), made
    finally:
        host.stop()


def _generate_until_killed(host: WebUI) -> None:
    try:
        host.post("/sdapi/v1/txt2img", {**base_request(), "steps": 10, "n_iter": 50})
    except OSError:
        pass  # the connection ends with the process
