"""Throwing away: all that belongs to an image goes with it, a check finds nothing new, and what comes back is as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.errors import LockedError, NotAllowedError, UnknownNameError
from lib_sdpipe.index.index import open_index
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.reconcile.cull import ImageKey
from lib_sdpipe.store.repair import hold_repairs
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.bin import empty_bin, restore, view_bin
from lib_sdpipe.workspace.cull import look_at_cull
from lib_sdpipe.workspace.cull_deed import cull
from tests.store.repair_library import png
from tests.workspace.culling import OTHER_RUN, RUN, CullLibrary, recorded, unrecorded

FOREVER = 4e9


@pytest.fixture
def library(tmp_path: Path) -> CullLibrary:
    return CullLibrary(tmp_path / "library")


def index_content(library: CullLibrary) -> Any:
    with open_index(library.layout.index_places) as index:
        return index.content()


def listed_runs(library: CullLibrary) -> set[str]:
    with open_index(library.layout.index_places) as index:
        return {found.run_id for found in index.run_search.find("", 10).runs}


def test_all_that_belongs_to_an_image_goes_with_it_and_a_check_finds_nothing_new(library: CullLibrary) -> None:
    before = library.findings()
    answer = library.cull(recorded(1), unrecorded(5))
    assert (answer.done, answer.failed) == (2, [])
    gone = set(library.contents())
    assert {"outputs/day/1.png", "outputs/day/1.txt", "outputs/day/1.jpg", "outputs/old/5.png", "outputs/old/5.txt"}.isdisjoint(gone)
    assert f"runs/{RUN}/txt2img/txt2img_001.png" not in gone
    assert {"outputs/.sdpipe-quarantine/ID/day/1.jpg", "outputs/.sdpipe-quarantine/ID/old/5.txt"} < gone
    assert json.loads(library.manifest(1).read_bytes())["lost_at"].endswith("Z")
    assert library.findings() <= before


def test_what_comes_back_is_as_it_was_to_the_last_bit(library: CullLibrary) -> None:
    before, content = library.tree(), index_content(library)
    answer = library.cull(recorded(1), recorded(2), unrecorded(5), runs=(OTHER_RUN,))
    assert answer.done == 4
    assert restore(library.workspace, str(answer.apply_id)).failed == []
    assert library.tree() == before
    assert index_content(library) == content


def test_the_index_knows_at_once_what_a_look_at_the_disk_would_tell(library: CullLibrary) -> None:
    answer = library.cull(recorded(1), unrecorded(5))
    told = index_content(library)
    library.findings()
    assert index_content(library) == told
    (cull,) = view_bin(library.workspace).culls
    restore(library.workspace, str(answer.apply_id), [cull.items[0].image.op])
    told = index_content(library)
    library.findings()
    assert index_content(library) == told


def test_one_of_several_comes_back_alone(library: CullLibrary) -> None:
    before = library.tree()
    answer = library.cull(recorded(1), recorded(2), unrecorded(5))
    (cull,) = view_bin(library.workspace).culls
    ops = {str(item.key): item.image.op for item in cull.items}
    assert restore(library.workspace, str(answer.apply_id), [ops[f"{RUN}/txt2img_002"]]).done == 1
    assert library.manifest(2).read_bytes() == before[f"runs/{RUN}/manifests/txt2img_002.json"][0]
    assert (library.outputs / "day" / "2.png").exists() and not (library.outputs / "day" / "1.png").exists()
    (cull,) = view_bin(library.workspace).culls
    assert {str(item.key) for item in cull.items} == {f"{RUN}/txt2img_001", "outputs: old/5.png"}
    restore(library.workspace, str(answer.apply_id))
    assert library.tree() == before and view_bin(library.workspace).culls == []


def test_an_old_place_that_is_taken_is_said_and_never_written_over(library: CullLibrary) -> None:
    answer = library.cull(recorded(2), unrecorded(6))
    library.write("day/2.png", b"another picture")
    restored = restore(library.workspace, str(answer.apply_id))
    assert restored.done == 1 and "another file has this name now" in restored.failed[0]["reason"]
    assert (library.outputs / "day" / "2.png").read_bytes() == b"another picture"
    assert json.loads(library.manifest(2).read_bytes())["lost_at"] is not None
    (library.outputs / "day" / "2.png").unlink()
    assert restore(library.workspace, str(answer.apply_id)).failed == []


def test_a_whole_run_goes_its_records_stay_and_it_is_known_to_be_empty(library: CullLibrary) -> None:
    before = library.findings()
    assert library.cull(runs=(RUN,)).done == 3
    assert library.run.joinpath("run_metadata.json").exists() and len(list(library.run.joinpath("manifests").iterdir())) == 3
    assert RUN not in listed_runs(library)
    assert library.findings() <= before
    view = look_at_cull(library.workspace, [], [RUN])
    assert view.items == [] and "already" in view.refused[0][1]


def test_a_run_without_images_can_go_too_and_one_that_is_being_recorded_cannot(library: CullLibrary) -> None:
    library.store.write_run(Run(run_id="20251227_080000_failed", status="failed"))
    library.store.write_run(Run(run_id="20251227_090000_now", status="running"))
    answer = library.cull(runs=("20251227_080000_failed", "20251227_090000_now"))
    assert answer.done == 1 and "being recorded" in answer.failed[0][1]
    assert json.loads(library.layout.run_file("20251227_080000_failed").read_bytes())["lost_at"]
    assert "20251227_080000_failed" not in listed_runs(library)
    restore(library.workspace, str(answer.apply_id))
    assert "20251227_080000_failed" in listed_runs(library)
    assert "lost_at" not in json.loads(library.layout.run_file("20251227_080000_failed").read_bytes())


def test_a_file_that_changed_since_it_was_shown_stays_and_is_told(library: CullLibrary) -> None:
    view = look_at_cull(library.workspace, [recorded(2), unrecorded(5), unrecorded(6)])
    library.write("day/2.png", png(9, "painted over"))
    library.write("old/5.png", png(10))
    answer = cull(library.workspace, view)
    assert answer.done == 1 and [key for key, _ in answer.failed] == [recorded(2), unrecorded(5)]
    assert all("changed since it was shown" in reason for _, reason in answer.failed)
    assert (library.outputs / "day" / "2.png").read_bytes() == png(9, "painted over") and library.manifest(2).exists()


def test_a_file_that_is_another_picture_than_the_page_shows_is_refused(library: CullLibrary) -> None:
    manifest = library.store.read_manifest(RUN, "txt2img_003")
    library.store.write_manifest(manifest.copy(update={"image": manifest.image.copy(update={"pixel_sha256": "0" * 64})}))
    library.write("day/3.png", png(33, "something else, and longer"))
    view = look_at_cull(library.workspace, [recorded(3)])
    assert view.items == [] and "another picture" in view.refused[0][1]


def test_what_was_made_from_it_and_copies_of_the_save_button_are_told_and_stay(library: CullLibrary) -> None:
    copy = library.top / "saved.png"
    copy.write_bytes((library.outputs / "day" / "2.png").read_bytes())
    with open_index(library.layout.index_places) as index:
        index.pictures.add_copy(str(copy), RUN, "txt2img_002", "pixels")
    (item,) = look_at_cull(library.workspace, [recorded(2)]).items
    assert item.children == (ImageKey(OTHER_RUN, "img2img_001"),) and item.stays == (copy.as_posix(),)
    (alone, _) = look_at_cull(library.workspace, [recorded(2), ImageKey(OTHER_RUN, "img2img_001")]).items
    assert alone.children == ()
    library.cull(recorded(2))
    assert copy.exists() and (library.outputs / "day" / "4.png").exists()


def test_what_a_preview_counts_is_what_is_moved(library: CullLibrary) -> None:
    view = look_at_cull(library.workspace, [recorded(1), unrecorded(5)])
    names = ("day/1.png", "day/1.txt", "day/1.jpg", "old/5.png", "old/5.txt")
    sizes = [(library.outputs / name).stat().st_size for name in names]
    assert view.count == 2 and view.bytes == sum(sizes), "a second name is no second file"
    library.cull(recorded(1), unrecorded(5))
    (culled,) = view_bin(library.workspace).culls
    assert culled.bytes == view.bytes


@pytest.mark.parametrize(("key", "words"), [
    (ImageKey(RUN, "txt2img_009"), "no manifest"), (ImageKey("20990101_000000_x", "txt2img_001"), "no manifest"),
    (ImageKey(RUN, "../x"), "not a manifest name"), (ImageKey("../x", "txt2img_001"), "not a run id"),
    (ImageKey(root="outputs", path="../runs/library.json"), "no image"),
    (ImageKey(root="outputs", path="../x.png"), "SDPipe moves nothing"),
    (ImageKey(root="nowhere", path="x.png"), "no root"), (ImageKey(root="outputs", path="old/9.png"), "not there"),
    (ImageKey(root=None, path="/etc/passwd.png"), "no image"), (ImageKey(root="outputs", path="link/6.png"), "a link leads out"),
    (ImageKey(root="outputs", path="old/\0.png"), "SDPipe moves nothing"),
    (ImageKey(root="runs", path="library.png"), "SDPipe moves nothing"),
    (ImageKey(root="outputs", path="day/1.jpg"), "belongs to image"),
])
def test_what_cannot_go_is_refused_with_a_sentence_and_nothing_is_touched(library: CullLibrary, key: ImageKey, words: str) -> None:
    (library.top / "elsewhere").mkdir()
    (library.top / "elsewhere" / "6.png").write_bytes(png(6))
    (library.outputs / "link").symlink_to(library.top / "elsewhere", target_is_directory=True)
    before = library.tree()
    answer = library.cull(key)
    assert answer.done == 0 and words in answer.failed[0][1]
    assert library.tree() == before


def test_a_recorded_image_that_was_named_by_its_place_is_its_record(library: CullLibrary) -> None:
    (item,) = look_at_cull(library.workspace, [ImageKey(root="outputs", path="day/1.png"), recorded(1)]).items
    assert item.key == recorded(1)


def test_a_missing_image_goes_by_its_record_alone(library: CullLibrary) -> None:
    (library.outputs / "day" / "3.png").unlink()
    before = library.findings()
    answer = library.cull(recorded(3))
    assert answer.done == 1
    assert library.findings() == before - {("missing-image", "day/3.png", "txt2img_003")}
    (cull,) = view_bin(library.workspace).culls
    assert cull.items[0].state == "record"


def test_a_text_that_another_image_of_that_name_needs_too_stays(library: CullLibrary) -> None:
    library.write("old/5.webp", png(7))
    library.cull(unrecorded(5))
    assert (library.outputs / "old" / "5.txt").exists()


def test_the_last_image_of_a_root_does_not_make_it_seem_away(tmp_path: Path) -> None:
    library = CullLibrary(tmp_path / "library")
    prints = tmp_path / "library" / "prints"
    prints.mkdir()
    from lib_sdpipe.store.library import Library

    Library(library.layout).ensure_roots({"prints": prints})
    (prints / "8.png").write_bytes(png(8))
    library.store.write_manifest(Manifest(run_id=RUN, name="txt2img_008", root="prints", path="8.png"))
    before = library.findings()
    library.cull(ImageKey(RUN, "txt2img_008"))
    assert library.findings() <= before
    empty_bin(library.workspace, FOREVER, is_meant=True)
    assert library.findings() <= before


def test_emptying_says_what_it_frees_and_then_nothing_of_it_is_left(library: CullLibrary) -> None:
    answer = library.cull(recorded(1), unrecorded(5))
    counted = empty_bin(library.workspace, FOREVER, is_meant=False)
    assert counted.files == 6 and not counted.is_done
    assert empty_bin(library.workspace, FOREVER, is_meant=True).files == 6
    assert view_bin(library.workspace).culls == []
    failed = restore(library.workspace, str(answer.apply_id)).failed
    assert len(failed) == 2 and "purged" in failed[0]["reason"]
    assert json.loads(library.manifest(1).read_bytes())["lost_at"], "its record says where it went"


def test_only_one_at_a_time(library: CullLibrary) -> None:
    view = look_at_cull(library.workspace, [recorded(1)])
    before = library.tree()
    with hold_repairs(library.layout, "apply"), pytest.raises(LockedError, match="apply"):
        cull(library.workspace, view)
    assert library.tree() == before


def test_who_sees_own_runs_only_throws_away_and_restores_own_images_only(library: CullLibrary) -> None:
    for run_id, user in ((RUN, "ann"), (OTHER_RUN, "bob")):
        library.store.write_run(library.store.read_run(run_id).copy(update={"user": user}))
    everybodys = str(library.cull(recorded(1), ImageKey(OTHER_RUN, "img2img_001"), unrecorded(5)).apply_id)
    ann = Workspace(library.layout, viewer="ann")
    assert [str(item.key) for item in view_bin(ann).culls[0].items] == [f"{RUN}/txt2img_001"]
    assert len(look_at_cull(ann, [recorded(2), ImageKey(OTHER_RUN, "img2img_001"), unrecorded(6)], [OTHER_RUN]).refused) == 3
    ops = {str(item.key): item.image.op for item in view_bin(library.workspace).culls[0].items}
    with pytest.raises(UnknownNameError):
        restore(ann, everybodys, [ops[f"{OTHER_RUN}/img2img_001"]])
    assert restore(ann, everybodys).done == 1 and len(view_bin(library.workspace).culls[0].items) == 2
    with pytest.raises(NotAllowedError):
        empty_bin(ann, FOREVER, is_meant=True)
