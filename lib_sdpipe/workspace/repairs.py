"""A check and a plan of a whole library."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.findings import CODES, Finding
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.plan import build_plan, parse_choices, plan_operations
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.refresh import Progress
from lib_sdpipe.workspace.tally import Tally
from lib_sdpipe.workspace.workspace import Workspace

if TYPE_CHECKING:
    from lib_sdpipe.workspace.deep import DeepProgress

Rest = Callable[[], None]
"""Called between small steps; it may pause, or raise to end the work."""


def no_progress(what: str, count: int) -> None:
    pass


def no_rest() -> None:
    pass


def check_library(workspace: Workspace, only: Sequence[str] = ()) -> Json:
    """The document of `check --json`. Raises UsageError for an unknown code, NoLibraryError, RecordError, LockedError."""
    codes, started = read_codes(only), time.monotonic()
    tally, findings = Tally(is_spooled=False), []
    with open_index(workspace.layout.index_places) as index:
        for finding in iter_findings(workspace, workspace.library(), index, codes, no_progress, no_rest, codes):
            tally.add(finding)
            findings.append(finding.to_json())
        totals = index.suspects.totals()
    return {"library": totals, "counts": tally.counts, "findings": findings, "seconds": round(time.monotonic() - started, 3)}


def tally_findings(
    workspace: Workspace, is_wanted: Callable[[Finding], bool], progress: Progress, rest: Rest,
    deep: Callable[[DeepProgress], None] | None = None,
) -> tuple[Tally, dict[str, int]]:
    """Findings counted and spooled, and how many images, manifests and runs there are. Raises as `check_library`.

    `deep`: every byte is read first, and it is told how far that is.
    """
    tally = Tally(is_spooled=True)
    with open_index(workspace.layout.index_places) as index:
        for finding in iter_findings(workspace, workspace.library(), index, frozenset(), progress, rest, deep=deep):
            rest()
            if is_wanted(finding):
                tally.add(finding)
        return tally, index.suspects.totals()


def plan_repairs(workspace: Workspace, only: Sequence[str] = (), choices: Sequence[str] = (), progress: Progress = no_progress) -> Json:
    """The plan that `plan` writes; `choices` are texts CODE=OPERATION. It does nothing. Raises as `check_library`."""
    codes = read_codes(only)
    plan, operations = plan_wanted(workspace, lambda finding: not codes or finding.code in codes, choices, progress)
    return {**plan, "operations": [operation.to_json(number) for number, operation in enumerate(operations, start=1)]}


def plan_wanted(
    workspace: Workspace, is_wanted: Callable[[Finding], bool], choices: Sequence[str] = (), progress: Progress = no_progress,
    rest: Rest = no_rest,
) -> tuple[Json, list[Operation]]:
    """A plan without its operations, and those, for what is found now and wanted. Raises as `check_library`."""
    from lib_sdpipe.workspace.plan_records import PlanRecords  # numpy and Pillow: only here

    chosen = parse_choices(choices)
    now, library = format_utc(time.time()), workspace.library()
    with open_index(workspace.layout.index_places) as index:
        findings = [finding for finding in iter_findings(workspace, library, index, frozenset(), progress, rest) if is_wanted(finding)]
        operations = plan_operations(_tell(findings, progress, rest), chosen, PlanRecords(workspace.layout, library, index), now)
    return build_plan([], new_plan_id(now), now, library_id(workspace, library)), operations


def new_plan_id(now: str) -> str:
    """Begins with the day."""
    return f"{now[:10]}-{secrets.token_hex(4)}"


def library_id(workspace: Workspace, library: Library) -> str | None:
    """What a plan says of the library that it is for; one without a library.json has no id yet."""
    return library.document.get("id") if workspace.layout.library_file.exists() else None


def _tell(findings: list[Finding], progress: Progress, rest: Rest) -> Iterator[Finding]:
    for number, finding in enumerate(findings):
        progress("planning", number)
        rest()
        yield finding


def iter_findings(
    workspace: Workspace, library: Library, index: Index, codes: frozenset[str], progress: Progress, rest: Rest,
    listed: frozenset[str] = frozenset(), deep: Callable[[DeepProgress], None] | None = None,
) -> Iterator[Finding]:
    """Findings of these codes, all for none; of those that are `listed`, each file by itself."""
    from lib_sdpipe.workspace.check import Checker  # numpy and Pillow: only here

    checker = Checker(workspace.layout, library, index, progress, listed, rest=rest)
    if deep is not None:
        checker.is_deep, checker.deep_progress = True, deep
    return (finding for finding in checker.check() if not codes or finding.code in codes)


def read_codes(names: Sequence[str]) -> frozenset[str]:
    unknown = [name for name in names if name not in CODES]
    if unknown:
        raise UsageError(f"there is no code {unknown[0]!r}; there are {', '.join(CODES)}")
    return frozenset(names)
