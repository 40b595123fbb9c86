"""Which library is meant when none is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.cli.place import find_runs


@pytest.fixture
def webui(tmp_path: Path) -> Path:
    root = tmp_path / "webui"
    (root / "modules").mkdir(parents=True)
    (root / "modules" / "shared.py").touch()
    (root / "launch.py").touch()
    (root / "extensions" / "sdpipe").mkdir(parents=True)
    return root


def test_it_is_runs_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_runs(None) == tmp_path / "runs"


def test_inside_a_webui_it_is_that_of_the_webui(webui: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(webui / "extensions" / "sdpipe")
    assert find_runs(None) == webui / "runs"


@pytest.mark.parametrize(("config", "expected"), [
    (json.dumps({"sdpipe_runs_folder": "my/runs"}), "my/runs"),
    (json.dumps({"sdpipe_runs_folder": "  "}), "runs"),
    (json.dumps({"sdpipe_runs_folder": 7}), "runs"),
    ("[]", "runs"),
    ("{", "runs"),
])
def test_the_setting_of_the_webui_counts(config: str, expected: str, webui: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (webui / "config.json").write_text(config)
    monkeypatch.chdir(webui)
    assert find_runs(None) == webui / expected


def test_a_name_wins_and_is_relative_to_the_working_folder(webui: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(webui)
    assert find_runs("other") == webui / "other"
