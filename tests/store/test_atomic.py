from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_sdpipe.store import atomic
from lib_sdpipe.store.atomic import write_atomic


def test_a_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "deep" / "run.json"
    write_atomic(target, b"old")
    seen: list[bytes] = []
    replace = os.replace

    def watched(source: str, destination: str) -> None:
        seen.append(target.read_bytes())
        replace(source, destination)

    monkeypatch.setattr(atomic.os, "replace", watched)
    write_atomic(target, b"new")
    assert (seen, target.read_bytes()) == ([b"old"], b"new")


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_full_disk_leaves_the_old_file_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    target = tmp_path / "run.json"
    write_atomic(target, b"old")

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, step, full)
    with pytest.raises(OSError, match="No space"):
        write_atomic(target, b"new")
    monkeypatch.undo()
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["run.json"]
