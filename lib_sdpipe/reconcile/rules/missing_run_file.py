"""`missing-run-file`: manifests without a run file."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_missing_run_file(case: RunCase) -> Iterator[Finding]:
    if not case.has_file and case.manifests:
        evidence = {"manifests": len(case.manifests)}
        yield Finding("missing-run-file", "runs", f"{case.run_id}/run_metadata.json", case.run_id, None, evidence, ("rebuild-run",))
