"""What a plan mends is mended, what is undone is as it was, file for file."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Callable

import pytest

from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.store.undo import undo
from tests.reconcile.test_truth import make
from tests.reconcile.truth import DAMAGES, Truth, damage_manifest, damage_modified, damage_moved, damage_run_id, damage_truncated

EVERYTHING = (
    "missing-image=mark-lost", "modified-image=accept", "retagged-image=accept", "stripped-image=write-infotext",
    "duplicated-image=quarantine", "unreadable-image=quarantine",
)
# Adopting has a plan of its own.
LEFT = {"orphaned-image"}
# What was moved and lost its text is found in its place first; that its text is gone is the next finding.
# Of two copies of a lost image one is too many.
IN_TWO_STEPS = {"stripped-image", "duplicated-image"}


def codes(truth: Truth) -> set[str]:
    """Of what could be mended: the rest is for a person, or nobody's to touch."""
    return {finding.code for finding in truth.check() if finding.operations}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_is_mended_and_undone(damage: Callable[[Truth], None], tmp_path: Path) -> None:
    truth = make(tmp_path, runs=3)
    damage(truth)
    before = truth.tree()
    plan = truth.plan(*EVERYTHING)
    answer = apply_plan(truth.layout, plan)
    assert answer.failed == [] and answer.done == len(plan["operations"])
    assert codes(truth) <= LEFT | IN_TWO_STEPS
    again = apply_plan(truth.layout, plan)
    assert (again.done, again.failed) == (0, []), "applied twice is applied once"
    if plan["operations"]:
        back = undo(truth.layout)
        assert back.failed == []
    assert truth.tree() == before
    assert truth.found() == truth.expected


@pytest.mark.parametrize("seed", range(8))
def test_many_damages_are_mended_and_undone(seed: int, tmp_path: Path) -> None:
    truth = make(tmp_path, seed, runs=12)
    chooser = random.Random(seed)
    for damage in chooser.sample(DAMAGES, chooser.randint(5, 10)):
        damage(truth)
    before = truth.tree()
    answer = apply_plan(truth.layout, truth.plan(*EVERYTHING))
    assert answer.failed == []
    assert codes(truth) <= LEFT | IN_TWO_STEPS
    apply_plan(truth.layout, truth.plan(*EVERYTHING))
    assert codes(truth) <= LEFT, "a second plan is enough for everything"
    while undo(truth.layout).done:
        pass
    assert truth.tree() == before
    assert truth.found() == truth.expected


def test_by_itself_a_plan_changes_records_only(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=18)
    for damage in DAMAGES:
        damage(truth)
    before = truth.tree()
    apply_plan(truth.layout, truth.plan())
    changed = {path for path, file in truth.tree().items() if before.get(path) != file} | (set(before) - set(truth.tree()))
    assert changed and all(path.startswith("runs/") and path.endswith(".json") for path in changed)


