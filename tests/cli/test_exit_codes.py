"""The door: every fault leaves with its code, and `--json` always finds one document on stdout."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lib_sdpipe.cli import main as door
from lib_sdpipe.cli.commands import runs as runs_verb
from lib_sdpipe.cli.main import main
from lib_sdpipe.errors import LockedError
from tests.cli.terminal import call, environment
from tests.conftest import RecordRun

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(("arguments", "code"), [
    (["show", "20251225_143022_nobody"], 1),
    (["show", "../../etc/passwd"], 1),
    ([], 2),
    (["no-such-verb"], 2),
    (["runs", "--limit", "0"], 2),
    (["runs", "--limit", "x"], 2),
    (["runs", "--after", "yesterday"], 2),
    (["runs", "--lim", "3"], 2),
    (["show"], 2),
    (["demo", "--port", "70000"], 2),
])
def test_faults_of_the_call(arguments: list[str], code: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(runs.parent)
    assert main(arguments) == code
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("sdpipe: ") and "Traceback" not in said.err
    assert main([*arguments, "--json"]) == code
    assert set(json.loads(capsys.readouterr().out)) == {"error"}


@pytest.mark.parametrize("verb", [["runs"], ["show", "20251225_143022_a"]])
def test_without_a_library_it_is_5(verb: list[str], tmp_path: Path, capsys: Capture) -> None:
    assert main([*verb, "--runs", str(tmp_path / "nowhere")]) == 5
    (tmp_path / "file").touch()
    assert main([*verb, "--runs", str(tmp_path / "file")]) == 5
    assert "--runs DIR" in capsys.readouterr().err


def test_help_and_version_are_answers(capsys: Capture) -> None:
    assert [main(["--help"]), main(["--version"]), main(["demo", "--help"])] == [0, 0, 0]
    assert "VERB" in capsys.readouterr().out


def broken(*_: object) -> int:
    raise KeyError("a fault of ours \x1b[2J")


def test_our_own_fault_is_a_short_report_without_a_traceback(
    runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture,
) -> None:
    monkeypatch.setattr(runs_verb, "run", broken)
    assert main(["runs", "--runs", str(runs)]) == 3
    said = capsys.readouterr()
    assert said.out == "" and "Traceback" not in said.err and "\x1b" not in said.err
    assert all(word in said.err for word in ("KeyError", "sdpipe 0.", "Python 3.", "pydantic ", "Please report"))
    assert len(said.err.splitlines()) < 10
    monkeypatch.setenv("SDPIPE_DEBUG", "1")
    assert main(["runs", "--runs", str(runs)]) == 3
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(("fault", "code"), [(LockedError("held"), 4), (KeyboardInterrupt(), 130)])
def test_locked_and_interrupted(fault: BaseException, code: int, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def fail(*_: object) -> int:
        raise fault

    monkeypatch.setattr(runs_verb, "run", fail)
    assert main(["runs", "--runs", str(runs)]) == code
    assert capsys.readouterr().out == ""


def test_verbs_have_names_and_sentences_of_their_own() -> None:
    names = [verb.NAME for verb in door.VERBS]
    assert len(set(names)) == len(names) and all(verb.SUMMARY for verb in door.VERBS)


@pytest.mark.skipif(os.name == "nt", reason="head and /dev/full are POSIX")
def test_a_closed_pipe_is_silent(runs: Path, record_run: RecordRun) -> None:
    for second in range(60):
        record_run(f"20251225_1430{second:02d}_a", label="x" * 2000)
    for arguments in (["runs", "--json", "--limit", "60"], ["runs"]):
        process = subprocess.Popen([sys.executable, "-m", "lib_sdpipe", *arguments], cwd=runs.parent, env=environment(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert (process.wait(60), process.stderr.read()) == (0, b"")
        process.stderr.close()


@pytest.mark.skipif(os.name == "nt", reason="POSIX")
def test_without_stdout_nothing_breaks(runs: Path, record_run: RecordRun) -> None:
    record_run("20251225_143022_a")
    for flag in ("", "--json"):
        answer = subprocess.run(f'"{sys.executable}" -m lib_sdpipe runs {flag} >&-', shell=True, cwd=runs.parent, env=environment(),
                                capture_output=True, check=False, timeout=60)
        assert (answer.returncode, answer.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_said_without_a_traceback(runs: Path, record_run: RecordRun) -> None:
    record_run("20251225_143022_a")
    with open("/dev/full", "wb") as full:
        answer = subprocess.run([sys.executable, "-m", "lib_sdpipe", "runs"], cwd=runs.parent, env=environment(), stdout=full,
                                stderr=subprocess.PIPE, encoding="utf-8", check=False, timeout=60)
    assert answer.returncode == 3 and "No space left" in answer.stderr and "Traceback" not in answer.stderr


def test_a_console_of_another_code_page_shows_escapes(runs: Path, record_run: RecordRun) -> None:
    record_run("20251225_143022_a", [{"prompt": "灯台"}])
    env = environment(PYTHONIOENCODING="cp1252", PYTHONUTF8="0")
    shown = call("show", "20251225_143022_a", cwd=runs.parent, env=env)
    assert shown.returncode == 0 and "\\u706f\\u53f0" in shown.stdout
    document = call("show", "20251225_143022_a", "--json", cwd=runs.parent, env=env)
    assert json.loads(document.stdout)["manifests"][0]["prompt"] == "灯台"


def test_a_reading_verb_loads_nothing_heavy(runs: Path, record_run: RecordRun) -> None:
    record_run("20251225_143022_a", [{}])
    code = (
        "import sys; from lib_sdpipe.cli.main import main; main(['runs', '--json']); main(['show', '20251225_143022_a']);"
        "print(*sorted({'gradio', 'fastapi', 'torch', 'numpy', 'modules', 'lib_sdpipe.sandbox'} & set(sys.modules)), file=sys.stderr)"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=runs.parent, env=environment(), capture_output=True, text=True, check=True)
    assert answer.stderr.strip() == ""


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_in_a_terminal_is_130(runs: Path) -> None:
    code = "import time, sys; from lib_sdpipe.cli import main as m; from lib_sdpipe.cli.commands import runs\n" \
           "runs.run = lambda *a: (print('ready', flush=True), time.sleep(60))[0]\nsys.exit(m.main(['runs']))"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=runs.parent, env=environment(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "Traceback" not in said


@pytest.mark.parametrize("content", ["", "[]", '{"schema": "sdpipe.library/1", "roots": []}'])
def test_a_damaged_list_of_roots_is_no_fault_of_ours(content: str, runs: Path, capsys: Capture) -> None:
    runs.mkdir(parents=True, exist_ok=True)
    (runs / "library.json").write_text(content)
    assert main(["check", "--runs", str(runs), "--json"]) == 5
    assert "library.json" in json.loads(capsys.readouterr().out)["error"]


def test_a_root_whose_name_is_too_long_is_no_folder(runs: Path, capsys: Capture) -> None:
    assert main(["check", "--runs", str(runs), "--json", f"x=/{'a' * 5000}"]) == 2
    assert "is no folder" in json.loads(capsys.readouterr().out)["error"]
