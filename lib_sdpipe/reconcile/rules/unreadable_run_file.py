"""`unreadable-run-file`: broken JSON, or not the schema it says."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_unreadable_run_file(case: RunCase) -> Iterator[Finding]:
    if case.has_file and case.problem is not None and not case.is_newer:
        evidence = {"problem": case.problem}
        yield Finding("unreadable-run-file", "runs", f"{case.run_id}/run_metadata.json", case.run_id, None, evidence, ("rebuild-run",))
