"""Operations that write a run file or a manifest anew from what the others say."""

from __future__ import annotations

from lib_sdpipe.reconcile.findings import Finding, Json
from lib_sdpipe.reconcile.operations.operation import Document, Operation, Records, operation_on
from lib_sdpipe.reconcile.rebuild import build_closed_fields, build_listed_fields, build_manifest_document, build_run_document


def build_rebuild_manifest(finding: Finding, records: Records, now: str) -> list[Operation]:
    """From the run file's entry and the image; the broken file is set aside."""
    run_id, name = finding.run_id or "", finding.name or ""
    broken, run = records.manifest(run_id, name), records.run(run_id)
    if broken is None:
        return []
    entry = _entry(run.json if run is not None else None, name)
    image = records.image(entry.get("root"), entry["path"]) if entry.get("path") else None
    document = build_manifest_document(run_id, name, entry, image, run.json if run is not None else None, records.kept(run_id, name))
    edit = {"file": broken.file, "expects": broken.expects, "document": document, "quarantine": True}
    return [operation_on(finding, "rebuild-manifest", broken.expects, {"json": [edit]})]


def build_rebuild_run(finding: Finding, records: Records, now: str) -> list[Operation]:
    """From the manifests. A readable run file keeps all that it says, and lists what is there."""
    run_id = finding.run_id or ""
    manifests, run = records.manifests(run_id), records.run(run_id)
    file = f"{run_id}/run_metadata.json"
    if finding.code == "incomplete-run" and run is not None and run.json is not None:  # JSON of a wrong schema is no run file
        edit: Json = {"file": file, "expects": run.expects, "set": build_listed_fields(run.json, manifests)}
    else:
        edit = {"file": file, "expects": _expects(run), "document": build_run_document(run_id, manifests)}
        if run is not None:
            edit["quarantine"] = True
    return [operation_on(finding, "rebuild-run", _expects(run), {"json": [edit]})]


def build_close_run(finding: Finding, records: Records, now: str) -> list[Operation]:
    run = records.run(finding.run_id or "")
    if run is None or run.json is None:
        return []
    fields = build_closed_fields(run.json, records.manifests(finding.run_id or ""))
    return [operation_on(finding, "close-run", run.expects, {"json": [{"file": run.file, "expects": run.expects, "set": fields}]})]


def _expects(document: Document | None) -> Json | None:
    return document.expects if document is not None else None


def _entry(run: Json | None, name: str) -> Json:
    outputs = (run or {}).get("stage_outputs")
    entries = [entry for entry in outputs if isinstance(entry, dict)] if isinstance(outputs, list) else []
    return next((entry for entry in entries if entry.get("name") == name), {})
