"""What lies in the bin: the culls that the journals tell of, each with its images as they lie in quarantine. Reading only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from lib_sdpipe.errors import RecordError, RefusedError
from lib_sdpipe.manifest.names import is_manifest_name, is_run_id
from lib_sdpipe.reconcile.acts import Act, Place
from lib_sdpipe.reconcile.cull import PLAN_PREFIX, ImageKey
from lib_sdpipe.reconcile.plan_document import RUNS_ROOT
from lib_sdpipe.reconcile.undo import Started
from lib_sdpipe.store.confine import QUARANTINE_NAME, Places
from lib_sdpipe.store.journal import Journal, is_apply_id, iter_journals, journal_file, read_journal
from lib_sdpipe.store.layout import Layout

_JOURNALS_KEPT = 8


@dataclass(frozen=True)
class BinnedFile:
    """Where a file was, where it lies now (in quarantine), and what it is."""

    place: Place
    aside: Place
    bytes: int
    sha256: str


@dataclass(frozen=True)
class BinnedImage:
    """One image of a cull, by the id of its operation. `files` begin with the image; empty: only its record was marked as lost."""

    op: str
    key: ImageKey
    files: tuple[BinnedFile, ...]


@dataclass(frozen=True)
class Cull:
    """`at` is a time as in all files. `is_stopped`: somebody ended the process in the middle of it, or of taking it back."""

    apply_id: str
    at: str
    images: tuple[BinnedImage, ...]
    is_stopped: bool
    purged_at: str | None


def iter_culls(layout: Layout, after: str | None = None) -> Iterator[Cull]:
    """Culls of which something was not taken back, newest first; those older than the apply id `after` only."""
    for path, head in iter_journals(layout.journal):
        if head.plan_id.startswith(PLAN_PREFIX) and (after is None or head.apply_id < after):
            cull = _read(path)
            if cull is not None and cull.images:
                yield cull


def read_cull(layout: Layout, apply_id: str) -> Cull | None:
    """None where no cull has that id, or its journal cannot be read."""
    path = journal_file(layout.journal, apply_id)
    return _read(path) if is_apply_id(apply_id) and path.exists() else None


def find_aside(places: Places, file: BinnedFile) -> Path | None:
    """The file in quarantine; None where it is gone, or no path of ours leads there."""
    try:
        path = places.find_writable(file.aside)
        return path if path.is_file() else None
    except (RefusedError, OSError):
        return None


def find_in_quarantine(places: Places, root: str | None, path: str) -> Path | None:
    """What was set aside from this place last. It needs no journal: the way to a file in quarantine is the way it had in its root."""
    folder, _, name = path.rpartition("/")
    beside = Place(root, f"{folder}/{QUARANTINE_NAME}".lstrip("/" if root is not None else ""))
    tops = [(beside, name)] if root is None else [(Place(root, QUARANTINE_NAME), path), (beside, name)]
    for top, below in tops:
        try:
            ids = sorted((one for one in os.listdir(places.find(top)) if is_apply_id(one)), reverse=True)
        except (OSError, RefusedError):
            continue
        for one in ids:
            try:
                found = places.find_writable(Place(root, f"{top.path}/{one}/{below}"))
            except RefusedError:
                continue
            if found.is_file():
                return found
    return None


def _read(path: Path) -> Cull | None:
    try:
        found = os.stat(path)
        return _parse(path, found.st_mtime_ns, found.st_size)
    except (OSError, RecordError):
        return None


@lru_cache(maxsize=_JOURNALS_KEPT)
def _parse(path: Path, mtime_ns: int, size: int) -> Cull:
    """A page asks for each picture of a cull by itself: its journal is read once as long as it is the same."""
    journal: Journal = read_journal(path)
    if not journal.head.plan_id.startswith(PLAN_PREFIX):
        raise RecordError(f"{path}: of no cull")
    is_stopped = journal.is_undo_cut_short or bool(journal.half_done) or (bool(journal.standing) and not journal.is_ended)
    images = tuple(_image_of(one) for one in journal.standing)
    return Cull(journal.apply_id, journal.head.at, images, is_stopped, journal.purged_at)


def _image_of(started: Started) -> BinnedImage:
    moves = [act for act in started.acts if act.kind == "move" and act.to is not None]
    files = tuple(BinnedFile(act.place, act.to, act.before.bytes, act.before.sha256) for act in moves if act.to and act.before)
    return BinnedImage(started.op, _key_of(started.acts, files), files)


def _key_of(acts: tuple[Act, ...], files: tuple[BinnedFile, ...]) -> ImageKey:
    """From the record that was marked as lost, else from the place that the file had."""
    record = next((act.place.path.split("/") for act in acts if act.kind == "write" and act.place.root == RUNS_ROOT), [])
    if len(record) == 3 and is_run_id(record[0]) and is_manifest_name(record[2].removesuffix(".json")):
        return ImageKey(record[0], record[2].removesuffix(".json"))
    if len(record) == 2:
        return ImageKey(record[0])
    return ImageKey(root=files[0].place.root, path=files[0].place.path) if files else ImageKey()
