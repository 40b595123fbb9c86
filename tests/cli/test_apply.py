"""`apply`, `undo` and `purge` as a person or a program calls them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.cli.main import main
from lib_sdpipe.store.filelock import hold_lock
from tests.cli.terminal import environment
from tests.store.repair_library import RepairLibrary

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def library(tmp_path: Path) -> RepairLibrary:
    return RepairLibrary(tmp_path / "library")


@pytest.fixture
def plan(library: RepairLibrary, tmp_path: Path) -> Path:
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(library.mixed_plan()))
    return path


def answer(capsys: Capture, library: RepairLibrary, verb: str, *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main([verb, "--runs", str(library.layout.runs), "--json", *arguments]) == code
    return json.loads(capsys.readouterr().out)


def said(capsys: Capture, library: RepairLibrary, verb: str, *arguments: str, code: int = 0) -> str:
    assert main([verb, "--runs", str(library.layout.runs), *arguments]) == code
    return capsys.readouterr().out


def test_the_documents_have_exactly_the_promised_keys(library: RepairLibrary, plan: Path, capsys: Capture) -> None:
    before = library.tree()
    done = answer(capsys, library, "apply", str(plan))
    assert set(done) == {"plan_id", "done", "skipped", "failed", "seconds"} and done["done"] == 7
    (listed,) = answer(capsys, library, "undo", "--list")["applies"]
    assert (listed["plan_id"], listed["operations"], listed["state"]) == ("plan-1", 7, "applied")
    undone = answer(capsys, library, "undo", listed["apply_id"])
    assert {**undone, "seconds": 0} == {"plan_id": "plan-1", "done": 7, "skipped": 0, "failed": [], "seconds": 0}
    assert library.tree() == before
    assert answer(capsys, library, "undo")["plan_id"] is None


def test_a_person_reads_what_was_done_what_failed_and_how_to_take_it_back(library: RepairLibrary, plan: Path, capsys: Capture) -> None:
    (library.outputs / "day" / "double.png").unlink()
    text = said(capsys, library, "apply", str(plan), code=1)
    assert "6 operations done, 0 not needed, 1 failed." in text and "double: outputs: day/double.png: is not there" in text
    (back,) = [line for line in text.splitlines() if line.startswith("To take it back: undo ")]
    assert "6 operations undone" in said(capsys, library, "undo", back.split()[-1])
    assert "undone" in said(capsys, library, "undo", "--list")
    assert said(capsys, library, "undo") == "Nothing to undo.\n"


@pytest.mark.parametrize("content", [None, b"", b"{", b"[]", b'{"schema": "sdpipe.plan/9"}', b"[" * 100_000])
def test_what_is_no_plan_is_a_wrong_call(library: RepairLibrary, tmp_path: Path, capsys: Capture, content: bytes | None) -> None:
    path = tmp_path / "other.json"
    if content is not None:
        path.write_bytes(content)
    assert "other.json" in answer(capsys, library, "apply", str(path), code=2)["error"]


def test_while_another_process_repairs_it_is_locked_and_says_by_whom(library: RepairLibrary, plan: Path, capsys: Capture) -> None:
    with hold_lock(library.layout.locks / "repair", holder="`undo`, process 7 on elsewhere"):
        for arguments in (["apply", str(plan)], ["undo"], ["purge", "--older-than", "1", "--yes"]):
            assert "`undo`, process 7 on elsewhere" in answer(capsys, library, *arguments, code=4)["error"]


def test_purge_deletes_nothing_without_yes(library: RepairLibrary, plan: Path, capsys: Capture) -> None:
    answer(capsys, library, "apply", str(plan))
    after = library.tree()
    text = said(capsys, library, "purge", "--older-than", "0")
    assert text.startswith("To delete: 3 files, ") and "of 1 apply." in text and library.tree() == after
    counted = answer(capsys, library, "purge", "--older-than", "0", "--yes")
    assert (counted["purged"], counted["files"], counted["failed"]) == (True, 3, []) and library.tree() != after
    assert answer(capsys, library, "undo", code=1)["failed"][0]["reason"].count("purged at") == 1


@pytest.mark.parametrize("days", ["-1", "x", "1.5"])
def test_purge_takes_whole_days(library: RepairLibrary, capsys: Capture, days: str) -> None:
    assert "error" in answer(capsys, library, "purge", "--older-than", days, code=2)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_ctrl_c_ends_between_two_operations_and_the_same_call_goes_on(library: RepairLibrary, plan: Path, capsys: Capture) -> None:
    code = (
        "import os, signal, sys; from lib_sdpipe.store import apply; from lib_sdpipe.cli.main import main\n"
        "do = apply._do\n"
        "def patched(tools, operation, *rest):\n"
        "    if operation.id == 'broken': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return do(tools, operation, *rest)\n"
        "apply._do = patched\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "apply", str(plan), "--json", "--runs", str(library.layout.runs)]
    process = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert process.returncode == 130 and "Traceback" not in process.stderr
    assert json.loads(process.stdout)["done"] == 3 and "the same call goes on" in process.stderr
    done = answer(capsys, library, "apply", str(plan))
    assert (done["done"], done["skipped"]) == (4, 3)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
