"""A picture that was made again takes the place of the file that was lost, under its old manifest, through the journal."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from dataclasses import asdict
from pathlib import Path

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.images.read import read_image
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.plan import build_plan
from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.workspace.index_update import tell_index
from lib_sdpipe.workspace.workspace import Workspace

REGENERATE = "regenerate"


def put_back(workspace: Workspace, manifest: Manifest, file: Path) -> None:
    """Copy `file` to where the manifest says that its image is; what the file is then stands in the manifest.

    Raises RefusedError where something is there by now, LockedError, RecordError, OSError.
    """
    if manifest.path is None or manifest.run_id is None or manifest.name is None:
        raise RefusedError(f"{manifest.run_id}/{manifest.name}: no file of it was ever written")
    now, layout = format_utc(time.time()), workspace.layout
    source = _content(file)
    writes: Json = {"restore_from": {"root": None, "path": os.path.abspath(file), **source}}
    edit = _revise(workspace, manifest, asdict(read_image(file)[0]), now)
    if edit is not None:
        writes["json"] = [edit]
    operation = Operation(REGENERATE, "missing-image", manifest.root, manifest.path, manifest.run_id, manifest.name, None, writes)
    library = workspace.library().document.get("id") if layout.library_file.exists() else None
    done = apply_plan(layout, build_plan([operation], f"{REGENERATE}-{now[:10]}-{secrets.token_hex(4)}", now, library))
    tell_index(workspace, [manifest.run_id], [(manifest.root, manifest.path)])
    if done.failed:
        raise RefusedError(str(done.failed[0]["reason"]))


def _revise(workspace: Workspace, manifest: Manifest, image: Json, now: str) -> Json | None:
    """The pixels are those of the record; the file itself may differ in its bytes, and it is lost no more."""
    document = manifest.to_json()
    changes: Json = {"lost_at": None} if manifest.lost_at is not None else {}
    edit: Json = {}
    if (document.get("image") or {}).get("sha256") != image["sha256"]:
        changes["image"] = image
        if document.get("image"):
            edit["append"] = {"revisions": [{"time": now, "reason": REGENERATE, "image": document["image"]}]}
    if not changes:
        return None
    path = workspace.layout.manifest_file(manifest.run_id or "", manifest.name or "")
    return {"file": f"{manifest.run_id}/manifests/{manifest.name}.json", "expects": _content(path), "set": changes, **edit}


def _content(path: Path) -> Json:
    data = path.read_bytes()
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
