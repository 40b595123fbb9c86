"""`runs`: the list and its pages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from tests.conftest import RecordRun

Capture = pytest.CaptureFixture[str]


def list_runs(capsys: Capture, runs: Path, *arguments: str) -> dict:
    assert main(["runs", "--runs", str(runs), "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_run_has_exactly_the_promised_keys(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run("20251225_143022_a", [{}, {"name": "grid_001", "stage": "grid"}], images={"planned": 1, "returned": 2, "saved": 3})
    assert list_runs(capsys, runs) == {
        "total": 1,
        "runs": [{
            "run_id": "20251225_143022_a", "label": "a", "status": "completed", "started_at": "2025-12-25T13:30:22.123Z",
            "source": "api", "images": {"planned": 1, "returned": 2, "saved": 3}, "stages": ["txt2img", "grid"],
        }],
        "next": None,
    }


def test_pages_hold_every_run_once_and_newest_first(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    names = [f"20251225_14302{n}_a" for n in range(5)]
    for name in names:
        record_run(name)
    seen: list[str] = []
    after: list[str] = []
    while True:
        page = list_runs(capsys, runs, "--limit", "2", *after)
        assert page["total"] == 5
        seen += [run["run_id"] for run in page["runs"]]
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert seen == names[::-1]


def test_an_empty_library_is_an_empty_list_and_clean(runs: Path, capsys: Capture) -> None:
    assert list_runs(capsys, runs) == {"total": 0, "runs": [], "next": None}
    assert main(["runs", "--runs", str(runs)]) == 0
    assert "No runs" in capsys.readouterr().out


def test_a_damaged_run_file_is_a_line_of_the_list(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run("20251225_143022_a", [{}])
    (runs / "20251225_143022_a" / "run_metadata.json").write_text("{")
    (run,) = list_runs(capsys, runs)["runs"]
    assert run["status"] is None and run["stages"] == ["txt2img"] and "run_metadata.json" in run["error"]
    assert main(["runs", "--runs", str(runs)]) == 0
    assert "unreadable" in capsys.readouterr().out


def test_the_table_shows_local_time_status_and_the_whole_run_id(
    runs: Path, record_run: RecordRun, capsys: Capture, monkeypatch: pytest.MonkeyPatch,
) -> None:
    import time

    monkeypatch.setenv("TZ", "UTC-5")  # POSIX: five hours east
    if hasattr(time, "tzset"):
        time.tzset()
    record_run("20251225_143022_a", images={"planned": 4, "returned": 4, "saved": 3}, status="interrupted")
    assert main(["runs", "--runs", str(runs)]) == 0
    heading, line = capsys.readouterr().out.splitlines()
    monkeypatch.undo()
    assert heading.split() == ["STARTED", "STATUS", "IMAGES", "SOURCE", "RUN"]
    if hasattr(time, "tzset"):
        time.tzset()
        assert line.startswith("2025-12-25 18:30:22  interrupted     3/4")
    assert line.endswith("20251225_143022_a")


def test_reading_writes_nothing(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run("20251225_143022_a", [{}])
    before = sorted(runs.parent.rglob("*"))
    main(["runs", "--runs", str(runs)])
    main(["show", "20251225_143022_a", "--runs", str(runs)])
    assert sorted(runs.parent.rglob("*")) == before
