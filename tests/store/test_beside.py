"""What a host writes beside an image is told by its name and by the moment it was written."""

from __future__ import annotations

import os
from pathlib import Path

from lib_sdpipe.store.beside import find_beside

SAVED_AT = 1_800_000_000.0


def write(path: Path, seconds_before: float) -> str:
    path.write_bytes(b"x")
    os.utime(path, (SAVED_AT - seconds_before, SAVED_AT - seconds_before))
    return str(path)


def test_text_and_small_jpeg_of_one_save_belong_to_the_image(tmp_path: Path) -> None:
    image = write(tmp_path / "00001-7.png", 0.5)
    write(tmp_path / "00001-7.txt", 0.1)
    write(tmp_path / "00001-7.jpg", 0.3)
    assert find_beside(image, image, SAVED_AT) == ["00001-7.txt", "00001-7.jpg"]


def test_files_of_earlier_and_later_images_of_that_name_do_not(tmp_path: Path) -> None:
    image = write(tmp_path / "7.png", 0.5)
    write(tmp_path / "7.txt", 3.0)
    write(tmp_path / "7.jpg", -3.0)
    assert find_beside(image, image, SAVED_AT) == []


def test_with_a_number_suffix_the_text_has_the_name_that_was_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "7.png", 60)
    write(tmp_path / "7.jpg", 60)
    image = write(tmp_path / "7-1.png", 0.5)
    write(tmp_path / "7.txt", 0.1)
    write(tmp_path / "7-1.jpg", 0.3)
    assert find_beside(image, str(tmp_path / "7.png"), SAVED_AT) == ["7-1.jpg", "7.txt"]


def test_after_a_kill_a_minute_is_allowed_and_no_number_guessed(tmp_path: Path) -> None:
    image = write(tmp_path / "7.png", 5)
    write(tmp_path / "7.txt", 4)
    write(tmp_path / "7-1.jpg", 4)
    assert find_beside(image, image, None) == ["7.txt"]


def test_the_image_itself_and_one_that_is_gone_have_nothing_beside(tmp_path: Path) -> None:
    image = write(tmp_path / "7.jpg", 0.5)
    assert find_beside(image, image, SAVED_AT) == []
    assert find_beside(str(tmp_path / "gone.png"), None, SAVED_AT) == []
