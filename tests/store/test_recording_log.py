from __future__ import annotations

import os
import subprocess
import sys
from os import write
from pathlib import Path

import pytest

from lib_sdpipe.store import log_file
from lib_sdpipe.store.abandoned_log import iter_abandoned_logs
from lib_sdpipe.store.recording_log import RecordingLog

_DYING = """
import os, sys
from pathlib import Path
from lib_sdpipe.store.recording_log import RecordingLog
log = RecordingLog([Path(sys.argv[1])])
log.append({"kind": "run", "run_id": "20251225_143022_a"})
os.write(log._keepers[0].file._descriptor, b'{"kind": "image", "na')
os._exit(9)
"""


def test_the_log_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    log = RecordingLog([tmp_path])
    log.append({"kind": "run"})
    assert list(iter_abandoned_logs([tmp_path])) == []
    log.close()
    assert os.listdir(tmp_path) == []


def test_a_dead_processes_log_gives_its_whole_lines_once(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", _DYING, str(tmp_path)], check=False)
    (abandoned,) = iter_abandoned_logs([tmp_path])
    assert abandoned.lines() == [{"kind": "run", "run_id": "20251225_143022_a"}]
    assert list(iter_abandoned_logs([tmp_path])) == [], "two processes must not complete the same log"
    abandoned.remove()
    assert list(iter_abandoned_logs([tmp_path])) == []


def test_a_cleared_log_promises_nothing(tmp_path: Path) -> None:
    log = RecordingLog([tmp_path])
    log.append({"kind": "run"})
    log.clear()
    log.append({"kind": "end"})
    log.release()
    (abandoned,) = iter_abandoned_logs([tmp_path])
    assert abandoned.lines() == [{"kind": "end"}]


def test_a_log_that_is_deleted_under_us_begins_again_with_all_that_stands(tmp_path: Path) -> None:
    log = RecordingLog([tmp_path / "recording"])
    log.append({"kind": "run"})
    assert log.path is not None
    log.path.unlink()
    log.path.parent.rmdir()
    log.append({"kind": "image"})
    log.release()
    (abandoned,) = iter_abandoned_logs([tmp_path / "recording"])
    assert abandoned.lines() == [{"kind": "run"}, {"kind": "image"}]


def test_a_line_that_found_the_disk_full_is_written_with_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RecordingLog([tmp_path])
    log.append({"n": 1})
    with monkeypatch.context() as patched:
        patched.setattr(log_file.os, "write", lambda descriptor, data: write(descriptor, data[:3]))
        with pytest.raises(OSError, match="space"):
            log.append({"n": 2})
    log.append({"n": 3})
    log.release()
    (abandoned,) = iter_abandoned_logs([tmp_path])
    assert abandoned.lines() == [{"n": 1}, {"n": 2}, {"n": 3}]
