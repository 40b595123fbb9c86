"""Marking images of any runs at once, and what is marked."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from lib_sdpipe.errors import RecordError, SdPipeError
from lib_sdpipe.index.index import open_index
from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.store.marks import read_marks, write_marks
from lib_sdpipe.workspace.index_update import tell_marks
from lib_sdpipe.workspace.workspace import Workspace


@dataclass
class Marked:
    """`marks` by image as they are then; `failed`: what could not be marked, with a sentence for each run."""

    marks: dict[tuple[str, str], Json] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def mark_images(workspace: Workspace, images: Iterable[ImageLink], change: Json) -> Marked:
    """Make the same change to the marks of these images, as `merge_marks` has it. Each run is done whole or not at all.

    Raises UsageError for what no mark can be.
    """
    by_run: dict[str, dict[str, Json]] = {}
    for image in images:
        if image.run_id and image.name:
            by_run.setdefault(image.run_id, {})[image.name] = change
    marked, now = Marked(), format_utc(time.time())
    for run_id, changes in by_run.items():
        try:
            workspace.check_sees(run_id)
            document = write_marks(workspace.layout, run_id, changes, now)
        except (SdPipeError, OSError) as fault:
            if len(by_run) == 1:
                raise
            marked.failed[run_id] = str(fault)
            continue
        marked.marks.update({(run_id, name): document["marks"].get(name, {}) for name in changes})
    tell_marks(workspace, {run_id for run_id, _ in marked.marks})
    return marked


def read_mark(workspace: Workspace, run_id: str, name: str) -> Json:
    """One image's marks; empty where it has none, or its run's file of marks cannot be read."""
    try:
        return read_marks(workspace.layout, run_id)["marks"].get(name, {})
    except RecordError:
        return {}


def read_known_tags(workspace: Workspace, limit: int = 200) -> list[str]:
    """Tags that are in use, the most used first; none where the index cannot be asked now."""
    try:
        with open_index(workspace.layout.index_places, workspace.viewer) as index:
            return index.marks.known_tags(limit, workspace.viewer)
    except SdPipeError:
        return []
