"""`find`: pages of images, and a query that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.index.index import Index
from lib_sdpipe.store.layout import find_layout

Capture = pytest.CaptureFixture[str]
RUN = "20251225_143022_a"
HOSTILE = "\x1b]0;owned\x07\x1b[2J\r\u202ecat \ud83d"


@pytest.fixture
def library(runs: Path) -> Path:
    """Five recorded images in the index."""
    index = Index(find_layout(runs).index_file)
    for number in range(1, 6):
        index.pictures.add(Manifest(
            run_id=RUN, name=f"txt2img_{number:03d}", stage="txt2img", prompt=f"a cat, number {number}", root="outputs",
            path=f"{number}.png", actual_seed=number, model="dream", timestamp="2025-12-25T13:30:22.123Z",
        ))
    index.close()
    return runs


def find_json(capsys: Capture, runs: Path, *arguments: str) -> dict:
    assert main(["find", "--runs", str(runs), "--json", *arguments]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_image_has_exactly_the_promised_keys(library: Path, capsys: Capture) -> None:
    assert find_json(capsys, library, "number 3") == {
        "total": 1, "total_is_exact": True, "next": None,
        "images": [{
            "run_id": RUN, "name": "txt2img_003", "root": "outputs", "path": "3.png", "stage": "txt2img",
            "timestamp": "2025-12-25T13:30:22.123Z", "prompt": "a cat, number 3", "actual_seed": 3, "model": "dream",
        }],
    }


def test_pages_hold_every_image_once(library: Path, capsys: Capture) -> None:
    seen, after = [], []
    while True:
        page = find_json(capsys, library, "cat", "--limit", "2", *after)
        seen += [image["name"] for image in page["images"]]
        if page["next"] is None:
            break
        after = ["--after", page["next"]]
    assert (seen, page["total"]) == ([f"txt2img_{number:03d}" for number in (5, 4, 3, 2, 1)], 5)


def test_a_person_sees_where_each_is_and_how_to_go_on(library: Path, capsys: Capture) -> None:
    assert main(["find", "--runs", str(library), "--limit", "2", "cat", "model:dream"]) == 0
    text = capsys.readouterr().out
    assert f"{RUN}/txt2img_005" in text and "outputs: 5.png" in text and "a cat, number 5" in text
    assert "2 of 5 images. Older ones: the same with --after " in text
    assert main(["find", "--runs", str(library), "dog"]) == 0
    assert capsys.readouterr().out == "No images.\n"
    assert main(["find", "--runs", str(library), "--", "-cat"]) == 0


def test_a_query_that_cannot_be_read_is_shown_with_a_mark(library: Path, capsys: Capture) -> None:
    assert main(["find", "--runs", str(library), "cat steps:many"]) == 2
    assert capsys.readouterr().err.splitlines()[1:] == ["  cat steps:many", "            ^"]
    assert main(["find", "--runs", str(library), "--after", "x"]) == 2


def test_what_a_record_says_is_escaped_for_a_terminal(library: Path, capsys: Capture) -> None:
    index = Index(find_layout(library).index_file)
    hostile = dict.fromkeys(("prompt", "root", "path", "model", "stage", "name"), HOSTILE)
    index.pictures.add(Manifest(run_id=RUN, **hostile))
    index.close()
    assert main(["find", "--runs", str(library), HOSTILE]) in (0, 2)
    assert main(["find", "--runs", str(library)]) == 0
    said = capsys.readouterr()
    assert [c for c in said.out + said.err if not c.isprintable() and c != "\n"] == []


def test_a_library_that_is_not_there_is_said(tmp_path: Path, capsys: Capture) -> None:
    assert main(["find", "--runs", str(tmp_path / "nowhere")]) == 5
    assert not (tmp_path / "nowhere").exists()


def test_two_read_while_one_writes(library: Path) -> None:
    index = Index(find_layout(library).index_file)
    index._connection.execute("BEGIN IMMEDIATE")
    index.pictures.insert(Manifest(run_id=RUN, name="txt2img_009", prompt="a dog").to_json())
    workspace = Workspace(find_layout(library))
    index._connection.execute("COMMIT")
    assert (workspace.find("dog").total, workspace.find("cat").total) == (1, 5)
    index.close()
