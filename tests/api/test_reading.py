"""What the API tells: the same documents as the command line, of this library and of nothing else."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lib_sdpipe.cli.main import main
from tests.ui.sample_library import SampleLibrary

Capture = pytest.CaptureFixture[str]


def told(capsys: Capture, library: SampleLibrary, *arguments: str) -> Any:
    main([*arguments, "--runs", str(library.layout.runs), "--json"])
    return json.loads(capsys.readouterr().out)


def test_runs_one_run_search_and_one_image_are_the_command_lines_documents(
    client: TestClient, library: SampleLibrary, capsys: Capture,
) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    assert client.get("runs").json() == told(capsys, library, "runs")
    assert client.get(f"runs/{run_id}").json() == told(capsys, library, "show", run_id)
    assert client.get("images", params={"q": "lighthouse"}).json() == told(capsys, library, "find", "lighthouse")
    shown = client.get("image", params={"root": "outputs", "path": manifest.path})
    assert shown.json() == told(capsys, library, "show", str(library.outputs / manifest.path))
    assert shown.json()["status"] == "ok"
    assert client.get(f"runs/{run_id}/images/txt2img_001").json() == manifest.to_json()


def test_pages_follow_each_other_and_reach_everything(client: TestClient, library: SampleLibrary) -> None:
    run_ids = sorted((library.add_run(f"study {number}", ago=number * 90) for number in range(5)), reverse=True)
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = client.get("runs", params={"limit": 2, **after}).json()
        seen += [run["run_id"] for run in page["runs"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert seen == run_ids


def test_a_posted_copy_and_a_file_in_a_root_are_traced(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    manifest = library.add_image(run_id, "txt2img_001", 7)
    data = (library.outputs / manifest.path).read_bytes()
    for request in (
        {"image": base64.b64encode(data).decode()}, {"image": "data:image/png;base64," + base64.b64encode(data).decode()},
        {"root": "outputs", "path": manifest.path},
    ):
        if "image" in request:
            client.get("images")  # a look at the disk
        traced = client.post("trace", json=request).json()
        assert [(match["by"], match["name"]) for match in traced["matches"]] == [("file", "txt2img_001")], request


@pytest.mark.parametrize(("request_", "status"), [
    ({"image": "not base64 !"}, 400), ({"image": base64.b64encode(b"no picture").decode()}, 400), ({}, 400), ({"image": 3}, 400),
    ({"root": "outputs"}, 400), ({"image": "", "path": "x"}, 400), ({"picture": ""}, 400),
    ({"root": "outputs", "path": "gone.png"}, 404),
])
def test_what_cannot_be_traced_is_said(client: TestClient, request_: Any, status: int) -> None:
    answer = client.post("trace", json=request_)
    assert answer.status_code == status and "sdpipe-trace" not in answer.json()["detail"]


@pytest.mark.parametrize(("path", "status", "word"), [
    ("runs/20250101_000000_none", 404, "no run"), ("runs/nonsense", 404, "not a run id"), ("runs/..%2f..%2fetc", 404, ""),
    ("runs?limit=0", 400, "limit"), ("runs?limit=many", 400, "limit"), ("runs?after=nonsense", 400, "after"),
    ("images?q=nosuchfield:1", 400, "field"), ("images?after=nonsense", 400, ""),
])
def test_a_wrong_call_gets_a_sentence_and_its_status(client: TestClient, path: str, status: int, word: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status and isinstance(answer.json()["detail"], str) and word in answer.json()["detail"]


def test_a_damaged_manifest_says_which(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 7)
    library.layout.manifest_file(run_id, "txt2img_001").write_text("{")
    answer = client.get(f"runs/{run_id}/images/txt2img_001")
    assert answer.status_code == 400 and "txt2img_001.json" in answer.json()["detail"]


def test_a_library_that_is_away_is_unavailable(client: TestClient, library: SampleLibrary) -> None:
    library.layout.runs.rename(library.layout.runs.with_name("elsewhere"))
    assert client.get("runs").status_code == 503


def test_folders_are_not_named_where_the_host_hides_them(serve: Any, library: SampleLibrary) -> None:
    path = "runs/20250101_000000_none"
    assert str(library.layout.runs) in serve().get(path).json()["detail"]
    assert str(library.layout.runs) not in serve(hides=True).get(path).json()["detail"]


@pytest.fixture
def secret(library: SampleLibrary, tmp_path: Path) -> str:
    """A picture outside the roots, and links to it inside."""
    outside = tmp_path / "private"
    outside.mkdir()
    picture = outside / "secret.png"
    library.add_image(library.add_run("x", ago=9), "txt2img_001", 3)
    picture.write_bytes(next(library.outputs.glob("*.png")).read_bytes())
    os.symlink(picture, library.outputs / "link.png")
    os.symlink(outside, library.outputs / "folder")
    (library.layout.private).mkdir(exist_ok=True)
    (library.layout.private / "own.png").write_bytes(picture.read_bytes())
    return str(picture)


@pytest.mark.skipif(os.name == "nt", reason="links need a right there")
@pytest.mark.parametrize(("root", "path"), [
    ("outputs", "../../private/secret.png"), ("outputs", "link.png"), ("outputs", "folder/secret.png"), ("outputs", "SECRET"),
    ("outputs", "./../../private/secret.png"), ("outputs", "..\\..\\private\\secret.png"), ("outputs", "a\0.png"), ("nowhere", "link.png"),
    ("outputs", "x/../../../private/secret.png"), ("runs", ".sdpipe/own.png"), ("runs", "library.json"), ("", "SECRET"),
    ("outputs", "%2e%2e/%2e%2e/private/secret.png"), ("outputs", "a" * 5000 + ".png"),
])
def test_nothing_outside_the_roots_is_read(client: TestClient, secret: str, root: str, path: str) -> None:
    path = path.replace("SECRET", secret)
    for answer in (client.get("image", params={"root": root, "path": path}), client.post("trace", json={"root": root, "path": path})):
        assert answer.status_code == 404, answer.text
        assert "private" not in answer.json()["detail"].replace(path, "")
