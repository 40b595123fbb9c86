"""On a real terminal: its width is kept and colours are used only where they are wanted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from lib_sdpipe.cli.render import cell_width
from tests.cli.terminal import environment
from tests.conftest import RecordRun

pty = pytest.importorskip("pty")

RUN = "20251225_143022_a"
COLOUR = re.compile("\x1b\\[[0-9;]*m")


def call_on_terminal(*arguments: str, cwd: Path, **changes: str) -> str:
    ours, theirs = pty.openpty()
    env = {name: value for name, value in environment(TERM="xterm", COLUMNS="60", **changes).items() if value}
    command = [sys.executable, "-m", "lib_sdpipe", *arguments]
    process = subprocess.Popen(command, cwd=cwd, env=env, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:
        pass  # Linux reports the end of a terminal as an error
    os.close(ours)
    assert process.wait(30) == 0
    return said.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("arguments", [["runs"], ["show", RUN]])
def test_lines_fit_and_colours_are_the_only_escapes(arguments: list[str], runs: Path, record_run: RecordRun) -> None:
    long = {"prompt": "\x1b[2J 灯台 " + "a lighthouse " * 20, "path": "txt2img-images/2025-12-25/" + "x" * 80 + ".png"}
    record_run(RUN, [{**long, "root": "outputs"}],
               source="\x1b[5m" * 9, error={"type": "Error", "message": "word " * 40})
    said = call_on_terminal(*arguments, cwd=runs.parent, NO_COLOR="")
    assert COLOUR.findall(said) and RUN in said
    plain = COLOUR.sub("", said)
    assert "\x1b" not in plain
    # A path without blanks is broken, not cut: it can still be found again.
    assert [line for line in plain.splitlines() if cell_width(line) > 60] == []


def test_no_colour_means_none(runs: Path, record_run: RecordRun) -> None:
    record_run(RUN, [{}])
    assert "\x1b" not in call_on_terminal("runs", cwd=runs.parent, NO_COLOR="1")
    assert "\x1b" not in call_on_terminal("show", RUN, "--json", cwd=runs.parent, NO_COLOR="")
