"""`unreadable-manifest`: broken JSON, or not the schema it says; or the disk does not give it out: then there is nothing to mend."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_unreadable_manifest(case: RunCase) -> Iterator[Finding]:
    for manifest in case.manifests:
        if manifest.problem is not None and not manifest.is_newer:
            path = f"{case.run_id}/manifests/{manifest.file}.json"
            evidence = {"problem": manifest.problem}
            operations = () if manifest.is_blocked else ("rebuild-manifest",)
            yield Finding("unreadable-manifest", "runs", path, case.run_id, manifest.file, evidence, operations)
