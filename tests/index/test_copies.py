"""Copies of a recorded image are known to the index, and reading them needs nothing but the file."""

from __future__ import annotations

from pathlib import Path

from lib_sdpipe.index.copies import read_copies
from lib_sdpipe.index.index import Index


def test_copies_are_known_by_their_image(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite3")
    for path in ("/log/2.png", "/log/1.png", "/log/1.png"):
        index.pictures.add_copy(path, "20251225_143022_a", "txt2img_001", "pixels")
    index.pictures.add_copy("/log/3.png", "20251225_143022_a", "txt2img_002", "run-id")
    assert read_copies(tmp_path / "index.sqlite3", "20251225_143022_a", "txt2img_001") == ["/log/1.png", "/log/2.png"]
    index.close()


def test_without_an_index_or_with_a_damaged_one_there_are_none(tmp_path: Path) -> None:
    assert read_copies(tmp_path / "index.sqlite3", "x", "y") == []
    assert not (tmp_path / "index.sqlite3").exists()
    (tmp_path / "index.sqlite3").write_bytes(b"no database" * 100)
    assert read_copies(tmp_path / "index.sqlite3", "x", "y") == []
