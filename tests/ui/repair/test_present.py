"""Findings and operations as they are shown: every code and operation has its words, each finding its facts and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib_sdpipe.reconcile.findings import CODES
from lib_sdpipe.reconcile.operations import BUILDERS
from lib_sdpipe.ui.repair import markup, plan_markup
from lib_sdpipe.ui.repair.present import Slot, build_code_view, build_key, present_finding
from lib_sdpipe.ui.repair.present_plan import present_operation
from lib_sdpipe.ui.repair.words import CODE_WORDS, OPERATION_WORDS
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.repairs import check_library
from tests.reconcile.truth import Truth, build_damaged

HOSTILE = "<img src=x onerror=alert(1)>\"'&"
CHOICES = [
    "missing-image=mark-lost", "modified-image=accept", "retagged-image=write-infotext", "stripped-image=accept",
    "duplicated-image=quarantine", "unreadable-image=quarantine", "orphaned-image=adopt",
]


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> Truth:
    return build_damaged(tmp_path_factory.mktemp("library"))


@pytest.fixture(scope="module")
def findings(truth: Truth) -> list[dict[str, Any]]:
    return list(check_library(Workspace(truth.layout))["findings"])


def test_every_code_and_every_operation_has_its_words() -> None:
    assert set(CODE_WORDS) == set(CODES)
    assert set(OPERATION_WORDS) == {*BUILDERS, "adopt", "cull"}, "what the bin does stands among past repairs, too"


def test_every_kind_of_finding_says_where_it_is_and_what_is_known(findings: list[dict[str, Any]]) -> None:
    assert {finding["code"] for finding in findings} == set(CODES) - {"unavailable-root"}
    for finding in findings:
        view = present_finding(finding, False)
        assert view.title and (view.facts or view.text), finding["code"]
        assert all(fact.value or fact.link for fact in view.facts), finding["code"]


def test_a_finding_keeps_its_key_from_check_to_check_and_no_two_share_one(truth: Truth, findings: list[dict[str, Any]]) -> None:
    keys = [build_key(finding) for finding in findings]
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == sorted(build_key(finding) for finding in check_library(Workspace(truth.layout))["findings"])


def one(findings: list[dict[str, Any]], code: str, **evidence: Any) -> dict[str, Any]:
    return next(f for f in findings if f["code"] == code and all(f["evidence"].get(name) == value for name, value in evidence.items()))


def test_pictures_show_what_was_and_what_is(findings: list[dict[str, Any]]) -> None:
    moved, changed = one(findings, "moved-image"), one(findings, "modified-image")
    to = moved["evidence"]["to"]
    assert present_finding(moved, False).slots == [Slot("Found", to["root"], to["path"])]
    labels = [slot.label for slot in present_finding(changed, False).slots]
    assert labels[0] == "Now"
    orphaned = one(findings, "orphaned-image")
    assert {slot.path for slot in present_finding(orphaned, False).slots} == {f"{orphaned['path']}/{number}.png" for number in range(3)}


def test_what_a_plan_takes_by_itself_is_chosen_and_the_rest_is_not() -> None:
    assert build_code_view("moved-image", 3, 3, {"relink": 2}, {}).planned == 2
    missing = build_code_view("missing-image", 3, 3, {"mark-lost": 3}, {})
    assert (missing.chosen, missing.planned) == (None, 0)
    assert build_code_view("missing-image", 3, 3, {"mark-lost": 3}, {"missing-image": "mark-lost"}).planned == 3
    assert build_code_view("moved-image", 3, 3, {"relink": 2}, {"moved-image": None}).planned == 0
    assert build_code_view("orphaned-image", 9, 1, {"adopt": 1}, {}).allowed == {}, "they are adopted by a plan of their own"


def test_each_operation_says_before_and_after_or_what_becomes_of_files(truth: Truth) -> None:
    seen = set()
    for operation in truth.plan(*CHOICES)["operations"]:
        seen.add(operation["op"])
        view = present_operation(operation, lambda file: None)
        assert view.title and (view.rows or view.deeds or view.facts), operation
        back = present_operation(operation, lambda file: None, undoes=True)
        assert back.deeds or back.rows, operation
    assert seen == set(OPERATION_WORDS) - {"restore", "cull"}


def test_a_field_that_stays_is_not_shown_and_one_that_changes_is_shown_with_both(truth: Truth) -> None:
    operation = next(one for one in truth.plan()["operations"] if one["op"] == "relink" and one["code"] == "moved-image")
    edit = operation["writes"]["json"][0]
    record = {"root": edit["set"]["root"], "path": "where/it/was.png"}
    view = present_operation(operation, lambda file: record if file == edit["file"] else None)
    rows = dict(view.rows)[edit["file"]]
    assert [(row.what, row.before, row.after) for row in rows] == [("path", "where/it/was.png", edit["set"]["path"])]


def test_nothing_that_a_file_says_becomes_html() -> None:
    evidence = {
        "to": {"root": HOSTILE, "path": HOSTILE}, "by": HOSTILE, "problem": HOSTILE, "infotext": {"recorded": HOSTILE, "found": HOSTILE},
        "recorded": {}, "found": {}, "others": [{"path": HOSTILE}], "candidates": [{"path": HOSTILE}], "examples": [HOSTILE],
        "folder": HOSTILE, "not_listed": [HOSTILE], "process": {"pid": HOSTILE, "machine": HOSTILE}, "reason": HOSTILE,
    }
    for code in CODES:
        said = {**evidence, "recorded": 3} if code == "unavailable-root" else evidence
        finding = {"code": code, "root": HOSTILE, "path": HOSTILE, "run_id": HOSTILE, "name": HOSTILE, "evidence": said,
                   "operations": list(CODES[code].operations)}
        row = present_finding(finding, True)
        view = build_code_view(code, 1, 1, {}, {})
        html = markup.show_findings([type(view)(**{**vars(view), "rows": [row]})], code, dict.fromkeys(row.slots, HOSTILE), False)
        assert "<img src=x" not in html
    edit = {"file": HOSTILE, "expects": None, "document": {HOSTILE: HOSTILE}}
    operation = {"op": "x", "code": "x", "root": HOSTILE, "path": HOSTILE, "run_id": HOSTILE, "expects": {}, "writes": {"json": [edit]}}
    shown = present_operation(operation, lambda file: None)
    plan = plan_markup.PlanView(HOSTILE, {("x", HOSTILE): 1}, None, [HOSTILE], ("x", HOSTILE), 0, [shown])
    html = plan_markup.show_plan(plan, dict.fromkeys(shown.slots, HOSTILE), False)
    html += plan_markup.show_outcome(plan_markup.OutcomeView(False, 1, 0, [(HOSTILE, HOSTILE)], True, HOSTILE, 1.0), False)
    html += markup.show_check([markup.RootView(HOSTILE, HOSTILE, "empty", True)], [HOSTILE], False, True)
    html += markup.show_work(markup.WorkView(HOSTILE, HOSTILE, 1, 2, 3.0, False, HOSTILE))
    assert "<img src=x" not in html


def test_a_page_of_what_is_gone_is_the_last_there_is(tmp_path: Path) -> None:
    pager = markup.show_pager({"do": "open"}, "page", 2, 17, 8, "p")
    assert "17 to 17 of 17" in pager and pager.count("disabled") == 1
    assert markup.show_pager({}, "page", 0, 8, 8, "p") == ""
