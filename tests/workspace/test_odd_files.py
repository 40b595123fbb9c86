"""Links, odd names, files that move under our hands, places that nobody expects: a check says what a careful person would."""

from __future__ import annotations

import os
import socket
import sys
import time
import unicodedata
from pathlib import Path
from typing import Any, Callable

import pytest

from lib_sdpipe.images.read import read_image
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.undo import undo
from tests.reconcile.truth import Truth

RUN = "20260102_030400_cats"
HOUR = 3600

needs_posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no such files")
needs_case = pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this disk is the other kind")


@pytest.fixture
def truth(tmp_path: Path) -> Truth:
    truth = Truth(tmp_path)
    truth.record(RUN, count=2)
    return truth


def first(truth: Truth) -> tuple[Manifest, Path]:
    manifest = truth.manifests_now()[0]
    return manifest, truth.outputs / (manifest.path or "")


def codes(truth: Truth, **options: Any) -> list[str]:
    return sorted(finding.code for finding in truth.check(**options))


def make_old(file: Path) -> None:
    os.utime(file, (time.time() - HOUR, time.time() - HOUR))


def record_as(truth: Truth, manifest: Manifest, path: str) -> None:
    """The image under another name, recorded so."""
    file = truth.outputs / path
    file.parent.mkdir(parents=True, exist_ok=True)
    (truth.outputs / (manifest.path or "")).rename(file)
    run = truth.store.read_run(manifest.run_id or "")
    for entry in run.stage_outputs:
        if entry["name"] == manifest.name:  # type: ignore[index]
            entry["path"] = path  # type: ignore[index]
    truth.store.write_run(run)
    manifest.path = path
    truth.store.write_manifest(manifest)


# --- links ---


@pytest.mark.parametrize("is_deep", [False, True])
@pytest.mark.parametrize("has_text", [False, True])
def test_two_names_of_one_file_are_neither_copies_nor_orphans(truth: Truth, has_text: bool, is_deep: bool) -> None:
    manifest, file = first(truth)
    if not has_text:
        truth.write_picture(file, None, 7)
        facts, _ = read_image(str(file))
        manifest.infotext, manifest.image = None, manifest.image.__class__(**vars(facts))  # type: ignore[union-attr]
        truth.store.write_manifest(manifest)
    os.link(file, truth.outputs / "other name.png")
    assert codes(truth, is_deep=is_deep) == []


def test_two_names_of_a_file_that_nobody_recorded_are_no_copies(truth: Truth) -> None:
    truth.write_picture(truth.outputs / "old" / "a.png", None, 5)
    os.link(truth.outputs / "old" / "a.png", truth.outputs / "old" / "b.png")
    assert codes(truth, is_deep=True) == ["orphaned-image"]


def test_an_image_that_lives_on_under_its_second_name_has_moved(truth: Truth) -> None:
    manifest, file = first(truth)
    os.link(file, truth.outputs / "second.png")
    truth.check()
    file.unlink()
    (finding,) = truth.check()
    assert finding.code == "moved-image" and finding.evidence["to"]["path"] == "second.png"


@needs_posix
def test_an_image_that_was_moved_and_left_a_link_behind_is_there(truth: Truth) -> None:
    _, file = first(truth)
    target = truth.outputs / "best" / "cat.png"
    target.parent.mkdir()
    file.rename(target)
    file.symlink_to(target)
    assert codes(truth) == codes(truth, is_deep=True) == []


@needs_posix
def test_a_folder_that_was_moved_and_left_a_link_behind_is_there(truth: Truth, tmp_path: Path) -> None:
    folder = truth.outputs / "txt2img-images"
    for target in (tmp_path / "bigger disk", truth.outputs / "sorted"):
        folder.resolve().rename(target)
        folder.unlink(missing_ok=True)
        folder.symlink_to(target, target_is_directory=True)
        assert codes(truth) == codes(truth, is_deep=True) == [], "outside the root, or in it under another name"


