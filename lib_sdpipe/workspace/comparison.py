"""Images and runs as they are compared: what is recorded, what the file says where nothing is, and which file it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.images.head import Head, read_head
from lib_sdpipe.manifest.from_infotext import build_from_infotext, guess_stage
from lib_sdpipe.manifest.infotext import parse_infotext
from lib_sdpipe.manifest.records import STAGES, ImageFacts, Json, Manifest, Run
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.picked import Pick, find_root_image
from lib_sdpipe.workspace.shown_file import ShownFiles
from lib_sdpipe.workspace.workspace import Workspace

# A run of more is compared by its first images: reading them takes a third of a second.
MOST_MANIFESTS = 500


@dataclass(frozen=True)
class ComparedImage:
    """`manifest` of an image without a run is what its own text says; `file` is None where there is none to show.

    `pixels`: how many the file has, whatever is recorded.
    """

    pick: Pick
    manifest: Manifest
    file: Path | None
    pixels: int = 0


@dataclass(frozen=True)
class ComparedRun:
    """`problems` are sentences about files that cannot be read; `is_cut`: the run has more images than were read."""

    run_id: str
    run: Run
    manifests: list[Manifest]
    environment: Json | None
    is_cut: bool = False
    problems: list[str] = field(default_factory=list)


def read_compared_image(workspace: Workspace, pick: Pick) -> ComparedImage:
    """Raises UnknownNameError, RecordError or OSError."""
    if pick.run_id is not None:
        manifest = workspace.view_manifest(pick.run_id, pick.name or "")
        recorded = ShownFiles(workspace.layout).find(manifest).file
        head = read_head(str(recorded)) if recorded is not None else None
        is_picture = head is not None and head.format is not None
        return ComparedImage(pick, manifest, recorded if is_picture else None, _count_pixels(head))
    file = find_root_image(workspace, pick.root or "", pick.path or "")
    head = read_head(str(file))
    return ComparedImage(pick, _read_unrecorded(pick, file, head), file, _count_pixels(head))


def read_compared_run(workspace: Workspace, run_id: str) -> ComparedRun:
    """Raises UnknownNameError for a run that is not there."""
    workspace.check_sees(run_id)
    store, problems = RunStore(workspace.layout), []
    try:
        run = store.read_run(run_id)
    except RecordError as fault:
        run = Run(run_id=run_id)
        problems.append(str(fault))
    found = list(islice(store.iter_manifests(run_id), MOST_MANIFESTS + 1))
    manifests = [manifest for manifest in found[:MOST_MANIFESTS] if isinstance(manifest, Manifest)]
    problems += [str(fault) for fault in found[:MOST_MANIFESTS] if not isinstance(fault, Manifest)]
    order = {stage: number for number, stage in enumerate(STAGES)}
    manifests.sort(key=lambda manifest: (order.get(manifest.stage or "", len(order)), manifest.name or ""))
    environment = None
    if run.environment:
        try:
            environment = store.read_environment(run.environment)
        except (SdPipeError, OSError) as fault:
            problems.append(f"The environment of {run_id} cannot be read: {fault}")
    return ComparedRun(run_id, run, manifests, environment, len(found) > MOST_MANIFESTS, problems)


def _count_pixels(head: Head | None) -> int:
    return (head.width or 0) * (head.height or 0) if head is not None else 0


def _read_unrecorded(pick: Pick, file: Path, head: Head) -> Manifest:
    state = file.stat()
    infotext = parse_infotext(head.infotext or "")
    return Manifest(**{
        **build_from_infotext(infotext), "run_id": None, "stage": guess_stage(infotext), "root": pick.root, "path": pick.path,
        "timestamp": format_utc(state.st_mtime),
        "image": ImageFacts(width=head.width, height=head.height, format=head.format, bytes=state.st_size),
    })
