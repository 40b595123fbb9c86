"""A check and a plan of a whole library, as one document each."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Sequence

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.findings import CODES, Finding
from lib_sdpipe.reconcile.plan import build_plan, parse_choices, plan_operations
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.refresh import Progress
from lib_sdpipe.workspace.workspace import Workspace


def check_library(workspace: Workspace, only: Sequence[str] = ()) -> Json:
    """The document of `check --json`. Raises UsageError for an unknown code, NoLibraryError, RecordError, LockedError."""
    codes, started = read_codes(only), time.monotonic()
    with open_index(workspace.layout.index_places) as index:
        findings = _find(workspace, workspace.library(), index, codes, lambda what, count: None, codes)
        totals = index.suspects.totals()
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.code] += finding.count
    seconds = round(time.monotonic() - started, 3)
    found = [finding.to_json() for finding in findings]
    return {"library": totals, "counts": dict(counts), "findings": found, "seconds": seconds}


def plan_repairs(
    workspace: Workspace, only: Sequence[str] = (), choices: Sequence[str] = (), progress: Progress = lambda what, count: None
) -> Json:
    """The plan that `plan` writes; `choices` are texts CODE=OPERATION. It does nothing. Raises as `check_library`."""
    from lib_sdpipe.workspace.plan_records import PlanRecords  # numpy and Pillow: only here

    chosen, codes = parse_choices(choices), read_codes(only)
    now, library = format_utc(time.time()), workspace.library()
    with open_index(workspace.layout.index_places) as index:
        findings = _find(workspace, library, index, codes, progress, frozenset())
        operations = plan_operations(findings, chosen, PlanRecords(workspace.layout, library, index), now)
    library_id = library.document.get("id") if workspace.layout.library_file.exists() else None
    return build_plan(operations, f"{now[:10]}-{secrets.token_hex(4)}", now, library_id)


def _find(
    workspace: Workspace, library: Library, index: Index, codes: frozenset[str], progress: Progress, listed: frozenset[str]
) -> list[Finding]:
    """Findings of these codes; of those that are `listed`, each file by itself."""
    from lib_sdpipe.workspace.check import Checker  # numpy and Pillow: only here

    checker = Checker(workspace.layout, library, index, progress, listed)
    return [finding for finding in checker.check() if not codes or finding.code in codes]


def read_codes(names: Sequence[str]) -> frozenset[str]:
    unknown = [name for name in names if name not in CODES]
    if unknown:
        raise UsageError(f"there is no code {unknown[0]!r}; there are {', '.join(CODES)}")
    return frozenset(names)
