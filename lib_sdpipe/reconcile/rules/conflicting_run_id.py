"""`conflicting-run-id`: manifest, folder and run file do not name the same run."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding, Json


def check_renamed_run(folder: str, file_run_id: str | None) -> Finding:
    """A folder with a run in it and a name that no run has: nothing in it is known until it has its name again."""
    return Finding("conflicting-run-id", "runs", folder, None, None, {"folder": folder, "run_file": file_run_id})


def check_conflicting_run_id(case: RunCase) -> Iterator[Finding]:
    """Two against one prove it: the folder and the run file against a manifest, the folder and all manifests against the run file.

    A manifest that its image or a run of that name bears out was moved here from there: to relink it would cut the right link.
    A folder that was renamed stands alone against all of them: that is left for a person.
    """
    said = {manifest.own_run_id for manifest in case.manifests if manifest.problem is None and manifest.own_run_id is not None}
    file_disagrees = case.file_run_id not in (None, case.run_id)
    if file_disagrees:
        evidence: Json = {"folder": case.run_id, "run_file": case.file_run_id, "manifests": sorted(said)}
        proven = said == {case.run_id}
        path = f"{case.run_id}/run_metadata.json"
        yield Finding("conflicting-run-id", "runs", path, case.run_id, None, evidence, ("relink",) if proven else ())
    for manifest in case.manifests:
        if manifest.problem is None and manifest.own_run_id not in (None, case.run_id):
            evidence = {"folder": case.run_id, "run_file": case.file_run_id, "manifest": manifest.own_run_id}
            if manifest.seconded_by:
                evidence["seconded_by"] = list(manifest.seconded_by)
            proven = case.file_run_id == case.run_id and not manifest.seconded_by
            path = f"{case.run_id}/manifests/{manifest.file}.json"
            yield Finding("conflicting-run-id", "runs", path, case.run_id, manifest.file, evidence, ("relink",) if proven else ())
