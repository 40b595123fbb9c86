"""`apply` and `undo` of whole plans: what is done, what is refused, and that the way back leads to the very same tree."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.errors import LockedError, UsageError
from lib_sdpipe.images.edit import edit_infotext
from lib_sdpipe.store.filelock import hold_lock
from tests.images.test_digest import noise
from tests.store.repair_library import RUN_ID, RepairLibrary, png, seen


@pytest.fixture
def library(tmp_path: Path) -> RepairLibrary:
    return RepairLibrary(tmp_path / "library")


def document_of(path: Path) -> dict[str, Any]:
    return json.loads(path.read_bytes())


def reasons(answer: Any) -> dict[str, str]:
    return {one["id"]: one["reason"] for one in answer.failed}


def test_a_plan_is_done_and_its_undo_leaves_the_same_tree_byte_for_byte_with_modes_and_times(library: RepairLibrary) -> None:
    before, plan = library.tree(), library.mixed_plan()
    image = library.outputs / "day" / "1.png"
    old = image.stat()
    answer = library.apply(plan)
    assert (answer.done, answer.skipped, answer.failed) == (7, 0, [])
    assert image.read_bytes() == png(1, "a lighthouse 1, at night")
    assert (image.stat().st_mtime_ns, image.stat().st_mode) == (old.st_mtime_ns, old.st_mode), "an edited image keeps its time"
    aside = library.outputs / ".sdpipe-quarantine" / str(answer.apply_id) / "day"
    assert sorted(path.name for path in aside.iterdir()) == ["broken.png", "double.png"]
    copy, restored = library.top / "copies" / "2.png", library.outputs / "day" / "broken.png"
    assert (restored.read_bytes(), restored.stat().st_mtime_ns) == (copy.read_bytes(), copy.stat().st_mtime_ns)
    run = document_of(library.run / "run_metadata.json")
    assert [one["name"] for one in run["stage_outputs"]] == ["txt2img_003", "txt2img_002"], "two operations on one record"
    assert run["status"] == "abandoned" and run["label"] == "a"
    assert document_of(library.manifest(2)) == {"schema": "sdpipe.manifest/1"}
    answer = library.undo()
    assert (answer.done, answer.skipped, answer.failed) == (7, 0, [])
    assert library.tree() == before


def test_applied_twice_it_is_done_once(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    library.apply(plan)
    after = library.tree()
    answer = library.apply(plan)
    assert (answer.done, answer.skipped, answer.failed) == (0, 7, [])
    assert library.tree() == after
    library.undo()
    assert library.undo().plan_id is None, "one undo takes back both"


def test_without_its_journal_a_plan_still_knows_what_is_done(library: RepairLibrary) -> None:
    """`.sdpipe` may be deleted at any time; only the way back is lost."""
    plan = library.mixed_plan()
    library.apply(plan)
    for path in library.layout.journal.iterdir():
        path.unlink()
    answer = library.apply(plan)
    assert (answer.done, answer.skipped, answer.failed) == (0, 7, [])


def test_after_an_undo_the_plan_can_be_applied_again(library: RepairLibrary) -> None:
    before, plan = library.tree(), library.mixed_plan()
    first = library.apply(plan)
    after = library.contents()
    library.undo()
    second = library.apply(plan)
    assert second.done == 7 and second.apply_id != first.apply_id and library.contents() == after
    assert library.undo("plan-1").failed == []
    assert library.tree() == before


def test_keys_and_unknown_fields_of_a_record_stay(library: RepairLibrary) -> None:
    path = library.manifest(1)
    path.write_bytes(b'{"zeta": 1, "run_id": null, "of_another_program": {"b": 1, "a": 2}}')
    library.apply(library.plan(library.operation("x", json=[library.edit(path, set={"run_id": RUN_ID})])))
    assert list(document_of(path).items()) == [("zeta", 1), ("run_id", RUN_ID), ("of_another_program", {"b": 1, "a": 2})]


def test_what_fails_is_named_with_its_reason_and_the_others_are_done(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    library.write("day/double.png", b"somebody painted over it")
    (library.top / "copies" / "2.png").unlink()
    answer = library.apply(plan)
    assert (answer.done, answer.skipped) == (5, 0)
    assert "day/double.png" in reasons(answer)["double"] and "the plan was made for sha256" in reasons(answer)["double"]
    assert "copies: 2.png" in reasons(answer)["broken"] and "is not there" in reasons(answer)["broken"]
    assert (library.outputs / "day" / "broken.png").read_bytes() == png(2)[:700], "nothing was set aside for a copy that is gone"


def test_a_file_that_must_not_exist_is_not_written_over(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    path = library.layout.runs / "20251226_080000_adopted" / "manifests" / "txt2img_001.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{}")
    answer = library.apply(plan)
    assert set(reasons(answer)) == {"adopt"} and path.read_bytes() == b"{}"
    assert not (path.parents[1] / "run_metadata.json").exists(), "an operation is done whole or not at all"


def test_a_file_that_changes_after_the_check_is_left_alone(library: RepairLibrary) -> None:
    plan = library.mixed_plan()

    def change(phase: str, done: int, total: int) -> None:
        if phase == "applying" and done == 1:
            library.write("day/1.png", b"the host writes")
            library.write("day/broken.png", b"the host writes")

    answer = library.apply(plan, progress=change)
    assert set(reasons(answer)) == {"text", "broken"} and answer.done == 5
    assert (library.outputs / "day" / "1.png").read_bytes() == b"the host writes"
    assert document_of(library.manifest(1))["infotext"] is None


def test_a_file_that_changes_while_it_is_edited_is_left_alone(library: RepairLibrary) -> None:
    plan = library.plan(library.operation("text", "day/1.png", infotext="x"))
    image = library.outputs / "day" / "1.png"
    calls = []

    def edit(data: bytes, text: str | None) -> bytes:
        calls.append(data)
        if len(calls) == 2:
            image.write_bytes(b"painted over meanwhile")
        return edit_infotext(data, text)

    answer = library.apply(plan, edit=edit)
    assert set(reasons(answer)) == {"text"} and image.read_bytes() == b"painted over meanwhile"


def test_what_a_format_cannot_hold_is_said(library: RepairLibrary) -> None:
    library.write("day/x.gif", b"GIF89a")
    answer = library.apply(library.plan(library.operation("text", "day/x.gif", infotext="x")))
    assert "PNG, JPEG and WebP" in reasons(answer)["text"]


def test_a_later_versions_record_is_never_touched(library: RepairLibrary) -> None:
    library.manifest(1).write_bytes(b'{"schema": "sdpipe.manifest/2"}')
    answer = library.apply(library.plan(library.operation("x", json=[library.edit(library.manifest(1), set={"run_id": "x"})])))
    assert "later version" in reasons(answer)["x"]


def test_stopped_between_operations_it_says_what_was_done_and_goes_on_later(library: RepairLibrary) -> None:
    before, plan, asked = library.tree(), library.mixed_plan(), []

    def should_stop() -> bool:
        asked.append(1)
        return len(asked) > 10  # seven checks, then operations

    answer = library.apply(plan, should_stop=should_stop)
    assert answer.is_interrupted and (answer.done, answer.failed) == (3, [])
    answer = library.apply(plan)
    assert (answer.done, answer.skipped, answer.is_interrupted) == (4, 3, False)
    library.undo()
    assert library.tree() == before


def test_an_undo_can_be_stopped_and_goes_on(library: RepairLibrary) -> None:
    before = library.tree()
    library.apply(library.mixed_plan())
    asked: list[int] = []
    answer = library.undo(should_stop=lambda: asked.append(1) or len(asked) > 3)
    assert answer.is_interrupted and answer.done == 3
    with pytest.raises(UsageError, match="finish it first: undo"):
        library.apply(plan_of_journal(library))
    assert library.undo().done == 4
    assert library.tree() == before


def plan_of_journal(library: RepairLibrary) -> dict[str, Any]:
    (path,) = library.layout.journal.glob("*.plan.json")
    return document_of(path)


def test_ctrl_c_in_the_middle_is_as_good_as_a_kill(library: RepairLibrary) -> None:
    before, plan = library.tree(), library.mixed_plan()

    def interrupt(phase: str, done: int, total: int) -> None:
        if (phase, done) == ("applying", 2):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        library.apply(plan, progress=interrupt)
    library.undo()
    assert library.tree() == before


def test_two_at_once_the_second_is_told_who_is_first(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    told: list[str] = []

    def second(phase: str, done: int, total: int) -> None:
        if not told:
            with pytest.raises(LockedError) as fault:
                library.apply(plan)
            told.append(str(fault.value))

    library.apply(plan, progress=second)
    assert "`apply`" in told[0] and str(os.getpid()) in told[0]
    with hold_lock(library.layout.locks / "repair"), pytest.raises(LockedError):
        library.undo()


def test_a_hard_link_that_is_edited_becomes_a_file_of_its_own(library: RepairLibrary) -> None:
    """The other name keeps its bytes: a kept copy, or a twin that some program linked, is not changed behind its owner's back."""
    image, twin = library.outputs / "day" / "1.png", library.outputs / "twin.png"
    os.link(image, twin)
    before = library.tree()
    library.apply(library.plan(library.operation("text", "day/1.png", infotext=None)))
    assert image.read_bytes() == png(1) and twin.read_bytes() == png(1, "a lighthouse 1")
    library.undo()
    assert library.tree() == before