def test_a_damaged_image_comes_back_from_its_kept_copy(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    before = truth.tree()
    damage_truncated(truth)
    damage_modified(truth)
    answer = apply_plan(truth.layout, truth.plan("unreadable-image=restore", "modified-image=restore"))
    assert answer.failed == [] and answer.done == 2
    assert truth.found() == {}
    assert {path: file[0] for path, file in truth.tree().items()} == {path: file[0] for path, file in before.items()}


def test_an_accepted_image_keeps_what_it_was(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    damage_modified(truth)
    ((_, _, path),) = truth.expected
    apply_plan(truth.layout, truth.plan("modified-image=accept"))
    (manifest,) = [m for m in truth.manifests_now() if m.path == path]
    (revision,) = manifest.revisions
    assert revision["reason"] == "modified-image" and revision["image"]["sha256"] != manifest.image.sha256  # type: ignore[union-attr]


def test_a_rebuilt_manifest_says_what_was_concluded(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    damage_manifest(truth)
    ((_, _, path),) = truth.expected
    apply_plan(truth.layout, truth.plan())
    (manifest,) = [m for m in truth.manifests_now() if (path or "").endswith(f"{m.name}.json")]
    assert manifest.prompt == f"a cat, {manifest.actual_seed}" and manifest.path and manifest.image
    assert {"image", "prompt", "actual_seed", "infotext", "job_id", "timestamp"} <= set(manifest.inferred)
    assert truth.found() == {}


def test_a_moved_image_is_known_in_its_new_place_by_both_records(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    damage_moved(truth)
    apply_plan(truth.layout, truth.plan())
    (manifest,) = [m for m in truth.manifests_now() if "best/" in (m.path or "")]
    (entry,) = [output for output in truth.store.read_run(manifest.run_id or "").stage_outputs if output["name"] == manifest.name]
    assert entry["path"] == manifest.path


def test_two_findings_on_one_manifest_are_mended_in_one_plan(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    damage_moved(truth)
    truth.touched.clear()
    for _ in range(4):
        damage_run_id(truth)
    assert apply_plan(truth.layout, truth.plan()).failed == []
    assert truth.found() == {}


def test_a_manifest_moved_from_another_run_keeps_the_run_that_it_names(tmp_path: Path) -> None:
    """Its image and the run itself bear it out: folder and run file, which only speak for each other, do not outvote them."""
    truth = make(tmp_path, runs=2)
    first, second = sorted({manifest.run_id or "" for manifest in truth.manifests_now()})
    name = next(manifest.name or "" for manifest in truth.manifests_now() if manifest.run_id == first)
    moved = truth.layout.manifest_file(second, "txt2img_077")
    truth.layout.manifest_file(first, name).rename(moved)
    (conflict,) = [finding for finding in truth.check() if finding.code == "conflicting-run-id"]
    assert conflict.operations == () and "run" in conflict.evidence["seconded_by"]
    assert apply_plan(truth.layout, truth.plan()).failed == []
    assert json.loads(moved.read_bytes())["run_id"] == first
    assert {finding.code for finding in truth.check()} == {"conflicting-run-id"}, "the run file lists it under the name of its file"


def test_a_run_file_of_a_wrong_schema_is_made_anew(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    file = truth.layout.run_file(truth.manifests_now()[0].run_id or "")
    file.write_text('{"schema": "sdpipe.manifest/1", "name": "txt2img_001"}')
    before = truth.tree()
    assert codes(truth) == {"unreadable-run-file"}
    assert apply_plan(truth.layout, truth.plan()).failed == []
    assert codes(truth) == set()
    undo(truth.layout)
    assert truth.tree() == before


def test_a_run_with_a_record_of_a_later_version_is_listed_whole(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    manifests = truth.manifests_now()
    newer, gone = (truth.layout.manifest_file(manifest.run_id or "", manifest.name or "") for manifest in manifests[:2])
    newer.write_text(newer.read_text().replace("sdpipe.manifest/1", "sdpipe.manifest/9"))
    gone.unlink()
    assert apply_plan(truth.layout, truth.plan()).failed == []
    assert "incomplete-run" not in codes(truth)
    listed = json.loads(truth.layout.run_file(manifests[0].run_id or "").read_bytes())["stage_outputs"]
    assert (listed[0]["name"], listed[0]["path"]) == (manifests[0].name, manifests[0].path)


def test_an_image_renamed_over_another_is_linked_and_the_other_is_for_a_person(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=3)
    (one, first), (lost, second) = truth.take(kept=False), truth.take(kept=False)
    first.replace(second)
    moved = {finding.path: finding for finding in truth.check()}
    assert {path: finding.code for path, finding in moved.items()} == {one.path: "moved-image", lost.path: "modified-image"}
    assert apply_plan(truth.layout, truth.plan()).done == 1
    (left,) = truth.check()
    assert (left.run_id, left.name) == (lost.run_id, lost.name)
    assert left.code in ("missing-image", "modified-image"), "whose record claims the name is the newer run's"


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="a system without /dev/zero")
def test_a_record_that_names_a_device_does_not_keep_a_plan(tmp_path: Path) -> None:
    truth = make(tmp_path, runs=1)
    manifest = truth.manifests_now()[0]
    file = truth.layout.manifest_file(manifest.run_id or "", manifest.name or "")
    file.write_text(json.dumps({**json.loads(file.read_bytes()), "root": None, "path": "/dev/zero"}))
    assert "unreadable-image" in codes(truth)
    plan = truth.plan("unreadable-image=quarantine")
    assert apply_plan(truth.layout, plan).done == 0 and Path("/dev/zero").exists()
