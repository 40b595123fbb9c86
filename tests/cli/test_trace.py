"""`trace`: what a person and a program are told, and the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from tests.images.test_digest import painting
from tests.store.test_tracer import RUN, Place

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.record("txt2img_001", painting(1))
    made.record("txt2img_001", painting(2), run_id="20251226_143022_b")
    made.record("txt2img_002", painting(2), run_id="20251226_143022_b", seed=2)
    return made


def trace(place: Place, image: Path, *options: str) -> int:
    return main(["trace", str(image), "--runs", str(place.layout.runs), *options])


def test_a_copy_is_found_and_the_exit_code_says_so(place: Place, tmp_path: Path, capsys: Capture) -> None:
    copy = tmp_path / "copy.jpg"
    painting(1).resize((128, 128)).save(copy, quality=70)
    assert trace(place, copy, "--json") == 0
    (match,) = json.loads(capsys.readouterr().out)["matches"]
    assert (match["run_id"], match["name"], match["by"], match["also"]) == (RUN, "txt2img_001", "perceptual", [])
    assert trace(place, copy) == 0
    text = capsys.readouterr().out
    assert RUN in text and "it looks the same" in text and "of 256 steps differ" in text


def test_an_ambiguous_one_is_listed_whole(place: Place, tmp_path: Path, capsys: Capture) -> None:
    painting(2).save(tmp_path / "stripped.png")
    assert trace(place, tmp_path / "stripped.png", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["status"], len(document["matches"])) == ("ambiguous", 2)
    trace(place, tmp_path / "stripped.png")
    assert "may be any of 2 images" in capsys.readouterr().out


def test_what_is_not_found_or_no_image_ends_with_1(place: Place, tmp_path: Path, capsys: Capture) -> None:
    painting(9).save(tmp_path / "other.png")
    (tmp_path / "text.png").write_text("no image")
    assert trace(place, tmp_path / "other.png", "--json") == 1
    assert json.loads(capsys.readouterr().out) == {"status": "not-found", "matches": []}
    for name in ("text.png", "missing.png", ""):
        assert trace(place, tmp_path / name) == 1
        assert (name or str(tmp_path)) in capsys.readouterr().err
