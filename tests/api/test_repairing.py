"""Check, plan, apply and undo over HTTP: the same as on the command line, one at a time, beside the server's loop."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_sdpipe.api.mount import mount_api
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.workspace import repairs
from tests.api.conftest import Host
from tests.ui.sample_library import SampleLibrary


def moved(library: SampleLibrary) -> tuple[str, Path]:
    """A run whose image was moved and renamed; where it is recorded."""
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    recorded = library.outputs / manifest.path
    (library.outputs / "best").mkdir()
    recorded.rename(library.outputs / "best" / "of all.png")
    return run_id, recorded


def test_a_moved_image_is_found_planned_relinked_and_undone(client: TestClient, library: SampleLibrary) -> None:
    run_id, _ = moved(library)
    before = library.layout.manifest_file(run_id, "txt2img_001").read_bytes()
    assert client.post("check", json={"only": ["moved-image"]}).json()["counts"] == {"moved-image": 1}
    plan = client.post("plan", json={"only": ["moved-image"]}).json()
    assert [operation["op"] for operation in plan["operations"]] == ["relink"]
    assert library.layout.manifest_file(run_id, "txt2img_001").read_bytes() == before
    done = client.post("apply", json={"plan": plan}).json()
    assert (done["plan_id"], done["done"], done["failed"]) == (plan["plan_id"], 1, [])
    assert client.get(f"runs/{run_id}/images/txt2img_001").json()["path"] == "best/of all.png"
    assert client.post("check", json={"only": ["moved-image"]}).json()["findings"] == []
    assert client.post("undo", json={"which": plan["plan_id"]}).json()["done"] == 1
    assert library.layout.manifest_file(run_id, "txt2img_001").read_bytes() == before


@pytest.mark.parametrize("choose", [{"missing-image": "mark-lost"}, ["missing-image=mark-lost"]])
def test_an_operation_is_chosen(client: TestClient, library: SampleLibrary, choose: Any) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 7, file=False)
    library.add_image(run_id, "txt2img_002", 8)  # a root that is empty counts as offline
    only = {"only": ["missing-image"]}
    assert client.post("plan", json=only).json()["operations"] == []
    assert [one["op"] for one in client.post("plan", json={**only, "choose": choose}).json()["operations"]] == ["mark-lost"]


@pytest.mark.parametrize(("path", "body", "status"), [
    ("check", {"only": ["no-such-code"]}, 400), ("check", {"only": "moved-image"}, 400), ("check", {"deep": True}, 400),
    ("plan", {"choose": {"missing-image": "burn"}}, 400), ("plan", {"choose": {"missing-image": 1}}, 400),
    ("apply", {}, 400), ("apply", {"plan": {"schema": "sdpipe.plan/1"}}, 400), ("apply", {"plan": []}, 400),
    ("undo", {"which": "never"}, 404), ("undo", {"which": 3}, 400), ("check", [], 400),
])
def test_a_wrong_request_changes_nothing_and_says_what_it_lacks(client: TestClient, path: str, body: Any, status: int) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == status and isinstance(answer.json()["detail"], str), answer.text


def test_a_plan_cannot_reach_out_of_the_roots(client: TestClient, library: SampleLibrary, tmp_path: Path) -> None:
    library.add_run("harbour", ago=60)
    (tmp_path / "victim.png").write_bytes(b"mine")
    plan = client.post("plan", json={}).json()
    for root, path in (("outputs", "../../victim.png"), (None, (tmp_path / "victim.png").as_posix())):
        operation = {"id": "1", "op": "quarantine", "code": "duplicated-image", "root": root, "path": path, "run_id": None, "name": None,
                     "expects": None, "writes": {"quarantine": True}}
        answer = client.post("apply", json={"plan": {**plan, "operations": [operation]}})
        assert answer.status_code == 400 or answer.json()["failed"], answer.text
    assert (tmp_path / "victim.png").read_bytes() == b"mine"


def test_while_another_process_repairs_the_answer_is_locked(client: TestClient, library: SampleLibrary) -> None:
    plan = client.post("plan", json={}).json()
    with hold_lock(library.layout.locks / "repair", holder="`apply`, process 1"):
        answers = [client.post("apply", json={"plan": plan}), client.post("undo", json={})]
    assert [answer.status_code for answer in answers] == [423, 423] and "process 1" in answers[0].json()["detail"]


def test_a_long_check_blocks_neither_the_server_nor_a_second_call(library: SampleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    began, end = threading.Event(), threading.Event()

    def long_check(*arguments: Any) -> dict[str, Any]:
        began.set()
        assert end.wait(20)
        return {}

    monkeypatch.setattr(repairs, "check_library", long_check)
    app, answers = FastAPI(), []
    mount_api(app, Host(library.layout))
    with TestClient(app, base_url="http://host/sdpipe/v1/") as client:  # entered: all calls on one loop, as in a server
        caller = threading.Thread(target=lambda: answers.append(client.post("check", json={}).status_code))
        caller.start()
        assert began.wait(20)
        started = time.monotonic()
        assert client.get("runs").status_code == 200
        assert client.post("plan", json={}).status_code == 423
        assert time.monotonic() - started < 5 and answers == []
        end.set()
        caller.join(20)
        assert answers == [200]
