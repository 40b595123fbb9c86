"""One run folder's records as the index holds them: what can be read, why the rest cannot, and which files they name."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable

from lib_sdpipe.errors import NewerSchemaError, RecordError
from lib_sdpipe.index.records import FoundManifest, RunRow, Stamp
from lib_sdpipe.manifest.codec import read_manifest_document, read_run_document
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT
from lib_sdpipe.store.scan import ScannedRun

NEWER = "newer: "
MISSING = "missing"
# The disk or its permissions are to blame, not the record: nothing is to be mended about the file.
BLOCKED = "cannot be read: "

Place = tuple[str, str, str]
"""Root (empty: none, the folder is absolute), folder, name."""


def read_run_rows(layout: Layout, scanned: ScannedRun) -> tuple[RunRow, list[FoundManifest]]:
    """The run's row and its manifests in the order of their names. Files that are gone by now are passed over."""
    folder = os.path.join(layout.runs, scanned.run_id)
    run, problem = None, MISSING
    if scanned.run_file is not None:
        run, problem = _read(f"{folder}/run_metadata.json", read_run_document)
    images = {name: found.path for found in scanned.folders for name, *_ in found.files}
    said = _said_by_run(run) if run is not None else {}
    manifests = []
    for name, size, mtime_ns, *_ in sorted(scanned.manifests):
        manifest, fault = _read(f"{folder}/manifests/{name}", read_manifest_document)
        if fault != MISSING:
            manifests.append(_found(scanned.run_id, name[:-5], _stamp(size, mtime_ns, fault), manifest, fault, images, said))
    return _build_run_row(scanned, run, problem), manifests


def _stamp(size: int, mtime_ns: int, problem: str | None) -> Stamp:
    """What could not be read is tried again at the next look: a permission changes no time."""
    return size, -1 if (problem or "").startswith(BLOCKED) else mtime_ns


def read_own_run_id(folder: Path) -> str | None:
    """The run that a folder's run file says it is of; None where it says none that could be."""
    run, _ = _read(str(folder / "run_metadata.json"), read_run_document)
    own = run.get("run_id") if run is not None else None
    return own if isinstance(own, str) and is_run_id(own) else None


def _read(path: str, read: Callable[[bytes, str], Json]) -> tuple[Json | None, str | None]:
    """(document, None), or (None, why not)."""
    try:
        with open(path, "rb") as file:
            data = file.read()
        return read(data, path), None
    except NewerSchemaError as fault:
        return None, NEWER + str(fault).removeprefix(f"{path}: ")
    except RecordError as fault:
        return None, str(fault).removeprefix(f"{path}: ")
    except FileNotFoundError:
        return None, MISSING
    except OSError as fault:
        return None, f"{BLOCKED}{fault.strerror}"


def _build_run_row(scanned: ScannedRun, run: Json | None, problem: str | None) -> RunRow:
    file = _stamp(scanned.run_file[1], scanned.run_file[2], problem) if scanned.run_file is not None else None
    if run is None:
        return RunRow(scanned.run_id, file, problem)
    facts = {
        "run_id": run.get("run_id"), "schema": run.get("schema"), "process": run.get("process"), "images": run.get("images"),
        "lost_at": run.get("lost_at"),
        "outputs": [_output(entry) for entry in run.get("stage_outputs", ()) if isinstance(entry, dict) and _is_text(entry.get("name"))],
    }
    started_at = run.get("started_at") or run.get("timestamp")
    texts = (run.get("status"), run.get("label"), run.get("source"), started_at, run.get("user"))
    return RunRow(scanned.run_id, file, None, *texts, facts, run.get("finished_at"))


def _output(entry: Json) -> list[str | None]:
    return [entry.get(field) if _is_text(entry.get(field)) else None for field in ("name", "root", "path", "stage", "role")]


def _said_by_run(run: Json) -> dict[str, Place]:
    """What the run file says of its images' places, by manifest name."""
    entries = [entry for entry in run.get("stage_outputs", ()) if isinstance(entry, dict) and _is_text(entry.get("name"))]
    places = ((entry["name"], place_of_image(entry.get("root"), entry.get("path"))) for entry in entries)
    return {name: place for name, place in places if place is not None}


def _found(
    run_id: str, file: str, stamp: Stamp, manifest: Json | None, problem: str | None, images: dict[str, str], said: dict[str, Place]
) -> FoundManifest:
    if manifest is None:
        return FoundManifest(file, stamp, problem, None, None, _claims_of_unreadable(file, images, said))
    own_run_id = manifest.get("run_id")
    if manifest.get("schema") is None:
        _place_older(manifest, run_id, file, images)
    manifest.update(run_id=run_id, name=file)  # where it lies is which it is
    return FoundManifest(file, stamp, None, own_run_id, manifest, _claims(manifest))


def _claims(manifest: Json) -> list[tuple[str, str, str, str]]:
    claims = []
    place = place_of_image(manifest.get("root"), manifest.get("path"))
    if place is not None:
        is_lost = manifest.get("lost_at") is not None
        claims.append((*place, "lost" if is_lost else "image"))
        claims += [(place[0], place[1], name, "lost" if is_lost else "beside") for name in manifest.get("beside", ())]
    kept = place_of_image(RUNS_ROOT, manifest.get("kept"))
    if kept is not None and kept != place:
        claims.append((*kept, "kept"))
    return claims


def _claims_of_unreadable(file: str, images: dict[str, str], said: dict[str, Place]) -> list[tuple[str, str, str, str]]:
    """The place that the run file says, and what lies in the run folder under the manifest's name."""
    claims = [(*said[file], "image")] if file in said else []
    inside = [(RUNS_ROOT, folder, name, "kept") for name, folder in images.items() if os.path.splitext(name)[0] == file]
    return claims + [claim for claim in inside if claim[:3] != said.get(file)]


def _place_older(manifest: Json, run_id: str, file: str, images: dict[str, str]) -> None:
    """StableNew names images by paths of its own process: the image is where that name lies in the run folder."""
    if manifest.get("root") is not None:
        return
    path = manifest.get("path")
    name = os.path.basename((path or "").replace("\\", "/"))
    stems = {os.path.splitext(image)[0]: image for image in images}
    found = name if name in images else stems.get(file)
    if found is not None:
        manifest.update(root=RUNS_ROOT, path=f"{images[found]}/{found}")
    elif path is not None and not os.path.isabs(path):
        manifest.update(root=RUNS_ROOT, path=f"{run_id}/{name}")


def place_of_image(root: Any, path: Any) -> Place | None:
    """Where a record says that its image is; None where it says nothing that could be a place."""
    if not _is_text(path) or not path or not (root is None or isinstance(root, str)):
        return None
    if root is None and not os.path.isabs(path):
        return None
    folder, _, name = path.rpartition("/")
    return root or "", folder, name


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
