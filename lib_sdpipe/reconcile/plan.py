"""From findings to a plan: which operation each gets, and what that writes."""

from __future__ import annotations

from collections import defaultdict
from typing import Callable, Iterable, Iterator, Protocol

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.reconcile.adopt.adoption import AdoptionRecords, build_adoptions
from lib_sdpipe.reconcile.findings import CODES, Finding, Json
from lib_sdpipe.reconcile.operations import BUILDERS
from lib_sdpipe.reconcile.operations.operation import Operation, Records

PLAN_SCHEMA = "sdpipe.plan/1"


class PlanLookups(Records, AdoptionRecords, Protocol):
    """All that a planner looks up."""


# Of these all findings are looked at together: what belongs together can lie in several folders.
_BUILDERS_OF_MANY: dict[str, Callable[[list[Finding], AdoptionRecords], list[Operation]]] = {"adopt": build_adoptions}


def parse_choices(choices: Iterable[str]) -> dict[str, str]:
    """`CODE=OPERATION` texts; raises UsageError for what does not exist."""
    chosen = {}
    for choice in choices:
        code, _, operation = choice.partition("=")
        if code not in CODES:
            raise UsageError(f"{choice}: there is no code {code!r}; there are {', '.join(CODES)}")
        there = {*BUILDERS, *_BUILDERS_OF_MANY}
        if operation not in CODES[code].operations or operation not in there:
            possible = [name for name in CODES[code].operations if name in there]
            raise UsageError(f"{choice}: {code} has {' and '.join(possible) or 'no operation that a plan can take'}")
        chosen[code] = operation
    return chosen


def plan_operations(findings: Iterable[Finding], choices: dict[str, str], records: PlanLookups, now: str) -> list[Operation]:
    """By itself it takes only what changes our own JSON; `choices` by code say more. What the evidence does not allow is left."""
    planned: list[Operation] = []
    together: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        operation = choices.get(finding.code, CODES[finding.code].chosen)
        if operation not in finding.operations:
            continue
        if operation in _BUILDERS_OF_MANY:
            together[operation].append(finding)
        else:
            planned += BUILDERS[operation](finding, records, now)
    for operation, found in together.items():
        planned += _BUILDERS_OF_MANY[operation](found, records)
    return _without_conflicts(planned)


def build_plan(operations: list[Operation], plan_id: str, now: str, library: str | None) -> Json:
    """The plan file: readable, and to be edited or cut down by a person."""
    return {
        "schema": PLAN_SCHEMA, "plan_id": plan_id, "created_at": now, "library": library,
        "operations": [operation.to_json(number) for number, operation in enumerate(operations, start=1)],
    }


def iter_plan_text(plan: Json, operations: Iterable[Operation]) -> Iterator[bytes]:
    """A plan file in pieces, as `format_json` has it: `plan` as `build_plan` makes it of none, and the operations one by one."""
    head, _, tail = format_json(plan).rpartition(b"[]")
    yield head + b"["
    number = 0
    for number, operation in enumerate(operations, start=1):
        text = format_json(operation.to_json(number)).rstrip(b"\n").replace(b"\n", b"\n    ")
        yield (b",\n    " if number > 1 else b"\n    ") + text
    yield (b"\n  ]" if number else b"]") + tail


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
