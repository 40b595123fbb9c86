"""A plan somebody else edited: nothing outside the image roots and the runs folder is written, and the reason is said."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.errors import UsageError
from lib_sdpipe.store import confine, put
from lib_sdpipe.store.confine import is_windows_name
from lib_sdpipe.store.library import Library
from tests.store.repair_library import RUN_ID, RepairLibrary, png, seen


@pytest.fixture
def library(tmp_path: Path) -> RepairLibrary:
    return RepairLibrary(tmp_path / "library")


def aside(library: RepairLibrary, **fields: Any) -> dict[str, Any]:
    return library.plan({**library.operation("x", "day/double.png", quarantine=True), **fields})


def reason(answer: Any) -> str:
    (one,) = answer.failed
    return str(one["reason"])


@pytest.mark.parametrize(("root", "path"), [
    ("outputs", "../outside.png"), ("outputs", "day/../../outside.png"), ("outputs", "/etc/hostname"), ("outputs", ""), ("outputs", "a\0b"),
    ("outputs", ".sdpipe-quarantine/x/1.png"), ("runs", ".sdpipe/index.sqlite3"), ("runs", ".SDPIPE/index.sqlite3"),
    ("runs", "library.json"), ("runs", "environments/x.json"), (None, "/a/../etc/hostname"),
])
def test_a_plan_with_a_path_that_leads_out_is_refused_whole(library: RepairLibrary, root: str | None, path: str) -> None:
    before = library.tree()
    with pytest.raises(UsageError, match="operation x"):
        library.apply(aside(library, root=root, path=path))
    assert library.tree() == before


@pytest.mark.parametrize("file", [
    "../x.json", f"{RUN_ID}/../../x.json", "/etc/x.json", "library.json", ".sdpipe/place.json", f"{RUN_ID}/x.png", RUN_ID,
    "notes/x.json", f"{RUN_ID}/.sdpipe/x.json",
])
def test_only_json_files_in_run_folders_are_edited(library: RepairLibrary, file: str) -> None:
    edit = {"file": file, "expects": None, "document": {}}
    with pytest.raises(UsageError, match="no JSON file inside a run folder"):
        library.apply(library.plan(library.operation("x", json=[edit])))


@pytest.mark.parametrize("change", [
    {"schema": "sdpipe.plan/2"}, {"plan_id": None}, {"operations": {}}, {"operations": [5]}, {"operations": [{"id": "x"}]}, {"library": 5},
])
def test_what_is_no_plan_is_refused(library: RepairLibrary, change: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        library.apply({**aside(library), **change})


def test_what_no_file_can_hold_is_refused_or_fails(library: RepairLibrary) -> None:
    deep: Any = {}
    for _ in range(100_000):
        deep = {"x": deep}
    edit = {"file": f"{RUN_ID}/x.json", "expects": None, "document": deep}
    with pytest.raises(UsageError, match="nested too deeply"):
        library.apply(library.plan(library.operation("x", json=[edit])))
    assert reason(library.apply(aside(library, path="\ud800.png", expects={"bytes": None, "sha256": None})))


def test_two_operations_of_one_id_or_on_one_file_are_refused(library: RepairLibrary) -> None:
    one = library.operation("x", "day/double.png", quarantine=True)
    for other in (one, {**one, "id": "y"}):
        with pytest.raises(UsageError):
            library.apply(library.plan(one, other))


def test_an_operation_that_says_something_unknown_is_refused(library: RepairLibrary) -> None:
    with pytest.raises(UsageError, match="nothing else"):
        library.apply(library.plan(library.operation("x", "day/double.png", run="rm -rf")))


def test_a_folder_that_is_a_link_out_of_the_root_is_not_followed_until_it_is_a_root(library: RepairLibrary, tmp_path: Path) -> None:
    drive = tmp_path / "drive"
    drive.mkdir()
    (drive / "1.png").write_bytes(png(1))
    (library.outputs / "linked").symlink_to(drive)
    plan = aside(library, path="linked/1.png", expects=seen(drive / "1.png"))
    assert "a link leads out of its root" in reason(library.apply(plan))
    assert (drive / "1.png").exists()
    Library(library.layout).ensure_roots({"drive": drive})
    assert library.apply(plan).done == 1
    library.undo()
    assert (drive / "1.png").read_bytes() == png(1)


def test_a_run_folder_that_is_a_link_out_gets_no_record(library: RepairLibrary, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    run = library.layout.runs / "20251227_080000_linked"
    run.symlink_to(tmp_path / "elsewhere")
    edit = {"file": f"{run.name}/run_metadata.json", "expects": None, "document": {}}
    assert "link leads out" in reason(library.apply(library.plan(library.operation("x", json=[edit]))))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_quarantine_that_is_a_link_out_takes_nothing(library: RepairLibrary, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (library.outputs / ".sdpipe-quarantine").symlink_to(tmp_path / "elsewhere")
    assert "link leads out" in reason(library.apply(aside(library)))
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_file_that_is_a_link_is_left_to_a_person(library: RepairLibrary) -> None:
    (library.outputs / "link.png").symlink_to("day/1.png")
    answer = library.apply(aside(library, path="link.png", expects={"bytes": None, "sha256": None}))
    assert "is a link; name the file it leads to" in reason(answer)


def test_a_loop_of_links_is_one_sentence(library: RepairLibrary) -> None:
    (library.outputs / "loop").symlink_to(library.outputs / "loop")
    assert reason(library.apply(aside(library, path="loop/1.png")))


def test_outside_all_roots_nothing_but_an_image_that_a_manifest_names(library: RepairLibrary, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_bytes(b"x")
    library.manifest(1).write_text(f'{{"schema": "sdpipe.manifest/1", "root": null, "path": "{tmp_path.as_posix()}/secret.txt"}}')
    plan = aside(library, root=None, path=f"{tmp_path.as_posix()}/secret.txt", expects=seen(tmp_path / "secret.txt"))
    assert "is no image" in reason(library.apply(plan))


def test_a_root_that_is_away_or_unknown_fails_only_its_operations(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    library.outputs.rename(library.top / "away")
    answer = library.apply(plan)
    assert {one["id"]: one["reason"].split(": ")[-1] for one in answer.failed}.keys() == {"double", "text", "broken", "relink"}
    assert "is not there" in answer.failed[0]["reason"]
    unknown = library.plan({**library.operation("x", "a.png", quarantine=True), "root": "drive-9"}, plan_id="other")
    assert "has no root 'drive-9'" in reason(library.apply(unknown))


def test_a_name_in_other_capitals_is_not_moved(library: RepairLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk does not tell capitals, the way there and back would rename the file. A link stands for such a disk."""
    os.link(library.outputs / "day" / "double.png", library.outputs / "day" / "DOUBLE.PNG")
    monkeypatch.setattr(confine.os, "listdir", lambda folder: ["DOUBLE.PNG"])
    assert "other capitals" in reason(library.apply(aside(library)))


def test_a_copy_must_be_the_copy_that_was_planned(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    (library.top / "copies" / "2.png").write_bytes(png(3))
    assert "the copy has" in reason(library.apply(plan))


def test_without_hard_links_a_file_is_moved_all_the_same(library: RepairLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(source: Path, target: Path) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    before = library.tree()
    monkeypatch.setattr(put.os, "link", refuse)
    assert library.apply(library.mixed_plan()).failed == []
    assert library.undo().failed == []
    assert library.tree() == before


def test_a_move_never_goes_over_another_file(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).write_text(name)
    with pytest.raises(FileExistsError):
        put.move_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "b"


@pytest.mark.parametrize("name", ["con", "NUL.png", "com1.json", "a.", "a ", "a:b", "a\\b", "a?", "a\tb"])
def test_names_that_windows_takes_for_something_else(name: str) -> None:
    assert not is_windows_name(name) and is_windows_name(f"x{name.strip('. ')}".translate(str.maketrans(":\\?\t", "____")))
