"""Operations that put right what a record says about where its image is, or which run it is of."""

from __future__ import annotations

from lib_sdpipe.reconcile.findings import Finding, Json
from lib_sdpipe.reconcile.operations.operation import UNCHECKED, Operation, Records, operation_on, set_fields


def build_relink(finding: Finding, records: Records, now: str) -> list[Operation]:
    """The image's new place into its manifest and its run file; or the run id that the evidence has proved."""
    if finding.code == "conflicting-run-id":
        return _relink_run_id(finding, records)
    manifest, to = records.manifest(finding.run_id or "", finding.name or ""), finding.evidence["to"]
    if manifest is None:
        return []
    edits = [set_fields(manifest, root=to["root"], path=to["path"])]
    run = records.run(finding.run_id or "")
    if run is not None and _lists(run.json, finding.name):
        entry = {"name": finding.name, "root": to["root"], "path": to["path"]}
        edits.append({"file": run.file, "expects": UNCHECKED, "merge": {"stage_outputs": {"by": "name", "items": [entry]}}})
    found = finding.evidence["found"]
    return [operation_on(finding, "relink", {"bytes": found["bytes"], "sha256": found["sha256"]}, {"json": edits}, to)]


def build_backfill(finding: Finding, records: Records, now: str) -> list[Operation]:
    """An older manifest gets its run id from its folder; all else in it stays."""
    manifest = records.manifest(finding.run_id or "", finding.name or "")
    if manifest is None:
        return []
    return [operation_on(finding, "backfill", manifest.expects, {"json": [set_fields(manifest, run_id=finding.run_id)]})]


def build_mark_lost(finding: Finding, records: Records, now: str) -> list[Operation]:
    """The record stays and says since when its image is known to be gone."""
    manifest = records.manifest(finding.run_id or "", finding.name or "")
    if manifest is None:
        return []
    return [operation_on(finding, "mark-lost", None, {"json": [set_fields(manifest, lost_at=now)]})]


def _relink_run_id(finding: Finding, records: Records) -> list[Operation]:
    run_id = finding.run_id or ""
    document = records.manifest(run_id, finding.name) if finding.name is not None else records.run(run_id)
    if document is None:
        return []
    return [operation_on(finding, "relink", document.expects, {"json": [set_fields(document, run_id=run_id)]})]


def _lists(run: Json | None, name: str | None) -> bool:
    outputs = (run or {}).get("stage_outputs")
    return isinstance(outputs, list) and any(isinstance(entry, dict) and entry.get("name") == name for entry in outputs)
