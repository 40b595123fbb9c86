"""`newer-schema`: written by a later version of SDPipe: never touched."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_newer_schema(case: RunCase) -> Iterator[Finding]:
    if case.is_newer:
        yield Finding("newer-schema", "runs", f"{case.run_id}/run_metadata.json", case.run_id, None, {"problem": case.problem})
    for manifest in case.manifests:
        if manifest.is_newer:
            path = f"{case.run_id}/manifests/{manifest.file}.json"
            yield Finding("newer-schema", "runs", path, case.run_id, manifest.file, {"problem": manifest.problem})
