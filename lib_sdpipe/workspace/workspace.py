"""One library: its runs and images as page and command line show them; computes nothing of its own."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from lib_sdpipe.errors import NotAllowedError, RecordError, SdPipeError, UnknownNameError
from lib_sdpipe.index.copies import read_copies
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.index.search import FoundPage
from lib_sdpipe.images.thumbnail import ensure_thumbnail
from lib_sdpipe.manifest.records import STAGES, Json, Manifest, Run
from lib_sdpipe.reconcile.trace import Trace
from lib_sdpipe.store.bin import find_in_quarantine
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.store.refresh import Progress, Refresh
from lib_sdpipe.store.runs import RunStore

# So many runs that the index does not know yet have their files read one by one.
_MOST_UNKNOWN = 100
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

    def __init__(self, layout: Layout, roots: dict[str, Path] | None = None, viewer: str | None = None) -> None:
        """`roots` are image roots that override those of library.json.

        `viewer` is who alone looks, where each user sees own runs: their runs and those that are nobody's are the library
        then, and pictures without a run are not part of it. None is everybody.
        """
        self.layout = layout
        self.viewer = viewer
        self._roots = roots or {}
        self._store = RunStore(layout)

    def sees(self, run_id: str) -> bool:
        """Whether the viewer may know of a run. One whose run file cannot be read may be anybody's."""
        if self.viewer is None:
            return True
        try:
            return self._store.read_run(run_id).user in (None, self.viewer)
        except SdPipeError:
            return False

    def check_sees(self, run_id: str) -> None:
        """Raises UnknownNameError, in the words for a run that is not there."""
        if not self.sees(run_id):
            raise UnknownNameError(f"there is no run {run_id} in {self.layout.runs}; the list of runs says which there are")

    def check_sees_file(self, root: str | None, path: str) -> None:
        """That a file is the image of a run, or lies in a run folder, which the viewer may know of. Raises UnknownNameError."""
        if self.viewer is None or (root == RUNS_ROOT and self.sees(path.partition("/")[0])):
            return
        with open_index(self.layout.index_places, self.viewer) as index:
            if index.pictures.find_by_path(root, path):
                return
            self.look(index)
            if not index.pictures.find_by_path(root, path):
                raise UnknownNameError(f"{root}: {path}: no image in the roots of this library")

    def check_sees_all(self) -> None:
        """For what concerns the library as a whole. Raises NotAllowedError where somebody sees own runs only."""
        if self.viewer is not None:
            raise NotAllowedError(
                'While "Each user sees own runs" is on, repairs are for the command line, and for the API with the password of'
                " --api-auth."
            )

    def list_runs(self, limit: int = 50, after: str | None = None) -> RunPage:
        """Runs newest first, those older than `after` only. Raises NoLibraryError."""
        run_ids = self._list_run_ids()
        older = (run_id for run_id in run_ids if after is None or run_id < after)
        page = list(islice(older, limit + 1))
        has_more = len(page) > limit
        page = page[:limit]
        return RunPage(len(run_ids), [self.summarize(run_id) for run_id in page], page[-1] if has_more and page else None)

    def _list_run_ids(self) -> list[str]:
        run_ids = list(self._store.iter_run_ids())
        if self.viewer is None:
            return run_ids
        with open_index(self.layout.index_places) as index:
            if len(set(run_ids) - index.records.run_ids()) > _MOST_UNKNOWN:
                self.look(index)
            known, seen = index.records.run_ids(), index.records.run_ids_of(self.viewer)
        return [run_id for run_id in run_ids if run_id in seen or (run_id not in known and self.sees(run_id))]

    def iter_newest(self, limit: int) -> Iterator[Run]:
        """Runs that can be read, newest first, of the newest `limit`. Raises NoLibraryError."""
        for run_id in self._store.newest_run_ids(limit):
            try:
                run = self._store.read_run(run_id)
            except SdPipeError:
                continue
            if self.viewer is None or run.user in (None, self.viewer):
                yield run.copy(update={"run_id": run_id})

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
        self.check_sees(run_id)
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
        self.check_sees(run_id)
        return self._store.read_manifest(run_id, name)

    def read_environment(self, sha256: str) -> Json:
        """Host, versions and options as a run names them. Raises UnknownNameError, RecordError or OSError."""
        return self._store.read_environment(sha256)

    def find_picture(self, manifest: Manifest) -> Path | None:
        """The image's file where it was recorded, else its copy in the run folder; None where no root has either.

        A record may come from elsewhere and name any file of this disk, also by a link.
        """
        from lib_sdpipe.workspace.shown_file import ShownFiles  # the host's start waits for this module

        return ShownFiles(self.layout, self._roots).find(manifest).file

    def find_copies(self, run_id: str, name: str) -> list[str]:
        """Files made of the image with the Save button, as the index knows them: `root: path`, or the absolute path."""
        paths = [path for path in read_copies(self.layout.index_file, run_id, name) if os.path.exists(path)]
        library = Library(self.layout)
        placed = (library.locate(Path(path)) for path in paths)
        return [f"{root}: {path}" if root else path for root, path in placed]

    def find_in_bin(self, manifest: Manifest) -> Path | None:
        """The image's file in quarantine, of a record that is marked as lost; None where it is not there either."""
        if manifest.lost_at is None:
            return None
        places = Places(self.layout, Library(self.layout))
        wheres = [(manifest.root, manifest.path), (RUNS_ROOT, manifest.kept)]
        found = (find_in_quarantine(places, root, path) for root, path in wheres if path is not None)
        return next((file for file in found if file is not None), None)

    def find_thumbnail(self, manifest: Manifest) -> Path | None:
        """A small picture of the image, made once, also of one in the bin; None where there is no readable image."""
        source = self.find_picture(manifest) or self.find_in_bin(manifest)
        if source is None:
            return None
        return ensure_thumbnail(source, self.layout.thumbnails, _thumbnail_key(source))

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
        with open_index(self.layout.index_places, self.viewer) as index:
            if look is not None:
                self.look(index, look)
            index.search.complete(None if look is None else lambda done, total: look("indexed", done))
            return index.search.find(query, limit, after)

    def trace(self, image: Path, look: Progress | None = None) -> Trace:
        """Which recorded image a file is. Raises UnknownNameError for a file that cannot be read as an image."""
        from lib_sdpipe.images.read import UnreadableImageError  # numpy, which the other verbs do not need
        from lib_sdpipe.store.tracer import Tracer

        with open_index(self.layout.index_places, self.viewer) as index:
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


def _thumbnail_key(source: Path) -> str:
    """Another one once the file is another: what a record says of it may be long past."""
    status = source.stat()
    text = f"{source}\0{status.st_size}\0{status.st_mtime_ns}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
