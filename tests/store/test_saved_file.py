"""The host can report an older file's name; the record must name the file that was written."""

from __future__ import annotations

from pathlib import Path

from lib_sdpipe.store.saved_file import FileStamp, find_free_name, find_saved_file, read_stamp


def write(path: Path, text: str = "x") -> str:
    path.write_text(text)
    return str(path)


def test_a_new_name_is_the_file(tmp_path: Path) -> None:
    assert find_saved_file(write(tmp_path / "1.png"), None, None) == str(tmp_path / "1.png")


def test_a_replaced_file_is_the_new_one(tmp_path: Path) -> None:
    path = write(tmp_path / "1.png", "old")
    before = read_stamp(path)
    (tmp_path / "1.tmp").write_text("newer")
    (tmp_path / "1.tmp").replace(path)
    assert find_saved_file(path, before, find_free_name(path)) == path


def test_a_name_that_was_taken_means_the_first_free_number_also_in_a_gap(tmp_path: Path) -> None:
    path = write(tmp_path / "1.png")
    write(tmp_path / "1-1.png"), write(tmp_path / "1-3.png")
    before, free = read_stamp(path), find_free_name(path)
    write(tmp_path / "1-2.png")
    assert find_saved_file(path, before, free) == str(tmp_path / "1-2.png")


def test_nothing_written_is_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "1.png")
    assert find_saved_file(path, read_stamp(path), find_free_name(path)) is None
    assert find_saved_file(str(tmp_path / "2.png"), None, None) is None


def test_a_stamp_survives_the_log(tmp_path: Path) -> None:
    stamp = read_stamp(write(tmp_path / "1.png"))
    assert stamp is not None and FileStamp.from_json(stamp.to_json()) == stamp