@needs_posix
def test_a_link_to_nothing_is_missing_until_its_disk_is_back(truth: Truth, tmp_path: Path) -> None:
    _, file = first(truth)
    file.rename(tmp_path / "elsewhere.png")
    file.symlink_to(tmp_path / "elsewhere.png")
    assert codes(truth) == []
    (tmp_path / "elsewhere.png").rename(tmp_path / "unplugged.png")
    assert codes(truth) == ["missing-image"]
    (tmp_path / "unplugged.png").rename(tmp_path / "elsewhere.png")
    assert codes(truth) == []


# --- names ---


@needs_case
def test_on_a_disk_that_tells_capitals_another_name_is_another_place(truth: Truth) -> None:
    _, file = first(truth)
    file.rename(file.with_name(file.name.upper()))
    (finding,) = truth.check()
    assert finding.code == "moved-image"


@pytest.mark.parametrize("rename", [str.upper, lambda name: unicodedata.normalize("NFD", name)], ids=["capitals", "NFD"])
def test_on_a_disk_that_finds_the_recorded_name_the_file_is_there(
    truth: Truth, rename: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders list the file as it is written there, and the disk finds it under both names."""
    manifest, _ = first(truth)
    record_as(truth, manifest, "k\u00e4tzchen.png")
    recorded = truth.outputs / "k\u00e4tzchen.png"
    listed = recorded.rename(recorded.with_name(rename(recorded.name)))
    if not recorded.exists():
        alias(monkeypatch, recorded, listed)
    assert codes(truth) == codes(truth, is_deep=True) == []


def alias(monkeypatch: pytest.MonkeyPatch, name: Path, real: Path) -> None:
    for function in ("stat", "open"):
        original = getattr(os, function)

        def under_both_names(path: Any, *rest: Any, original: Any = original, **named: Any) -> Any:
            return original(str(real) if str(path) == str(name) else path, *rest, **named)

        monkeypatch.setattr(os, function, under_both_names)


@pytest.mark.skipif(sys.platform == "darwin", reason="there it is the same name")
def test_a_name_that_a_mac_has_taken_apart_is_found_and_linked_again(truth: Truth) -> None:
    manifest, _ = first(truth)
    record_as(truth, manifest, "k\u00e4tzchen.png")
    name = unicodedata.normalize("NFD", "k\u00e4tzchen.png")
    (truth.outputs / "k\u00e4tzchen.png").rename(truth.outputs / name)
    (finding,) = truth.check()
    assert finding.code == "moved-image" and finding.evidence["to"]["path"] == name
    assert apply_plan(truth.layout, truth.plan()).done == 1
    assert codes(truth) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows may or may not have long paths switched on")
@pytest.mark.parametrize("path", ["/".join(["f" * 90] * 5) + "/cat.png", "n" * 251 + ".png", "\u00e4" * 125 + ".png"])
def test_long_paths_and_the_longest_names_are_names_like_others(truth: Truth, path: str) -> None:
    manifest, file = first(truth)
    record_as(truth, manifest, path)
    assert codes(truth) == codes(truth, is_deep=True) == []
    target = truth.outputs / path
    truth.write_picture(target, None, manifest.actual_seed or 0)
    os.utime(target, (5, 5))
    assert codes(truth) == ["stripped-image"]
    before = truth.tree()
    assert apply_plan(truth.layout, truth.plan("stripped-image=write-infotext")).failed == []
    assert codes(truth) == []
    undo(truth.layout)
    assert truth.tree() == before


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_names_that_are_not_utf_8_are_looked_at_once_and_never_break_anything(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    raw = os.fsencode(truth.outputs)
    os.mkdir(raw + b"/caf\xe9")
    for seed, name in enumerate((b"/x.png", b"/b\xe4r.png", b"/caf\xe9/b\xe4r.png")):
        truth.write_picture(Path(os.fsdecode(raw + name)), "an old cat", seed)
    assert codes(truth, is_deep=True) == ["orphaned-image", "orphaned-image"]
    monkeypatch.setattr("lib_sdpipe.store.refresh.read_file_head", lambda *_: pytest.fail("read again"))
    found = truth.check(only=frozenset(["orphaned-image"]))
    assert sorted(finding.path or "" for finding in found) == [r"b\udce4r.png", r"caf\udce9/b\udce4r.png", "x.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_an_image_that_moved_to_a_name_that_is_not_utf_8_is_found_and_left_for_its_owner(truth: Truth) -> None:
    _, file = first(truth)
    target = os.fsencode(truth.outputs) + b"/b\xe4r.png"
    os.rename(file, target)
    (finding,) = truth.check()
    assert finding.code == "moved-image" and finding.operations == () and "UTF-8" in finding.evidence["problem"]
    assert truth.plan()["operations"] == []
    os.rename(target, truth.outputs / "b\u00e4r.png")
    assert apply_plan(truth.layout, truth.plan()).done == 1 and codes(truth) == []


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse such names")
def test_a_copy_whose_name_is_not_utf_8_is_refused_politely(truth: Truth) -> None:
    _, file = first(truth)
    target = os.fsencode(truth.outputs) + b"/b\xe4r.png"
    Path(os.fsdecode(target)).write_bytes(file.read_bytes())
    assert codes(truth) == ["duplicated-image"]
    answer = apply_plan(truth.layout, truth.plan("duplicated-image=quarantine"))
    assert answer.done == 0 and len(answer.failed) == 1 and os.path.exists(target)


# --- while somebody else is at it ---


def test_a_file_that_is_being_written_is_judged_later(truth: Truth) -> None:
    manifest, file = first(truth)
    whole = file.read_bytes()
    for target in (file, truth.outputs / "arriving.png"):
        target.write_bytes(whole[:300])
    assert codes(truth) == codes(truth, is_deep=True) == []
    for target in (file, truth.outputs / "arriving.png"):
        make_old(target)
    assert codes(truth) == ["unreadable-image", "unreadable-image"]
    file.write_bytes(whole)
    (truth.outputs / "arriving.png").unlink()
    assert codes(truth) == []


@pytest.mark.parametrize("becomes", ["gone", "other"])
def test_a_file_that_changes_between_look_and_reading_is_judged_by_the_next_check(
    truth: Truth, becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest, file = first(truth)
    truth.write_picture(file, "edited", 1)
    os.utime(file, (5, 5))

    def change(path: str) -> Any:
        result = read_image(path)
        truth.write_picture(file, "edited again", 2)
        return result

    def vanish(path: str) -> Any:
        file.unlink()
        return read_image(path)

    with monkeypatch.context() as patch:
        patch.setattr("lib_sdpipe.workspace.content.read_image", change if becomes == "other" else vanish)
        assert codes(truth) == ([] if becomes == "other" else ["missing-image"])
    assert codes(truth) == (["modified-image"] if becomes == "other" else ["missing-image"])


def test_a_file_that_changes_while_a_deep_check_reads_it_is_not_noted_as_read(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_sdpipe.store import read_content as reading

    _, file = first(truth)
    truth.check()
    real = reading._digest

    def change(opened: Any) -> str:
        if opened.name == str(file):
            os.utime(file, (5, 5))
        return real(opened)

    monkeypatch.setattr(reading, "_digest", change)
    assert codes(truth, is_deep=True) == []
    from lib_sdpipe.index.index import Index

    index = Index(truth.layout.index_file)
    row = index.suspects.file_at("outputs", first(truth)[0].path or "")
    assert row is not None and row.sha256 is None
    index.close()


def test_an_image_that_appears_after_the_look_is_not_called_missing(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    from lib_sdpipe.workspace.check import Checker

    _, file = first(truth)
    hidden = file.rename(truth.base / "hidden.png")
    real = Checker._check_roots

    def appear(checker: Checker) -> Any:
        hidden.rename(file)
        return real(checker)

    monkeypatch.setattr(Checker, "_check_roots", appear)
    assert codes(truth) == []


# --- what may not be read ---


def test_an_image_without_permission_is_no_damage_and_is_tried_again(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    _, file = first(truth)
    make_old(file)
    with monkeypatch.context() as patch:
        refuse(patch, file)
        for is_deep in (False, True, False):
            (finding,) = truth.check(is_deep=is_deep)
            assert finding.code == "unreadable-image" and finding.evidence["problem"] == "cannot be read (Permission denied)"
            assert finding.operations == ()
    assert codes(truth) == [], "the time of the file is the same, and still it is tried again"


def test_a_manifest_without_permission_is_not_made_anew(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, _ = first(truth)
    paths = [truth.layout.manifest_file(RUN, manifest.name or ""), truth.layout.run_file(RUN)]
    with monkeypatch.context() as patch:
        for path in paths:
            refuse(patch, path)
        found = [finding for finding in truth.check() if finding.code.startswith("unreadable")]
        assert [(finding.code, finding.operations) for finding in found] == [("unreadable-run-file", ()), ("unreadable-manifest", ())]
        assert truth.plan()["operations"] == []
    assert codes(truth) == []


def refuse(patch: pytest.MonkeyPatch, refused: Path) -> None:
    """As a file without permission; tests run as root too."""
    import builtins

    for owner, name in ((os, "open"), (builtins, "open")):
        original = getattr(owner, name)

        def guarded(path: Any, *rest: Any, original: Any = original, **named: Any) -> Any:
            if str(path) == str(refused):
                raise PermissionError(13, "Permission denied", str(path))
            return original(path, *rest, **named)

        patch.setattr(owner, name, guarded)


# --- what is no file ---


@needs_posix
def test_pipes_sockets_devices_and_folders_named_like_images_hold_nobody_up(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(truth.outputs / "pipe.png")
    monkeypatch.chdir(truth.outputs)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("socket.png")
        (truth.outputs / "zero.png").symlink_to("/dev/zero")
        truth.write_picture(truth.outputs / "folder.png" / "1.png", None, 1)
        assert codes(truth) == codes(truth, is_deep=True) == ["orphaned-image"], "and the folder is looked into"


@needs_posix
def test_an_image_that_became_a_pipe_is_missing(truth: Truth) -> None:
    _, file = first(truth)
    truth.check()
    file.unlink()
    os.mkfifo(file)
    assert codes(truth) == codes(truth, is_deep=True) == ["missing-image"]
    with pytest.raises(OSError, match="no regular file"):
        read_image(str(file))


# --- roots ---


def set_root(truth: Truth, name: str, folder: Path) -> None:
    Library(truth.layout).set_roots({name: folder})


def test_a_root_inside_another_that_came_later_leaves_records_valid(truth: Truth) -> None:
    set_root(truth, "inner", truth.outputs / "txt2img-images")
    assert codes(truth) == codes(truth, is_deep=True) == []


def test_two_names_for_one_folder_are_looked_at_once(truth: Truth) -> None:
    truth.write_picture(truth.outputs / "old" / "1.png", None, 1)
    set_root(truth, "again", truth.outputs)
    (finding,) = truth.check()
    assert (finding.code, finding.root, finding.count) == ("orphaned-image", "outputs", 1)


def test_a_root_that_is_a_file_is_offline(truth: Truth) -> None:
    truth.check()
    truth.outputs.rename(truth.base / "away")
    truth.outputs.write_bytes(b"")
    (finding,) = truth.check()
    assert finding.code == "unavailable-root" and finding.evidence["reason"] == "Not a directory"


def test_a_root_around_the_runs_folder_does_not_see_into_it(truth: Truth) -> None:
    truth.record("20260102_030401_cats", kept=True)
    set_root(truth, "all", truth.base)
    assert codes(truth) == []


def test_a_root_inside_the_runs_folder_is_looked_at_once(truth: Truth) -> None:
    inside = truth.layout.runs / "images"
    truth.write_picture(inside / "1.png", None, 1)
    set_root(truth, "inside", inside)
    (finding,) = truth.check()
    assert (finding.code, finding.root, finding.count) == ("orphaned-image", "inside", 1)


def test_the_runs_folder_as_an_image_root_is_the_runs_folder(truth: Truth) -> None:
    truth.record("20260102_030401_cats", kept=True)
    set_root(truth, "all-of-it", truth.layout.runs)
    assert codes(truth) == []