def test_a_hard_link_that_is_set_aside_stays_linked(library: RepairLibrary) -> None:
    image, twin = library.outputs / "day" / "1.png", library.outputs / "twin.png"
    os.link(image, twin)
    library.apply(library.plan(library.operation("x", "day/1.png", quarantine=True)))
    library.undo()
    assert image.samefile(twin)


@pytest.mark.parametrize("kind", ["png", "jpg", "webp"])
def test_of_a_pictures_metadata_edit_the_journal_keeps_only_the_ranges(library: RepairLibrary, kind: str) -> None:
    image = library.outputs / f"big.{kind}"
    noise(256, 256, seed=3).save(image)
    before = library.tree()
    assert library.apply(library.plan(library.operation("text", f"big.{kind}", infotext="a lighthouse"))).failed == []
    assert image.read_bytes() != before[f"outputs/big.{kind}"][0]
    (journal,) = library.layout.journal.glob("*.jsonl")
    assert journal.stat().st_size < 1500 < 10_000 < image.stat().st_size
    library.undo()
    assert library.tree() == before


def test_names_as_long_as_a_disk_allows(library: RepairLibrary) -> None:
    for number, name in enumerate(["x" * 251 + ".png", "灯" * 83 + ".png", "day/" + "/".join(["y" * 200] * 5) + "/1.png"]):
        library.write(name, png(1))
        before = library.tree()
        text, gone = library.operation("text", name, infotext="a lighthouse"), library.operation("gone", name, quarantine=True)
        for operation in (text, gone):
            assert library.apply(library.plan(operation, plan_id=f"{operation['id']}{number}")).failed == []
            library.undo()
            assert library.tree() == before


