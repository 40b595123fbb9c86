"""Where the world has moved on: `undo` says what it cannot put back and why, and touches nothing of it."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.errors import RecordError, UnknownNameError
from lib_sdpipe.store import confine
from lib_sdpipe.store import journal as journal_module
from lib_sdpipe.store.quarantine import purge
from lib_sdpipe.store.undo import list_applies
from tests.store.repair_library import RepairLibrary, png


@pytest.fixture
def library(tmp_path: Path) -> RepairLibrary:
    return RepairLibrary(tmp_path / "library")


def undo_with_reason(library: RepairLibrary) -> tuple[int, dict[str, str]]:
    answer = library.undo()
    return answer.done, {one["id"]: one["reason"] for one in answer.failed}


def test_an_image_that_changed_since_is_left_and_its_record_with_it(library: RepairLibrary) -> None:
    library.apply(library.mixed_plan())
    library.write("day/1.png", b"painted over")
    record = library.manifest(1).read_bytes()
    done, reasons = undo_with_reason(library)
    assert done == 6 and "outputs: day/1.png has changed since: it has 12 bytes now" in reasons["text"]
    assert (library.outputs / "day" / "1.png").read_bytes() == b"painted over"
    assert library.manifest(1).read_bytes() == record, "an operation is undone whole or not at all"


def test_what_later_operations_wrote_on_holds_the_earlier_ones_too(library: RepairLibrary) -> None:
    plan = library.mixed_plan()
    library.apply(plan)
    path = library.run / "run_metadata.json"
    path.write_bytes(path.read_bytes() + b"\n")
    done, reasons = undo_with_reason(library)
    assert done == 5 and set(reasons) == {"relink", "relink-2"}
    assert "was changed again by operation relink-2" in reasons["relink"] or "has changed since" in reasons["relink"]


def test_a_new_file_at_the_old_place_is_not_written_over(library: RepairLibrary) -> None:
    library.apply(library.mixed_plan())
    library.write("day/double.png", b"the host took the name again")
    _, reasons = undo_with_reason(library)
    assert "day/double.png has changed since" in reasons["double"]
    assert (library.outputs / "day" / "double.png").read_bytes() == b"the host took the name again"


def test_what_stands_in_the_way_removed_the_undo_goes_on(library: RepairLibrary) -> None:
    before = library.tree()
    library.apply(library.mixed_plan())
    library.write("day/double.png", b"the host took the name again")
    library.undo()
    (library.outputs / "day" / "double.png").unlink()
    assert undo_with_reason(library) == (1, {})
    assert library.tree() == before


def test_a_file_that_was_put_back_by_hand_is_back(library: RepairLibrary) -> None:
    before = library.tree()
    answer = library.apply(library.mixed_plan())
    aside = library.outputs / ".sdpipe-quarantine" / str(answer.apply_id) / "day" / "double.png"
    aside.rename(library.outputs / "day" / "double.png")
    answer = library.undo()
    assert (answer.done, answer.skipped, answer.failed) == (6, 1, [])
    assert library.tree() == before


def test_a_restored_file_stays_when_it_may_be_the_last_copy(library: RepairLibrary) -> None:
    library.apply(library.mixed_plan())
    (library.top / "copies" / "2.png").unlink()
    _, reasons = undo_with_reason(library)
    assert "may be the last of its copies" in reasons["broken"]
    assert (library.outputs / "day" / "broken.png").read_bytes() == png(2, "a lighthouse 2")


def test_the_last_apply_is_undone_first_and_each_can_be_named(library: RepairLibrary) -> None:
    first = library.apply(library.plan(library.operation("x", "day/double.png", quarantine=True), plan_id="one"))
    time.sleep(0.002)
    second = library.apply(library.plan(library.operation("x", "day/broken.png", quarantine=True), plan_id="two"))
    listed = [(one.apply_id, one.state) for one in list_applies(library.layout)]
    assert listed == [(second.apply_id, "applied"), (first.apply_id, "applied")]
    assert library.undo().plan_id == "two" and library.undo("one").done == 1
    assert {one.state for one in list_applies(library.layout)} == {"undone"}
    with pytest.raises(UnknownNameError, match="undo --list"):
        library.undo("three")


def test_an_undo_that_was_stopped_at_its_very_last_line_does_not_hide_the_apply_before(library: RepairLibrary) -> None:
    library.apply(library.plan(library.operation("x", "day/double.png", quarantine=True), plan_id="one"))
    time.sleep(0.002)
    second = library.apply(library.plan(library.operation("x", "day/broken.png", quarantine=True), plan_id="two"))
    library.undo()
    path = library.layout.journal / f"{second.apply_id}.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    library.undo()
    assert library.undo().plan_id == "one"


def test_purge_deletes_only_what_was_set_aside_and_only_when_it_is_meant(library: RepairLibrary) -> None:
    answer = library.apply(library.mixed_plan())
    (library.outputs / ".sdpipe-quarantine" / "mine").mkdir()
    (library.outputs / ".sdpipe-quarantine" / "mine" / "x.png").write_bytes(b"x")
    after = library.tree()
    assert purge(library.layout, 30, is_meant=True).files == 0, "too young"
    counted = purge(library.layout, 0, is_meant=False)
    assert library.tree() == after
    found = purge(library.layout, 0, is_meant=True)
    assert (found.files, found.applies, found.failed) == (3, [answer.apply_id], []) == (counted.files, counted.applies, counted.failed)
    assert found.bytes == counted.bytes == sum(len(data) for name, (data, _, _) in after.items() if str(answer.apply_id) in name)
    left = library.tree()
    assert set(left) == {name for name in after if str(answer.apply_id) not in name and name != "runs/.sdpipe-quarantine"}


def test_nothing_small_is_left_of_what_was_purged(library: RepairLibrary) -> None:
    small = library.layout.thumbnails / "ab" / f"{'ab' * 32}.webp"
    small.parent.mkdir(parents=True)
    small.write_bytes(b"of an image that somebody threw away")
    library.apply(library.mixed_plan())
    purge(library.layout, 0, is_meant=False)
    purge(library.layout, 30, is_meant=True)
    assert small.exists(), "nothing was deleted for good yet"
    purge(library.layout, 0, is_meant=True)
    assert not small.exists()


def test_an_undo_after_a_purge_says_when_the_file_was_purged_and_undoes_the_rest(library: RepairLibrary) -> None:
    library.apply(library.mixed_plan())
    purge(library.layout, 0, is_meant=True)
    done, reasons = undo_with_reason(library)
    assert done == 4 and set(reasons) == {"double", "broken", "rebuild"}
    assert all("it was purged at 20" in reason for reason in reasons.values())


def test_purge_follows_no_link(library: RepairLibrary, tmp_path: Path) -> None:
    answer = library.apply(library.mixed_plan())
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "x.png").write_bytes(b"x")
    (library.outputs / ".sdpipe-quarantine" / str(answer.apply_id) / "link").symlink_to(tmp_path / "mine")
    (library.outputs / ".sdpipe-quarantine" / "20200101T000000000-00000000").symlink_to(tmp_path / "mine")
    purge(library.layout, 0, is_meant=True)
    assert (tmp_path / "mine" / "x.png").exists()


def test_purge_finds_what_lies_beside_files_on_other_disks(library: RepairLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    other = library.outputs / "day"
    monkeypatch.setattr(confine, "_device", lambda folder: 2 if folder == other else 1)
    answer = library.apply(library.plan(library.operation("x", "day/double.png", quarantine=True)))
    monkeypatch.undo()
    assert (other / ".sdpipe-quarantine" / str(answer.apply_id) / "double.png").exists()
    assert purge(library.layout, 0, is_meant=True).files == 1
    assert not (other / ".sdpipe-quarantine").exists()


def journal_of(library: RepairLibrary) -> Path:
    (path,) = library.layout.journal.glob("*.jsonl")
    return path


def test_a_torn_last_line_is_no_damage_and_goes_on_cleanly(library: RepairLibrary) -> None:
    before, plan = library.tree(), library.mixed_plan()
    library.apply(plan)
    path = journal_of(library)
    path.write_bytes(path.read_bytes() + b'{"kind":"start","op":"x","acts":[{"ki' + bytes(20))
    assert library.apply(plan).skipped == 7
    assert library.undo().failed == [] and library.tree() == before
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


@pytest.mark.parametrize("damage", [
    bytes(40), b'{"kind":"start","op":"x","number":1,"acts":[],"folders":[]}', b'{"kind": "done", "op": "nobody"}', b'{"kind": 5}',
    b'{"kind":"start","op":"x","number":99,"acts":[{"kind":"write","place":[null,"/x"]}],"folders":[]}',
])
def test_a_journal_that_is_damaged_in_the_middle_undoes_nothing_by_guess(library: RepairLibrary, damage: bytes) -> None:
    library.apply(library.mixed_plan())
    path, after = journal_of(library), library.tree()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:3], damage + b"\n", *lines[3:]]))
    with pytest.raises(RecordError, match="damaged"):
        library.undo()
    assert library.tree() == after
    assert list_applies(library.layout)[0].state == "unreadable"


def test_a_hostile_journal_writes_nothing_outside(library: RepairLibrary, tmp_path: Path) -> None:
    victim = tmp_path / "victim.txt"
    victim.write_bytes(b"precious")
    library.apply(library.plan(library.operation("x", json=[library.edit(library.manifest(1), set={"stage": "grid"})])))
    path = journal_of(library)
    lines = path.read_bytes().splitlines()
    line = json.loads(lines[1])
    act = line["acts"][0]
    act["place"], act["after"] = [None, victim.as_posix()], {"bytes": 8, "sha256": hashlib.sha256(b"precious").hexdigest()}
    for place in ([None, victim.as_posix()], ["runs", "../../victim.txt"], ["outputs", "../../victim.txt"]):
        act["place"] = place
        path.write_bytes(b"\n".join([lines[0], json.dumps(line).encode(), *lines[2:]]) + b"\n")
        assert library.undo().failed != []
        assert victim.read_bytes() == b"precious"


@pytest.mark.parametrize("change", [
    {"stamp": {"mode": -1, "mtime_ns": 0}}, {"stamp": {"mode": 0o644, "mtime_ns": 1 << 70}}, {"stamp": None}, {"old": "eJw="}, {"old": 5},
    {"kind": "rm"}, {"place": ["runs"]}, {"after": {"bytes": 1.5, "sha256": "x"}}, {"ranges": [[0]]}, {"to": None},
])
def test_a_journal_with_what_we_never_write_is_damaged(library: RepairLibrary, change: dict[str, Any]) -> None:
    library.apply(library.plan(library.operation("x", json=[library.edit(library.manifest(1), set={"stage": "grid"})])))
    path = journal_of(library)
    lines = path.read_bytes().splitlines()
    line = json.loads(lines[1])
    line["acts"][0].update(change)
    path.write_bytes(b"\n".join([lines[0], json.dumps(line).encode(), *lines[2:]]) + b"\n")
    after = library.tree()
    try:
        assert library.undo().failed != []
    except RecordError as fault:
        assert "damaged" in str(fault)
    assert library.tree() == after


def test_ids_of_applies_sort_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = []
    for now in (0.0, 999.9994, 1e9, 1e9 + 0.001, 2e9):
        monkeypatch.setattr(journal_module.time, "time", lambda now=now: now)
        ids.append(journal_module.new_apply_id())
    assert ids == sorted(ids) and all(journal_module.is_apply_id(one) for one in ids)
