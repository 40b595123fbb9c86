from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from os import write
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from lib_sdpipe.store import log_file, recording_log
from lib_sdpipe.store.abandoned_log import iter_abandoned_logs
from lib_sdpipe.store.log_file import LogFile
from lib_sdpipe.store.recording_log import RecordingLog

_DYING = """
import os, sys
from pathlib import Path
from lib_sdpipe.store.log_file import LogFile
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


def test_a_folder_that_cannot_be_written_is_left_for_the_next_with_all_that_stands(tmp_path: Path) -> None:
    log = RecordingLog([tmp_path / "one", tmp_path / "two"])
    log.append({"n": 1})
    with _refusing(tmp_path / "one"):
        log.append({"n": 2})
    log.append({"n": 3})
    assert log.path is not None and log.path.parent == tmp_path / "two"
    assert list(iter_abandoned_logs([tmp_path / "one", tmp_path / "two"])) == [], "both are a living process's"
    log.release()
    shorter, longest = iter_abandoned_logs([tmp_path / "one", tmp_path / "two"])
    assert longest.lines() == [{"n": 1}, {"n": 2}, {"n": 3}], "the whole one comes last: it has the last word"
    assert shorter.lines() == [{"n": 1}]


def test_when_all_is_done_the_first_folder_is_tried_again(tmp_path: Path) -> None:
    log = RecordingLog([tmp_path / "one", tmp_path / "two"])
    with _refusing(tmp_path / "one"):
        log.append({"n": 1})
    log.clear()
    assert os.listdir(tmp_path / "two") == []
    log.append({"n": 2})
    assert log.path is not None and log.path.parent == tmp_path / "one"
    log.release()
    (abandoned,) = iter_abandoned_logs([tmp_path / "one", tmp_path / "two"])
    assert abandoned.lines() == [{"n": 2}]


def test_what_no_folder_takes_is_told_and_written_when_one_does(tmp_path: Path) -> None:
    log = RecordingLog([tmp_path / "one", tmp_path / "two"])
    with _refusing(tmp_path), pytest.raises(OSError):
        log.append({"n": 1})
    log.append({"n": 2})
    log.release()
    (abandoned,) = iter_abandoned_logs([tmp_path / "one", tmp_path / "two"])
    assert abandoned.lines() == [{"n": 1}, {"n": 2}]


def test_a_sleeping_disk_costs_one_short_wait_and_the_next_folder_takes_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RecordingLog([tmp_path / "one", tmp_path / "two"])
    log.append({"n": 1})
    awake = threading.Event()
    append = LogFile.append
    monkeypatch.setattr(recording_log, "_PATIENCE_SECONDS", 0.5)  # so that 28 waits cannot be taken for one
    monkeypatch.setattr(recording_log, "_PATIENCE_IN_ALL_SECONDS", 5.0)

    def sleepy(file: LogFile, data: bytes) -> None:
        if file.path.parent.name == "one":
            awake.wait(60)
        append(file, data)

    monkeypatch.setattr(LogFile, "append", sleepy)
    started = time.monotonic()
    for n in range(2, 30):
        log.append({"n": n})
    assert 0.5 <= time.monotonic() - started < 5.0
    awake.set()
    log.release()
    assert [line["n"] for line in list(iter_abandoned_logs([tmp_path / "one", tmp_path / "two"]))[-1].lines()] == list(range(1, 30))


def test_a_disk_that_will_not_sync_is_left_at_the_next_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RecordingLog([tmp_path / "one", tmp_path / "two"])
    log.append({"n": 1})
    with monkeypatch.context() as patched:
        patched.setattr(log_file.os, "fdatasync", _refuse, raising=False)
        patched.setattr(log_file.os, "fsync", _refuse)
        log.sync()
    log.append({"n": 2})
    assert log.path is not None and log.path.parent == tmp_path / "two"
    log.close()
    assert [*(tmp_path / "one").iterdir(), *(tmp_path / "two").iterdir()] == []


@pytest.mark.parametrize("torn", [b"", b"\0" * 900, b'\0\0\0{"n": 2}\n', b'{"n": 2, "a": "\0\0\0', b'"n": 2}\n', b"[1]\n7\n\xff\xfe\n"])
def test_zeros_and_halves_are_no_lines(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / "999999-abcdef01.jsonl").write_bytes(b'{"n": 1}\n' + torn)
    (abandoned,) = iter_abandoned_logs([tmp_path])
    expected = [{"n": 1}, {"n": 2}] if torn.endswith(b'{"n": 2}\n') else [{"n": 1}]
    assert abandoned.lines() == expected


def _refuse(*arguments: Any) -> None:
    raise OSError(30, "Read-only file system")


@contextmanager
def _refusing(folder: Path) -> Iterator[None]:
    """No log below `folder` can be made or written."""
    append, make = LogFile.append, LogFile.__init__

    def refuse_below(original: Callable[..., None]) -> Callable[..., None]:
        def watched(file: LogFile, argument: Any) -> None:
            if folder in (argument if isinstance(argument, Path) else file.path).parents:
                _refuse()
            original(file, argument)

        return watched

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(LogFile, "append", refuse_below(append))
        patched.setattr(LogFile, "__init__", refuse_below(make))
        yield
