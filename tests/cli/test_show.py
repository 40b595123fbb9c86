"""`show RUN`: everything recorded, and nothing a terminal would obey."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from tests.conftest import RecordRun
from tests.reconcile.pictures import INFOTEXT, record_of, write_png

Capture = pytest.CaptureFixture[str]
RUN = "20251225_143022_a"
HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\x08\x9b31m\u202etxet\u2028 \ud83d lone"


def show_json(capsys: Capture, runs: Path) -> dict:
    assert main(["show", RUN, "--runs", str(runs), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def show_text(capsys: Capture, runs: Path) -> str:
    assert main(["show", RUN, "--runs", str(runs)]) == 0
    return capsys.readouterr().out


def test_json_is_the_records_as_they_are_written(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run(RUN, [{}, {}], label="x", future_field=[1])
    shown = show_json(capsys, runs)
    assert set(shown) == {"run", "manifests"}
    assert shown["run"] == json.loads((runs / RUN / "run_metadata.json").read_bytes())
    assert shown["manifests"] == [json.loads((runs / RUN / "manifests" / f"txt2img_00{n}.json").read_bytes()) for n in (1, 2)]


def test_damaged_files_are_named_and_the_rest_is_shown(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run(RUN, [{}, {}])
    (runs / RUN / "run_metadata.json").write_bytes(b"\xff\xfe")
    (runs / RUN / "manifests" / "txt2img_001.json").write_text("[]")
    shown = show_json(capsys, runs)
    assert shown["run"] is None
    assert [manifest["name"] for manifest in shown["manifests"]] == ["txt2img_002"]
    assert len(shown["problems"]) == 2
    text = show_text(capsys, runs)
    assert "2 damaged files" in text and "txt2img_001.json" in text and "txt2img_002" in text


def test_hostile_text_reaches_a_program_unchanged_and_a_terminal_escaped(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    hostile = dict.fromkeys(("prompt", "negative_prompt", "model", "path", "root", "role"), HOSTILE)
    record_run(RUN, [{**hostile, "config": {"sampler_name": HOSTILE}, "parent": {"run_id": HOSTILE, "name": HOSTILE}}],
               label=HOSTILE, status=HOSTILE, source=HOSTILE, user=HOSTILE, started_at=HOSTILE, replayable=False,
               not_replayable_because=HOSTILE, error={"stage": HOSTILE, "type": HOSTILE, "message": HOSTILE})
    assert show_json(capsys, runs)["manifests"][0]["prompt"] == HOSTILE
    for text in (show_text(capsys, runs), (main(["runs", "--runs", str(runs)]), capsys.readouterr().out)[1]):
        assert [c for c in text if not c.isprintable() and c != "\n"] == []
        assert "\\x1b[2J" in text


def test_hostile_names_on_disk_and_in_errors_are_escaped(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run(RUN, [{}])
    (runs / RUN / "manifests" / "txt2img_001.json").write_text('{"schema": "\\u001b[2J"}')
    (runs / "20251225_143023_\x1b[2J").mkdir()
    main(["runs", "--runs", str(runs)])
    main(["show", RUN, "--runs", str(runs)])
    main(["show", "\x1b[2J", "--runs", str(runs)])
    main(["show", RUN, "--runs", "\x1b[2J"])
    said = capsys.readouterr()
    assert "\x1b" not in said.out + said.err


def test_numbers_json_has_no_word_for_are_null(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run(RUN, [{}])
    path = runs / RUN / "manifests" / "txt2img_001.json"
    path.write_text('{"name": "txt2img_001", "config": {"a": NaN, "b": [Infinity, 1.5]}}')
    main(["show", RUN, "--runs", str(runs), "--json"])
    said = capsys.readouterr().out
    assert "NaN" not in said and "Infinity" not in said
    assert json.loads(said)["manifests"][0]["config"] == {"a": None, "b": [None, 1.5]}


@pytest.mark.parametrize("depth", [150, 400, 100_000])
def test_a_record_nested_without_end_is_a_problem_and_the_rest_is_shown(
    depth: int, runs: Path, record_run: RecordRun, capsys: Capture,
) -> None:
    record_run(RUN, [{}, {}])
    bomb = '{"name": "txt2img_001", "config": {"a": ' + "[" * depth + "]" * depth + "}}"
    (runs / RUN / "manifests" / "txt2img_001.json").write_text(bomb)
    shown = show_json(capsys, runs)
    assert [manifest["name"] for manifest in shown["manifests"]] == ["txt2img_002"] and len(shown["problems"]) == 1
    assert "txt2img_002" in show_text(capsys, runs)


def test_times_outside_every_calendar_stay_as_they_are(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run(RUN, [{}], started_at="9999-12-31T23:59:59.999Z", finished_at="0001-01-01T00:00:00")
    assert "9999-12-31" in show_text(capsys, runs) or "10000-" in show_text(capsys, runs)


def test_a_prompt_that_all_images_share_is_said_once(runs: Path, record_run: RecordRun, capsys: Capture) -> None:
    record_run(RUN, [{}, {}, {"prompt": "another"}])
    text = show_text(capsys, runs)
    assert text.count("a lighthouse") == 1 and text.count("another") == 1


@pytest.mark.parametrize("name", ["picture.png", "folder/picture.JPG", "20251225_143022_a.webp"])
def test_what_looks_like_an_image_or_is_a_file_is_an_image(
    name: str, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture,
) -> None:
    monkeypatch.chdir(tmp_path)
    if name.startswith("2025"):
        Path(name).write_bytes(b"RIFF")
    assert main(["show", name, "--runs", str(runs), "--json"]) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["status"] == ("corrupt" if name.startswith("2025") else "missing-file") and said.err == ""
    assert main(["show", name, "--runs", str(runs)]) == 1
    assert "Next: " in capsys.readouterr().out


def test_a_recorded_image_is_shown_with_its_run_and_what_disagrees(
    runs: Path, record_run: RecordRun, tmp_path: Path, capsys: Capture,
) -> None:
    path = write_png(tmp_path / "a.png", {"parameters": f"{INFOTEXT}, Run ID: {RUN}"})
    record_run(RUN, [{"path": path.as_posix(), "image": record_of(path), "actual_seed": 8, "model": HOSTILE, "job_id": "task(1)"}])
    history = tmp_path / "h.jsonl"
    history.write_text('{"job_id": "job-9"}\n{cut\n')
    assert main(["show", str(path), "--runs", str(runs), "--history", str(history)]) == 0
    text = capsys.readouterr().out
    for said in ("ok: known from its manifest", RUN, "task(1)", "job-9 (the history's", "line 2", f"show {RUN}` shows its run"):
        assert said in text, said
    assert [c for c in text if not c.isprintable() and c != "\n"] == []


def test_a_foreign_image_needs_no_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    path = write_png(tmp_path / "a.png", {"invokeai_metadata": '{"positive_prompt": "a cat", "seed": 42}'})
    assert main(["show", str(path)]) == 0
    text = capsys.readouterr().out
    assert "made by InvokeAI" in text and "a cat" in text and "42" in text
    assert main(["show", str(path), "--runs", str(tmp_path / "none")]) == 5
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("arguments", [["a.png", "--history", "no-such-file"], [RUN, "--history", "h.jsonl"]])
def test_a_history_that_is_not_there_or_has_no_image_is_a_wrong_call(arguments: list[str], runs: Path, capsys: Capture) -> None:
    assert main(["show", *arguments, "--runs", str(runs)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
