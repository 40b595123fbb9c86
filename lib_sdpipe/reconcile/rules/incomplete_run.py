"""`incomplete-run`: a run file lists other images than there are manifests."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_incomplete_run(case: RunCase) -> Iterator[Finding]:
    """One that is still being made lists fewer than there are; older programs' run files list stages, not images."""
    if not case.has_file or case.problem is not None or not case.is_ours or case.status == "running":
        return
    there, listed = {manifest.file for manifest in case.manifests}, set(case.listed)
    if there != listed:
        evidence = {"not_listed": sorted(there - listed), "without_manifest": sorted(listed - there)}
        yield Finding("incomplete-run", "runs", f"{case.run_id}/run_metadata.json", case.run_id, None, evidence, ("rebuild-run",))
