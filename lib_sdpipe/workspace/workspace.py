"""One library: its runs and images as page and command line show them; computes nothing of its own."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lib_sdpipe.errors import RecordError, SdPipeError, UnknownNameError
from lib_sdpipe.index.copies import read_copies
from lib_sdpipe.index.index import Index, open_index, read_index
from lib_sdpipe.index.query import parse_query
from lib_sdpipe.index.run_search import FoundRuns
from lib_sdpipe.index.search import FoundPage
from lib_sdpipe.index.sql_values import disk_text
from lib_sdpipe.images.thumbnail import ensure_thumbnail
from lib_sdpipe.manifest.records import STAGES, Json, Manifest, Run
from lib_sdpipe.reconcile.trace import Trace
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.refresh import Progress, Refresh
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.page_address import build_file_stamp
from lib_sdpipe.workspace.watch import LibraryWatch, watch_of

# Told how many of how many are done.
_DIGEST = re.compile(r"[0-9a-f]{64}")
_STAGE_OF_NAME = re.compile(r"([a-z0-9]+?)(?:ed)?_")


@dataclass(frozen=True)
class RunSummary:
    """One line of a list of runs. `error` says why the run file could not be read."""

    run_id: str
    label: str | None
    status: str | None
    started_at: str | None
    source: str | None
    images: Json
    stages: list[str]
    error: str | None = None


@dataclass(frozen=True)
class RunPage:
    """Some runs, newest first; `next` is the cursor of the page that follows, None on the last."""

    total: int
    runs: list[RunSummary]
    next: str | None


@dataclass(frozen=True)
class RunView:
    """Everything recorded of one run; damaged files appear as sentences in `problems`."""

    run_id: str
    run: Run | None
    manifests: list[Manifest]
    problems: list[str] = field(default_factory=list)


class Workspace:
    """One library. Reading it writes nothing but thumbnails, and those only where they are asked for."""

    def __init__(self, layout: Layout, roots: dict[str, Path] | None = None) -> None:
        """`roots` are image roots that override those of library.json."""
        self.layout = layout
        self._roots = roots or {}
        self._store = RunStore(layout)

    def list_runs(self, limit: int = 50, after: str | None = None) -> RunPage:
        """Runs newest first, those older than `after` only. Raises NoLibraryError."""
        run_ids = list(self._store.iter_run_ids())
        older = (run_id for run_id in run_ids if after is None or run_id < after)
        page = list(islice(older, limit + 1))
        has_more = len(page) > limit
        page = page[:limit]
        return RunPage(len(run_ids), [self.summarize(run_id) for run_id in page], page[-1] if has_more and page else None)

    def summarize(self, run_id: str) -> RunSummary:
        stages = self._stages(run_id)
        try:
            run = self._store.read_run(run_id)
        except SdPipeError as fault:
            return RunSummary(run_id, None, None, None, None, {"planned": None, "returned": None, "saved": None}, stages, str(fault))
        return RunSummary(
            run_id, run.label, run.status, run.started_at or run.timestamp, run.source, run.images.to_json(), stages,
        )

    def view_run(self, run_id: str) -> RunView:
        """One run with its manifests, in the order they were saved. Raises UnknownNameError."""
        problems: list[str] = []
        run: Run | None = None
        try:
            run = self._store.read_run(run_id)
        except RecordError as fault:
            problems.append(str(fault))
        manifests: list[Manifest] = []
        for found in self._store.iter_manifests(run_id):
            if isinstance(found, Manifest):
                manifests.append(_placed(found, run_id))
            else:
                problems.append(str(found))
        order = {stage: number for number, stage in enumerate(STAGES)}
        manifests.sort(key=lambda m: (m.timestamp or "", order.get(m.stage or "", len(order)), m.name or ""))
        return RunView(run_id, run, manifests, problems)

    def view_manifest(self, run_id: str, name: str) -> Manifest:
        """Raises UnknownNameError or RecordError."""
        return self._store.read_manifest(run_id, name)

    def find_picture(self, manifest: Manifest) -> Path | None:
        """The image's file where it was recorded, else its copy in the run folder; None where neither is there."""
        return next(Library(self.layout).iter_files(manifest.root, manifest.path, manifest.kept), None)

    def find_copies(self, run_id: str, name: str) -> list[str]:
        """Files made of the image with the Save button, as the index knows them: `root: path`, or the absolute path."""
        paths = [path for path in read_copies(self.layout.index_file, run_id, name) if os.path.exists(path)]
        library = Library(self.layout)
        placed = (library.locate(Path(path)) for path in paths)
        return [f"{root}: {path}" if root else path for root, path in placed]

    def find_thumbnail(self, manifest: Manifest) -> Path | None:
        """A small picture of the image, made once; None where there is no readable image."""
        source = self.find_picture(manifest)
        if source is None:
            return None
        return ensure_thumbnail(source, self.layout.thumbnails, _thumbnail_key(manifest, source))

    def find_file_thumbnail(self, file: int, stamp: str | None = None) -> Path | None:
        """The same of an image file that no manifest names, by the index's id; with `stamp` only where it is still that file.

        Raises UnknownNameError where there is none such, or where it lies outside the roots.
        """
        from lib_sdpipe.reconcile.acts import Place  # the host's start would wait for this module
        from lib_sdpipe.store.confine import Places

        with read_index(self.layout.index_places) as index:
            found = index.search.find_file(file) if index is not None else None
        if found is None or found.root is None or found.path is None:
            raise UnknownNameError(f"there is no unrecorded image {file}")
        own = build_file_stamp(found.root, found.path, found.bytes, found.time)
        if stamp is not None and stamp != own:
            raise UnknownNameError(f"image {file} is another one by now")
        source = Places(self.layout, self.library()).find_readable(Place(found.root, disk_text(found.path)))
        key = hashlib.sha256(f"{own}\0{found.path}".encode("utf-8", "surrogatepass")).hexdigest()
        return ensure_thumbnail(source, self.layout.thumbnails, key) if source.is_file() else None

    def library(self) -> Library:
        """The image roots, those that the caller named among them. Raises RecordError for a damaged library.json."""
        library = Library(self.layout)
        library.override(self._roots)
        return library

    def look(self, index: Index, progress: Progress | None = None) -> None:
        """Bring the index up to what lies on the disk."""
        Refresh(self.layout, self.library(), index, progress).look(list(self._store.iter_run_ids()))

    def find(self, query: str, limit: int = 50, after: str | None = None, look: Progress | None = None) -> FoundPage:
        """Pictures that the query fits, newest first; with `look` after a look at the disk.

        Raises QueryError, UsageError, LockedError or SdPipeError.
        """
        with open_index(self.layout.index_places) as index:
            if look is not None:
                self.look(index, look)
            index.search.complete(None if look is None else lambda done, total: look("indexed", done))
            return index.search.find(query, limit, after)

    def browse_images(
        self, query: str, limit: int, after: str | None = None, before: str | None = None
    ) -> FoundPage | None:
        """As `find`, of the index as it is; newer ones than `before`. None as long as the index is not prepared for it."""
        parse_query(query)  # what is wrong with it is wrong before there is an index, too
        with read_index(self.layout.index_places) as index:
            if index is None or not index.search.is_prepared():
                return None
            return index.search.find(query, limit, after, before)

    def browse_runs(self, query: str, limit: int, after: str | None = None, before: str | None = None) -> FoundRuns | None:
        """The same of runs: those that have an image which fits. Raises QueryError, LockedError or SdPipeError."""
        parse_query(query)
        with read_index(self.layout.index_places) as index:
            return index.run_search.find(query, limit, after, before) if index is not None else None

    def watch(self) -> LibraryWatch:
        """What brings the index up to the disk while a page is looked at."""
        return watch_of(self.layout)

    def trace(self, image: Path, look: Progress | None = None) -> Trace:
        """Which recorded image a file is. Raises UnknownNameError for a file that cannot be read as an image."""
        from lib_sdpipe.images.read import UnreadableImageError  # numpy, which the other verbs do not need
        from lib_sdpipe.store.tracer import Tracer

        with open_index(self.layout.index_places) as index:
            if look is not None:
                self.look(index, look)
            try:
                return Tracer(index, self._store, self.library()).trace(image)
            except OSError as fault:
                raise UnknownNameError(f"{image}: cannot be read ({fault.strerror or fault})") from fault
            except UnreadableImageError as fault:
                raise UnknownNameError(str(fault)) from fault

    def _stages(self, run_id: str) -> list[str]:
        """Stages by the names of the manifests: it does not open them."""
        try:
            names = [path.name for path in self.layout.manifests(run_id).iterdir() if path.suffix == ".json"]
        except OSError:
            return []
        found = {match.group(1) for name in names if (match := _STAGE_OF_NAME.match(name))}
        return [stage for stage in STAGES if stage in found]


def _placed(manifest: Manifest, run_id: str) -> Manifest:
    """An older manifest does not name its run: it lies in this one's folder."""
    if manifest.run_id is None:
        manifest.run_id = run_id
        manifest.inferred = [*manifest.inferred, "run_id"]
    return manifest


def _thumbnail_key(manifest: Manifest, source: Path) -> str:
    """What a record says is data, never a file name: anything but a digest is hashed."""
    digest = manifest.image.pixel_sha256 if manifest.image else None
    if digest is not None and _DIGEST.fullmatch(digest):
        return digest
    return hashlib.sha256(str(source).encode("utf-8", "surrogatepass")).hexdigest()
