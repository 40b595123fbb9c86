"""Lines become files, whatever else is wrong."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.record.completion import Completion
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.saved_file import read_stamp
from tests.images.test_digest import noise

RUN = "20251225_143022_a"


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(find_layout(tmp_path / "runs"))


@pytest.fixture
def completion(store: RunStore) -> Completion:
    made = Completion(store, Library(store.layout))
    made.handle({
        "kind": "run", "run_id": RUN, "has_folder": False, "options": {}, "not_replayable": [],
        "run": {"run_id": RUN, "status": "running", "config": {}},
    })
    return made


def promise(completion: Completion, path: Path, **values: Any) -> None:
    manifest = {"name": "txt2img_001", "run_id": RUN, "stage": "txt2img", "role": "final", **values}
    completion.handle({
        "kind": "image", "run_id": RUN, "name": "txt2img_001", "pass": 0, "input": 0, "path": str(path), "before": None,
        "manifest": manifest,
    })


def save_with_text(path: Path, text: str, seed: int, note: str = "") -> None:
    chunks = PngInfo()
    chunks.add_text("parameters", text)
    chunks.add_text("note", note)
    noise(seed=seed).save(path, pnginfo=chunks)


def saved(completion: Completion, path: Path, stamp: Any = None) -> None:
    line = {"kind": "saved", "run_id": RUN, "name": "txt2img_001", "path": str(path), "stamp": stamp.to_json() if stamp else None}
    completion.handle(line, Extras())


def test_an_impossible_value_costs_its_field_and_nothing_else(completion: Completion, store: RunStore, tmp_path: Path) -> None:
    noise().save(tmp_path / "1.png")
    promise(completion, tmp_path / "1.png", infotext=["not a text"], loras="x", actual_seed=7)
    saved(completion, tmp_path / "1.png")
    manifest = store.read_manifest(RUN, "txt2img_001")
    assert (manifest.infotext, manifest.loras, manifest.actual_seed) == (None, [], 7)
    assert manifest.image is not None and manifest.image.sha256


def test_a_file_that_was_overwritten_at_once_lends_nobody_elses_digests(completion: Completion, store: RunStore, tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    noise(seed=1).save(path)
    stamp = read_stamp(str(path))
    promise(completion, path)
    noise(64, 49, seed=2).save(path)
    saved(completion, path, stamp)
    manifest = store.read_manifest(RUN, "txt2img_001")
    assert manifest.image is None and manifest.lost_at


def test_a_file_that_another_extension_worked_on_is_still_this_image(completion: Completion, store: RunStore, tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    save_with_text(path, "a cat\nSteps: 2, Seed: 7, Size: 64x48", seed=1)
    stamp = read_stamp(str(path))
    promise(completion, path, infotext="a cat\nSteps: 2, Seed: 7, Size: 64x48")
    save_with_text(path, "a cat\nSteps: 2, Seed: 7, Size: 64x48", seed=1, note="watermarked")
    saved(completion, path, stamp)
    manifest = store.read_manifest(RUN, "txt2img_001")
    assert manifest.image is not None and manifest.image.bytes == path.stat().st_size and manifest.lost_at is None


def test_what_the_host_wrote_beside_an_image_is_named_and_older_files_are_not(
    completion: Completion, store: RunStore, tmp_path: Path
) -> None:
    for name in ("1.txt", "1.jpg"):
        (tmp_path / name).write_text("x")
    os.utime(tmp_path / "1.jpg", (1e9, 1e9))
    noise().save(tmp_path / "1.png")
    promise(completion, tmp_path / "1.png")
    saved(completion, tmp_path / "1.png")
    assert store.read_manifest(RUN, "txt2img_001").beside == ["1.txt"]


def test_a_file_outside_all_roots_makes_its_folder_one(completion: Completion, store: RunStore, tmp_path: Path) -> None:
    path = tmp_path / "elsewhere" / "2026-01-01" / "1.png"
    path.parent.mkdir(parents=True)
    noise().save(path)
    completion.handle({
        "kind": "image", "run_id": RUN, "name": "txt2img_001", "pass": 0, "path": str(path), "folder": str(tmp_path / "elsewhere"),
        "before": None, "manifest": {"name": "txt2img_001", "run_id": RUN, "stage": "txt2img", "role": "final"},
    })
    saved(completion, path)
    manifest = store.read_manifest(RUN, "txt2img_001")
    assert (manifest.root, manifest.path) == ("elsewhere", "2026-01-01/1.png")


def test_a_file_that_is_gone_still_has_its_record(completion: Completion, store: RunStore, tmp_path: Path) -> None:
    promise(completion, tmp_path / "1.png", actual_seed=7)
    saved(completion, tmp_path / "1.png")
    assert store.read_manifest(RUN, "txt2img_001").actual_seed == 7


def test_a_file_that_was_moved_away_at_once_can_still_be_found_by_what_it_shows(
    completion: Completion, store: RunStore, tmp_path: Path
) -> None:
    for number, (ending, expected) in enumerate(((".png", pixel_sha256(noise())), (".webp", None)), 1):
        name, path = f"txt2img_{number:03d}", tmp_path / f"1{ending}"
        completion.handle({
            "kind": "image", "run_id": RUN, "name": name, "pass": 0, "path": str(path), "before": None,
            "manifest": {"name": name, "run_id": RUN, "stage": "txt2img", "role": "final"},
        })
        completion.handle({"kind": "saved", "run_id": RUN, "name": name, "path": str(path), "stamp": None}, Extras({"written": noise()}))
        image = store.read_manifest(RUN, name).image
        assert image is not None and (image.sha256, image.pixel_sha256) == (None, expected) and image.perceptual_hash


def test_a_promise_whose_file_never_came_leaves_no_manifest(completion: Completion, store: RunStore, tmp_path: Path) -> None:
    promise(completion, tmp_path / "1.png")
    completion.handle({"kind": "end", "run_id": RUN, "run": {"status": "interrupted", "finished_at": "x", "process": None}})
    assert list(store.iter_manifests(RUN)) == []
    assert store.read_run(RUN).status == "interrupted"


def test_lines_of_another_run_or_a_later_version_are_passed_over(completion: Completion, store: RunStore) -> None:
    completion.handle({"kind": "saved", "run_id": "other", "name": "x", "path": "y"})
    completion.handle({"kind": "from a later version", "run_id": RUN})
    completion.handle({"kind": "end", "run_id": "other", "run": {}})
    assert store.read_run(RUN).status == "running"


def test_inputs_are_stored_once_and_never_without_leave(store: RunStore) -> None:
    for keep, expected in ((True, "$input"), (False, None)):
        completion = Completion(store, Library(store.layout))
        completion.handle({
            "kind": "run", "run_id": f"{RUN}{keep}", "has_folder": False, "options": {"keep_inputs": keep}, "not_replayable": [],
            "run": {"run_id": f"{RUN}{keep}", "config": {"init_images": [{"$picture": "p0"}], "mask": {"$picture": "p0"}}},
        }, Extras({"p0": noise()}))
        run = store.read_run(f"{RUN}{keep}")
        found = [list(run.config["init_images"][0] or {None: 0})[0], run.config["mask"]]
        assert found[0] == expected and found[1] == run.config["init_images"][0]
        assert run.replayable is keep
    assert len(list((store.layout.runs / "inputs").rglob("*.png"))) == 1
