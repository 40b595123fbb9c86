"""From findings to a plan: which operation each gets, and what that writes."""

from __future__ import annotations

from typing import Iterable

from lib_sdpipe.errors import UsageError
from lib_sdpipe.reconcile.findings import CODES, Finding, Json
from lib_sdpipe.reconcile.operations import BUILDERS
from lib_sdpipe.reconcile.operations.operation import Operation, Records

PLAN_SCHEMA = "sdpipe.plan/1"


def parse_choices(choices: Iterable[str]) -> dict[str, str]:
    """`CODE=OPERATION` texts; raises UsageError for what does not exist."""
    chosen = {}
    for choice in choices:
        code, _, operation = choice.partition("=")
        if code not in CODES:
            raise UsageError(f"{choice}: there is no code {code!r}; there are {', '.join(CODES)}")
        if operation not in CODES[code].operations or operation not in BUILDERS:
            possible = [name for name in CODES[code].operations if name in BUILDERS]
            raise UsageError(f"{choice}: {code} has {' and '.join(possible) or 'no operation that a plan can take'}")
        chosen[code] = operation
    return chosen


def plan_operations(findings: Iterable[Finding], choices: dict[str, str], records: Records, now: str) -> list[Operation]:
    """By itself it takes only what changes our own JSON; `choices` by code say more. What the evidence does not allow is left."""
    planned: list[Operation] = []
    for finding in findings:
        operation = choices.get(finding.code, CODES[finding.code].chosen)
        if operation in finding.operations:
            planned += BUILDERS[operation](finding, records, now)
    return _without_conflicts(planned)


def build_plan(operations: list[Operation], plan_id: str, now: str, library: str | None) -> Json:
    """The plan file: readable, and to be edited or cut down by a person."""
    return {
        "schema": PLAN_SCHEMA, "plan_id": plan_id, "created_at": now, "library": library,
        "operations": [operation.to_json(number) for number, operation in enumerate(operations, start=1)],
    }


def _without_conflicts(operations: list[Operation]) -> list[Operation]:
    """A file is written whole by one operation only: what else was planned for it waits for the next check."""
    whole = {edit["file"] for operation in operations for edit in operation.writes.get("json", ()) if "document" in edit}
    kept: list[Operation] = []
    written: set[str] = set()
    for operation in operations:
        edits = operation.writes.get("json", ())
        files = {edit["file"] for edit in edits if edit["file"] in whole}
        if files & written or any("document" not in edit for edit in edits if edit["file"] in files):
            continue
        written |= files
        kept.append(operation)
    return kept
