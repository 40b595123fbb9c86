"""`check` as a person and as a program call it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.cli.main import main
from lib_sdpipe.cli.progress import describe_reading
from lib_sdpipe.workspace.deep import DeepProgress
from tests.cli.terminal import REPOSITORY, environment
from tests.reconcile.truth import DAMAGES, Truth

Capture = pytest.CaptureFixture[str]
RUN = "20260102_030400_cats"


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    truth = Truth(tmp_path)
    truth.record(RUN, count=3)
    return truth


def check(truth: Truth, capsys: Capture, *options: str) -> tuple[int, Any]:
    code = main(["check", "--runs", str(truth.layout.runs), "--json", *options])
    return code, json.loads(capsys.readouterr().out)


def test_the_document_has_counts_and_every_finding(tmp_path: Path, capsys: Capture) -> None:
    truth = Truth(tmp_path)
    for number in range(16):
        truth.record(f"20260102_0304{number:02d}_cats", kept=number % 3 == 0)
    for damage in DAMAGES:
        damage(truth)
    code, document = check(truth, capsys)
    assert code == 1 and list(document) == ["library", "counts", "findings", "read", "seconds"]
    assert document["findings"] == [finding.to_json() for finding in truth.check()]
    counts: dict[str, int] = {}
    for (found, _, _), count in truth.expected.items():
        counts[found] = counts.get(found, 0) + count
    assert document["counts"] == counts


def test_nothing_is_blessed_that_was_not_read(truth: Truth, capsys: Capture) -> None:
    assert check(truth, capsys)[1]["read"] == {"images": 0, "of": 3}
    assert main(["check", "--runs", str(truth.layout.runs)]) == 0
    assert "3 images judged by size and time, not read" in capsys.readouterr().out
    code, document = check(truth, capsys, "--deep")
    assert (code, document["read"], document["findings"]) == (0, {"images": 3, "of": 3, "left": 0}, [])
    assert main(["check", "--runs", str(truth.layout.runs)]) == 0
    assert "not read" not in capsys.readouterr().out


def test_max_seconds_says_what_is_left_and_belongs_to_deep(truth: Truth, capsys: Capture) -> None:
    assert check(truth, capsys, "--deep", "--max-seconds", "0.000001")[1]["read"] == {"images": 0, "of": 3, "left": 3}
    assert main(["check", "--runs", str(truth.layout.runs), "--deep", "--max-seconds", "0.000001"]) == 0
    assert "3 images left to read" in capsys.readouterr().out
    for options in (["--max-seconds", "5"], ["--deep", "--max-seconds", "0"], ["--deep", "--max-seconds", "soon"]):
        assert main(["check", "--runs", str(truth.layout.runs), *options]) == 2
        assert "seconds" in capsys.readouterr().err


def test_bit_rot_is_said_in_words(truth: Truth, capsys: Capture) -> None:
    file = truth.outputs / (truth.manifests_now()[0].path or "")
    data, stat = bytearray(file.read_bytes()), file.stat()
    data[data.index(b"IDAT") + 20] ^= 1
    file.write_bytes(data)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert main(["check", "--runs", str(truth.layout.runs), "--deep"]) == 1
    assert "no program meant to change it" in capsys.readouterr().out


def test_names_with_control_characters_do_not_reach_the_terminal(truth: Truth, capsys: Capture) -> None:
    if os.name == "nt":
        pytest.skip("Windows refuses such names")
    file = truth.outputs / "new\nline \x1b[2J.png"
    file.write_bytes(b"no image")
    os.utime(file, (5, 5))
    assert main(["check", "--runs", str(truth.layout.runs)]) == 1
    assert main(["verify", str(file), "--runs", str(truth.layout.runs)]) == 1
    said = capsys.readouterr().out
    assert "\x1b" not in said and "new\nline" not in said and "new" in said


_SLOWLY = """
import sys, time
from lib_sdpipe.workspace import deep
real = deep.read_content
def slowly(file, path, *rest):
    print(path, file=sys.stderr, flush=True)
    time.sleep(0.05)
    return real(file, path, *rest)
deep.read_content = slowly
from lib_sdpipe.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")
def test_ctrl_c_keeps_what_was_read(tmp_path: Path, capsys: Capture) -> None:
    truth = Truth(tmp_path)
    truth.record(RUN, count=60)
    child = subprocess.Popen(
        [sys.executable, "-c", _SLOWLY, "check", "--deep", "--runs", str(truth.layout.runs)], cwd=REPOSITORY, env=environment(),
        stderr=subprocess.PIPE, text=True,
    )
    assert child.stderr is not None
    for _ in range(20):
        child.stderr.readline()
    child.send_signal(signal.SIGINT)
    said = child.stderr.read()
    assert child.wait(30) == 130 and "what was read is kept" in said and "Traceback" not in said
    read = check(truth, capsys)[1]["read"]
    assert 5 <= read["images"] < 60
    started = time.monotonic()
    assert check(truth, capsys, "--deep")[1]["read"] == {"images": 60, "of": 60, "left": 0} and time.monotonic() - started < 20


def test_progress_tells_rate_and_time_left() -> None:
    text = describe_reading(DeepProgress(1_200, 10_000, 250_000_000, 2_000_000_000, 10.0))
    assert text == "reading: 1,200 of 10,000 images, 120 images/s, 25.0 MB/s, 1 min left"
    assert describe_reading(DeepProgress(0, 1, 0, 0, 0.0)).endswith("0 s left")
