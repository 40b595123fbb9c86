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


def _generate_until_killed(host: WebUI) -> None:
    try:
        host.post("/sdapi/v1/txt2img", {**base_request(), "steps": 10, "n_iter": 50})
    except OSError:
        pass  # the connection ends with the process
