"""`unlinked-manifest`: an older manifest does not say which run it is of."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_unlinked_manifest(case: RunCase) -> Iterator[Finding]:
    """The folder says it, unless the run file says something else."""
    agrees = case.file_run_id in (None, case.run_id)
    for manifest in case.manifests:
        if manifest.problem is None and manifest.own_run_id is None:
            evidence = {"folder": case.run_id, "run_file": case.file_run_id}
            path = f"{case.run_id}/manifests/{manifest.file}.json"
            yield Finding(
                "unlinked-manifest", "runs", path, case.run_id, manifest.file, evidence, ("backfill",) if agrees else (),
            )
