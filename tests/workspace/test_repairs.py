"""A check and a plan that take their time: counted and read by page, stopped at any step, kept as they were shown."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lib_sdpipe.reconcile.findings import CODES
from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.workspace.adopting import plan_adoption
from lib_sdpipe.workspace.kept_plan import KeptPlan
from lib_sdpipe.workspace.repairs import check_library, no_progress, no_rest, plan_wanted, tally_findings
from lib_sdpipe.workspace.workspace import Workspace
from tests.reconcile.truth import DAMAGES, Truth, build_damaged


class StopHereError(Exception):
    pass


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return build_damaged(tmp_path_factory.mktemp("library"))


def test_a_tally_counts_and_reads_what_check_finds(truth: Truth) -> None:
    workspace = Workspace(truth.layout)
    document = check_library(workspace)
    tally, totals = tally_findings(workspace, lambda finding: True, no_progress, no_rest)
    assert tally.counts == document["counts"] and totals == document["library"]
    for code, found in tally.by_code.items():
        expected = [finding for finding in document["findings"] if finding["code"] == code]
        assert tally.read(code, 0, 1000) == expected
        assert [tally.read(code, number, 1)[0] for number in range(found.findings)] == expected
    assert tally.read("moved-image", 1000, 10) == [] and tally.read("no-code", 0, 10) == []


def test_a_check_that_is_stopped_at_any_step_leaves_an_index_that_is_right(tmp_path: Path) -> None:
    made = Truth(tmp_path)
    for number in range(3):
        made.record(f"20260101_1200{number:02d}_cats", 5, kept=number == 1)
    for damage in DAMAGES[:3]:
        damage(made)
    steps = 0

    def stop_at(last: int) -> None:
        nonlocal steps
        steps += 1
        if steps >= last:
            raise StopHereError

    stopped = 0
    for last in range(1, 60, 3):
        steps = 0
        try:
            tally_findings(Workspace(made.layout), lambda finding: True, no_progress, lambda last=last: stop_at(last))
        except StopHereError:
            stopped += 1
    assert stopped > 5
    assert made.found() == made.expected


def test_a_plan_holds_what_was_wanted_and_not_what_was_left_out(truth: Truth) -> None:
    workspace = Workspace(truth.layout)
    whole = KeptPlan(*plan_wanted(workspace, lambda finding: True, ["missing-image=mark-lost"]))
    kinds = {("missing-image", "mark-lost")} | {(code, known.chosen) for code, known in CODES.items() if known.chosen}
    assert set(whole.counts) <= kinds and whole.counts["missing-image", "mark-lost"] == 2
    part = KeptPlan(*plan_wanted(workspace, lambda finding: finding.code == "moved-image" and finding.path != "x"))
    assert set(part.counts) == {("moved-image", "relink")}


def test_a_kept_plan_is_read_by_page_and_whole_and_as_a_file_the_same(truth: Truth, tmp_path: Path) -> None:
    plan = KeptPlan(*plan_wanted(Workspace(truth.layout), lambda finding: True))
    document = plan.read_document()
    assert len(document["operations"]) == plan.operations > 5 and document["plan_id"] == plan.plan_id
    for (code, op), count in plan.counts.items():
        expected = [one for one in document["operations"] if (one["code"], one["op"]) == (code, op)]
        assert [plan.read(code, op, number, 1)[0] for number in range(count)] == expected == plan.read(code, op, 0, count + 1)
    plan.write_to(tmp_path / "plan.json")
    assert json.loads((tmp_path / "plan.json").read_bytes()) == document
    empty = KeptPlan(*plan_wanted(Workspace(truth.layout), lambda finding: False))
    assert empty.operations == 0 and empty.read_document()["operations"] == []


def test_older_images_are_planned_by_folder_and_then_no_orphans_any_more(tmp_path: Path) -> None:
    made = Truth(tmp_path)
    made.record("20260101_120000_cats", 2)
    for number in range(4):
        text = f"an old cat\nSteps: {number + 3}, Sampler: Euler, Seed: {number}, Size: 16x16"
        made.write_picture(made.outputs / "old" / f"{number:05d}-{number}.png", text, number)
    plans: list[KeptPlan] = []
    adoption = plan_adoption(
        Workspace(made.layout), "outputs", "old", lambda plan, operations: plans.append(KeptPlan(plan, operations)), takes_all=True,
    )
    (plan,) = plans
    assert adoption.images == 4 and plan.counts["orphaned-image", "adopt"] == adoption.runs
    answer = apply_plan(made.layout, plan.read_document())
    assert (answer.done, answer.failed) == (adoption.runs, [])
    assert "orphaned-image" not in check_library(Workspace(made.layout))["counts"]