def test_a_file_outside_all_roots_is_set_aside_beside_itself_if_a_manifest_names_it(library: RepairLibrary, tmp_path: Path) -> None:
    lone = tmp_path / "lone" / "x.png"
    lone.parent.mkdir()
    lone.write_bytes(png(5))
    operation = {**library.operation("x", quarantine=True), "root": None, "path": lone.as_posix(), "expects": seen(lone)}
    plan = library.plan(operation)
    answer = library.apply(plan)
    assert "does not name it" in reasons(answer)["x"] and lone.exists()
    library.manifest(1).write_text(json.dumps({"schema": "sdpipe.manifest/1", "root": None, "path": lone.as_posix()}))
    answer = library.apply(plan)
    assert (lone.parent / ".sdpipe-quarantine" / str(answer.apply_id) / "x.png").exists() and not lone.exists()
    library.undo()
    assert [path.name for path in lone.parent.iterdir()] == ["x.png"]


def test_a_library_without_a_library_file_has_no_id_yet(library: RepairLibrary) -> None:
    plan = library.plan(library.operation("x", json=[library.edit(library.manifest(1), set={"run_id": RUN_ID, "stage": "grid"})]))
    library.layout.library_file.unlink()
    with pytest.raises(UsageError, match="made for library"):
        library.apply(plan)
    assert library.apply({**plan, "library": None}).done == 1
