"""What was made from an image in later runs is found by its run, and reading it needs nothing but the file."""

from __future__ import annotations

from pathlib import Path

from lib_sdpipe.index.children import Child, read_children, read_lost
from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Manifest

RUN = "20251225_143022_a"
LATER = "20251226_101500_b"


def test_children_are_found_by_the_run_of_their_parent(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite3")
    link = {"run_id": RUN, "name": "txt2img_001", "by": "pixels"}
    index.pictures.add(Manifest(run_id=RUN, name="txt2img_001", stage="txt2img"))
    index.pictures.add(Manifest(run_id=RUN, name="txt2img_002", stage="txt2img", parent=link))
    index.pictures.add(Manifest(run_id=LATER, name="img2img_001", stage="img2img", role="final", actual_seed=7, parent=link))
    found = read_children([tmp_path / "none", tmp_path / "index.sqlite3"], RUN, 10)
    assert found == [Child(LATER, "img2img_001", "img2img", "final", 7, "txt2img_001")]
    index.pictures.add(Manifest(run_id=LATER, name="img2img_001", stage="img2img"))
    assert read_children([tmp_path / "index.sqlite3"], RUN, 10) == []
    index.close()


def test_no_more_than_asked_for_and_none_without_an_index(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite3")
    for number in range(5):
        parent = {"run_id": RUN, "name": "txt2img_001"}
        index.pictures.add(Manifest(run_id=LATER, name=f"img2img_00{number}", stage="img2img", parent=parent))
    index.close()
    assert len(read_children([tmp_path / "index.sqlite3"], RUN, 3)) == 3
    assert read_children([tmp_path / "nowhere"], RUN, 3) == []
    (tmp_path / "index.sqlite3").write_bytes(b"no database" * 100)
    assert read_children([tmp_path / "index.sqlite3"], RUN, 3) == []


def test_of_other_runs_images_it_is_known_which_are_lost(tmp_path: Path) -> None:
    index = Index(tmp_path / "index.sqlite3")
    index.pictures.add(Manifest(run_id=RUN, name="txt2img_001", lost_at="2025-12-26T10:15:00.000Z"))
    index.pictures.add(Manifest(run_id=RUN, name="txt2img_002"))
    index.close()
    asked = [(RUN, "txt2img_001"), (RUN, "txt2img_002"), (RUN, "\ud800'] --"), (LATER, "txt2img_001")]
    assert read_lost([tmp_path / "index.sqlite3"], asked) == {(RUN, "txt2img_001")}
    assert read_lost([tmp_path / "index.sqlite3"], []) == set() == read_lost([tmp_path / "nowhere"], asked)
