"""The index is brought up to what lies on the disk, however it came there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.index.index import Index
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.refresh import Looked, Refresh
from lib_sdpipe.store.runs import RunStore
from tests.store.picture_files import write_png

RUN = "20251225_143022_a"


class Place:
    """A library with one image root, and its index."""

    def __init__(self, base: Path) -> None:
        self.outputs = base / "outputs"
        self.outputs.mkdir()
        self.layout: Layout = find_layout(base / "runs")
        self.layout.runs.mkdir()
        self.library = Library(self.layout)
        self.library.ensure_roots({"outputs": self.outputs})
        self.store = RunStore(self.layout)
        self.index = Index(self.layout.index_file)

    def look(self, index: Index | None = None) -> Looked:
        return Refresh(self.layout, self.library, index or self.index).look(list(self.store.iter_run_ids()))

    def record(self, run_id: str = RUN, count: int = 2, **fields: Any) -> list[Path]:
        """A run with images in the root; their files."""
        files = []
        for number in range(1, count + 1):
            name = f"txt2img_{number:03d}"
            file = self.outputs / "txt2img-images" / f"{run_id}-{number}.png"
            write_png(file, f"a cat\nSteps: 2, Sampler: Euler, Seed: {number}, Run ID: {run_id}")
            path = file.relative_to(self.outputs).as_posix()
            manifest = Manifest(name=name, run_id=run_id, stage="txt2img", role="final", root="outputs", path=path, **fields)
            self.store.write_manifest(manifest)
            files.append(file)
        self.store.write_run(Run(run_id=run_id, status="completed"))
        return files

    def names(self) -> dict[str, str | None]:
        """What the index knows of the root: file names and what manifests claim them to be."""
        rows = self.index.content()["files"]
        return {row["name"]: row["claim"] for row in rows if row["root"] == "outputs"}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_recorded_and_unrecorded_images_are_known_and_told_apart(place: Place) -> None:
    place.record(count=1)
    write_png(place.outputs / "old.png", None)
    looked = place.look()
    assert place.names() == {f"{RUN}-1.png": "image", "old.png": None}
    assert looked.runs == 1 and looked.unavailable == {}


def test_a_second_look_reads_no_file(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    place.record()
    write_png(place.outputs / "old.png", None)
    place.look()
    before = place.index.content()
    monkeypatch.setattr("lib_sdpipe.store.refresh.read_file_head", lambda *_: pytest.fail("read again"))
    monkeypatch.setattr("lib_sdpipe.store.refresh.read_run_rows", lambda *_: pytest.fail("read again"))
    place.look()
    assert place.index.content() == before


def test_a_file_that_changes_is_read_again_and_known_as_changed(place: Place) -> None:
    (file, _) = place.record()
    place.look()
    write_png(file, "another text", size=20)
    place.look()
    row = place.index.suspects.file_at("outputs", file.relative_to(place.outputs).as_posix())
    assert row is not None and (row.is_changed, row.width, row.run_id, row.claim) == (1, 20, None, "image")


def test_files_folders_and_runs_that_are_gone_leave_the_index(place: Place) -> None:
    place.record()
    write_png(place.outputs / "deep" / "down" / "1.png", None)
    write_png(place.outputs / "2.png", None)
    place.look()
    (place.outputs / "deep").rename(place.layout.runs.parent / "elsewhere")
    (place.outputs / "2.png").unlink()
    (place.layout.runs / RUN).rename(place.layout.runs.parent / RUN)
    place.look()
    assert place.names() == {f"{RUN}-1.png": None, f"{RUN}-2.png": None}, "their manifests are gone: nobody claims them"
    assert place.index.content()["pictures"] == []


def test_what_is_looked_at_run_by_run_equals_what_is_looked_at_at_once(place: Place, tmp_path: Path) -> None:
    for number in range(4):
        place.record(f"20251225_14302{number}_a", count=3)
        Refresh(place.layout, place.library, place.index).look_at_run(f"20251225_14302{number}_a")
    place.look()
    rebuilt = Index(tmp_path / "rebuilt.sqlite3")
    place.look(rebuilt)
    assert rebuilt.content() == place.index.content()


def test_a_root_that_is_away_keeps_what_was_known_of_it(place: Place) -> None:
    place.record()
    place.look()
    away = place.outputs.rename(place.outputs.with_name("away"))
    assert place.look().unavailable == {("outputs", ""): "No such file or directory"}
    assert len(place.names()) == 2
    place.outputs.mkdir()
    assert place.look().unavailable == {("outputs", ""): "empty"}
    assert len(place.names()) == 2
    place.outputs.rmdir()
    away.rename(place.outputs)
    assert place.look().unavailable == {}


def test_a_link_to_nothing_keeps_what_was_known_behind_it(place: Place, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (place.outputs / "big").symlink_to(disk, target_is_directory=True)
    write_png(disk / "sub" / "1.png", None)
    write_png(place.outputs / "2.png", None)
    place.look()
    disk.rename(tmp_path / "unplugged")
    assert place.look().unavailable == {("outputs", "big"): "a link to nothing"}
    assert set(place.names()) == {"1.png", "2.png"}


def test_a_folder_without_permission_keeps_what_was_known_of_it(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    write_png(place.outputs / "closed" / "1.png", None)
    place.look()
    real = os.scandir

    def refuse(path: Any) -> Any:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr("lib_sdpipe.store.scan.os.scandir", refuse)
    assert place.look().unavailable == {("outputs", "closed"): "Permission denied"}
    assert set(place.names()) == {"1.png"}


def test_links_that_lead_in_a_circle_end_somewhere(place: Place) -> None:
    write_png(place.outputs / "a" / "1.png", None)
    (place.outputs / "a" / "again").symlink_to(place.outputs, target_is_directory=True)
    place.look()
    assert list(place.names()) == ["1.png"]


def test_a_root_inside_another_is_looked_at_once(place: Place) -> None:
    inner = place.outputs / "extras"
    write_png(inner / "1.png", None)
    place.library.document["roots"]["extras"] = {"path": "../outputs/extras", "on": {}}
    place.library._roots = {}
    place.look()
    assert [row["root"] for row in place.index.content()["files"]] == ["extras"]


def test_an_image_outside_all_roots_is_looked_at_alone(place: Place, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    write_png(elsewhere / "1.png", None)
    write_png(elsewhere / "2.png", None)
    manifest = Manifest(name="txt2img_001", run_id=RUN, root=None, path=(elsewhere / "1.png").as_posix())
    place.store.write_manifest(manifest)
    place.look()
    assert [(row["name"], row["claim"]) for row in place.index.content()["files"]] == [("1.png", "image")]


def test_quarantine_hidden_files_and_inputs_are_no_images_of_the_library(place: Place) -> None:
    for path in (".sdpipe-quarantine/x/1.png", ".hidden.png", "._2.png"):
        write_png(place.outputs / path, None)
    for path in ("inputs/ab/1.png", ".sdpipe/thumbnails/1.webp"):
        write_png(place.layout.runs / path, None)
    write_png(place.outputs / "3.png", None)
    place.look()
    assert [row["name"] for row in place.index.content()["files"]] == ["3.png"]


def test_an_unreadable_manifest_still_claims_its_image_by_the_run_file(place: Place) -> None:
    (file, _) = place.record()
    run = place.store.read_run(RUN)
    run.stage_outputs = [{"name": "txt2img_001", "root": "outputs", "path": file.relative_to(place.outputs).as_posix()}]
    place.store.write_run(run)
    place.layout.manifest_file(RUN, "txt2img_001").write_text('{"schema": "sdpipe.manifest/1", "name"')
    place.look()
    assert place.names()[file.name] == "image"
    ((_, (first, second)),) = list(place.index.records.iter_runs())
    assert first.picture is None and "not readable JSON" in (first.problem or "") and second.problem is None


def test_ten_thousand_files_in_one_folder(place: Place) -> None:
    first = write_png(place.outputs / "0.png", None)
    for number in range(1, 10_000):
        os.link(first, place.outputs / f"{number}.png")
    place.look()
    assert len(place.names()) == 10_000
