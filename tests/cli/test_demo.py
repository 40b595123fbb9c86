"""`demo`: the sandbox with the real extension in it, on this machine, without a browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from tests.cli.terminal import call, environment

pytest.importorskip("gradio")


def test_once_adds_runs_of_several_stages_to_the_library_and_says_which(tmp_path: Path) -> None:
    earlier = tmp_path / "runs" / "20251225_143022_earlier"
    earlier.mkdir(parents=True)
    settings = tmp_path / "sdpipe-sandbox" / "config.json"
    settings.parent.mkdir()
    settings.write_text('{"samples_format": "jpg"}')

    answer = call("demo", "--once", "--json", cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    summary = json.loads(answer.stdout)
    assert set(summary) == {"runs", "manifests", "runs_dir"}
    assert Path(summary["runs_dir"]) == tmp_path / "runs"
    assert sorted(os.listdir(tmp_path)) == ["runs", "sdpipe-sandbox"]
    assert json.loads(call("runs", "--json", cwd=tmp_path).stdout)["total"] == 4

    shown = [json.loads(call("show", run_id, "--json", cwd=tmp_path).stdout) for run_id in summary["runs"]]
    shown.sort(key=lambda one: one["run"]["started_at"])  # on a busy machine a run id may end in random digits
    assert [(one["run"]["label"], one["run"]["status"], one["run"]["source"]) for one in shown] == [("demo", "completed", "api")] * 3
    assert sum(len(one["manifests"]) for one in shown) == summary["manifests"]
    stages = [sorted(manifest["stage"] for manifest in one["manifests"]) for one in shown]
    assert stages == [["grid", "txt2img", "txt2img"], ["img2img"], ["adetailer"]]
    assert shown[0]["manifests"][0]["hires"] and shown[0]["manifests"][0]["path"].endswith(".jpg")
    assert shown[1]["manifests"][0]["parent"]["run_id"] == shown[0]["run"]["run_id"]


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_it_serves_the_page_until_it_is_ended(number: int, code: int, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "lib_sdpipe", "demo", "--no-browser", "--port", "0", "--runs", "here/my runs"], cwd=tmp_path,
        env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )
    try:
        assert process.stdout is not None
        said = ""
        while not (found := re.search(r"The page: (http://127\.0\.0\.1:\d+)", said)):
            line = process.stdout.readline()
            assert line, process.communicate()[1]
            said += line
        with urllib.request.urlopen(found.group(1), timeout=30) as answer:
            assert answer.status == 200
        assert "--runs 'here/my runs'" in said
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == code and "Traceback" not in errors
    assert json.loads(call("runs", "--json", "--runs", "here/my runs", cwd=tmp_path).stdout)["total"] == 3


def test_a_taken_port_is_refused_before_anything_starts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["demo", "--port", str(taken.getsockname()[1]), "--runs", str(tmp_path / "runs")]) == 2
    assert "is taken" in capsys.readouterr().err
    assert os.listdir(tmp_path) == []


def test_it_never_chooses_the_library_of_a_real_webui(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "shared.py").touch()
    (tmp_path / "launch.py").touch()
    monkeypatch.chdir(tmp_path)
    assert main(["demo", "--once"]) == 2
    assert "--runs DIR" in capsys.readouterr().err
