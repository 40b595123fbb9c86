"""`unreadable-run-file`: broken JSON, or not the schema it says; or the disk does not give it out: then there is nothing to mend."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_unreadable_run_file(case: RunCase) -> Iterator[Finding]:
    if case.has_file and case.problem is not None and not case.is_newer:
        evidence = {"problem": case.problem}
        operations = () if case.is_blocked else ("rebuild-run",)
        yield Finding("unreadable-run-file", "runs", f"{case.run_id}/run_metadata.json", case.run_id, None, evidence, operations)
