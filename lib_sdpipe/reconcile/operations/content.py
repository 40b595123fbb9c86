"""Operations on what an image file holds: take it as it is, put a copy back, write its text, set it aside."""

from __future__ import annotations

from lib_sdpipe.reconcile.findings import Finding, Json
from lib_sdpipe.reconcile.operations.operation import Operation, Records, operation_on


def build_accept(finding: Finding, records: Records, now: str) -> list[Operation]:
    """The manifest's `image` becomes what the file is now; what it was stays in `revisions`."""
    manifest = records.manifest(finding.run_id or "", finding.name or "")
    image = records.image(finding.root, finding.path or "")
    if manifest is None or image is None:
        return []
    edit = _revise(manifest.file, manifest.expects, (manifest.json or {}).get("image"), _block(image), now, finding.code)
    return [operation_on(finding, "accept", _content(image), {"json": [edit]})]


def build_restore(finding: Finding, records: Records, now: str) -> list[Operation]:
    """A whole copy of what was recorded takes the file's place; the file is set aside."""
    copy = finding.evidence["copy"]
    found, damaged = records.content(copy["root"], copy["path"]), records.content(finding.root, finding.path or "")
    if found is None or damaged is None:
        return []
    return [operation_on(finding, "restore", damaged, {"restore_from": {**copy, **found}})]


def build_write_infotext(finding: Finding, records: Records, now: str) -> list[Operation]:
    """The recorded text back into the file, its pixels and all else in it untouched.

    Where the file then is not byte for byte what was recorded, the manifest learns what it is.
    """
    manifest = records.manifest(finding.run_id or "", finding.name or "")
    image, text = records.image(finding.root, finding.path or ""), (finding.evidence.get("infotext") or {}).get("recorded")
    edited = records.edited(finding.root, finding.path or "", text)
    if manifest is None or image is None or edited is None:
        return []
    writes: Json = {"infotext": text}
    recorded = (manifest.json or {}).get("image") or {}
    if recorded.get("sha256") != edited["sha256"]:
        block = {**_block(image), **edited}
        writes["json"] = [_revise(manifest.file, manifest.expects, recorded, block, now, "write-infotext")]
    return [operation_on(finding, "write-infotext", _content(image), writes)]


def build_quarantine(finding: Finding, records: Records, now: str) -> list[Operation]:
    """Files to the quarantine of their root; a recorded one is marked lost. Of copies the original stays."""
    if finding.code == "duplicated-image":
        sha256 = finding.evidence["sha256"]
        others = finding.evidence["others"]
        return [
            operation_on(finding, "quarantine", {"bytes": other["bytes"], "sha256": sha256}, {"quarantine": True}, other)
            for other in others
        ]
    writes: Json = {"quarantine": True}
    content = records.content(finding.root, finding.path or "")
    if content is None:
        return []
    manifest = records.manifest(finding.run_id, finding.name) if finding.run_id is not None and finding.name is not None else None
    if manifest is not None:
        writes["json"] = [{"file": manifest.file, "expects": manifest.expects, "set": {"lost_at": now}}]
    return [operation_on(finding, "quarantine", content, writes)]


def _revise(file: str, expects: Json, before: Json | None, after: Json, now: str, reason: str) -> Json:
    edit: Json = {"file": file, "expects": expects, "set": {"image": after}}
    if before:
        edit["append"] = {"revisions": [{"time": now, "reason": reason, "image": before}]}
    return edit


def _block(image: Json) -> Json:
    return {key: value for key, value in image.items() if key != "infotext"}


def _content(image: Json) -> Json:
    return {"bytes": image["bytes"], "sha256": image["sha256"]}
