"""Bringing the index up to what lies on the disk: changed runs and changed image files are read again, nothing else.

The same steps make an index from nothing, so a rebuilt one equals one that was kept up to date. Killed at any moment, the
next look goes on from there.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Iterable, Iterator

from lib_sdpipe.index.files import KnownFile, KnownFolder
from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import Stamp
from lib_sdpipe.index.sql_values import sql_text
from lib_sdpipe.store.confine import QUARANTINE_NAME
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT, Library, is_below
from lib_sdpipe.store.marked import take_scanned_marks
from lib_sdpipe.store.read_file import read_file_head
from lib_sdpipe.store.read_run import read_run_rows
from lib_sdpipe.store.scan import IMAGE_SUFFIXES, FileStat, ScannedFolder, ScannedRun, scan_beside_runs, scan_files, scan_root, scan_run

# How long the others who write to the index may have to wait for a batch.
_BATCH_SECONDS = 0.3
# Images that lie in no root are named by their absolute folder.
OUTSIDE = ""

Progress = Callable[[str, int], None]
"""What is looked at, and how many files so far."""


@dataclass
class Looked:
    """What a look saw; `unavailable` are (root, path) that could not be looked at, with the reason."""

    runs: int = 0
    files: int = 0
    unavailable: dict[tuple[str, str], str] = field(default_factory=dict)


class Refresh:
    """One look over a library; `rest` is called between any two small steps, and what it raises ends the look.

    Raises sqlite3.Error, and NoLibraryError where the runs folder cannot be listed.
    """

    def __init__(
        self, layout: Layout, library: Library, index: Index, progress: Progress | None = None, rest: Callable[[], None] = lambda: None
    ) -> None:
        self._layout = layout
        self._library = library
        self._index = index
        self._progress = progress or (lambda what, files: None)
        self._rest = rest
        self._looked = Looked()
        self._marked: dict[str, Stamp] | None = None
        self._commit_at = 0.0
        self._version = 0
        self._others_wrote = False
        self._real = {name: os.path.realpath(folder) for name, folder in library.roots().items()}
        runs = self._real[RUNS_ROOT] + os.sep
        self._inside_runs = frozenset(folder for folder in self._real.values() if folder.startswith(runs))

    def look(self, run_ids: list[str]) -> Looked:
        """Everything: these runs, which are all there are, and all roots."""
        skip = frozenset(self._real.values())
        with self._batches():
            self._look_at_runs(run_ids)
            roots = self._distinct_roots()
            for name, folder in roots.items():
                self._look_at_root(name, folder, skip - {self._real[name]})
            self._look_outside()
            for name in set(self._index.files.known_roots()) - {RUNS_ROOT, OUTSIDE, *roots}:
                self._index.files.remove_root(name)
            if self._others_wrote:
                self._index.files.remove_homeless()
        return self._looked

    def look_at_runs(self, run_ids: list[str]) -> None:
        """The runs folder alone."""
        with self._batches():
            self._look_at_runs(run_ids)

    def look_at_run(self, run_id: str) -> None:
        """One run that has just been recorded, with the files its manifests name."""
        with self._batches():
            scanned = scan_run(self._layout.runs, run_id, self._inside_runs)
            self._take_run(scanned)
            for folder in scanned.folders:
                self._take_folder(folder, self._index.files.known_folder(folder.root, folder.path))
            self._look_at_claimed(run_id)

    def look_at_files(self, places: Iterable[tuple[str, str]]) -> None:
        """These files (root, path) alone: whether they have come, changed or gone."""
        by_folder: dict[tuple[str, str], list[str]] = {}
        for root, path in places:
            folder, _, name = path.rpartition("/")
            by_folder.setdefault((root, folder), []).append(name)
        with self._batches():
            for (root, folder), names in by_folder.items():
                self._look_at_named(root, folder, names)

    # --- the runs folder ---

    def _look_at_runs(self, run_ids: list[str]) -> None:
        folders = self._index.files.known_folders(RUNS_ROOT)
        self._marked = marked = self._index.marks.stamps()
        for run_id in run_ids:
            scanned = scan_run(self._layout.runs, run_id, self._inside_runs)
            if scanned.problem is not None:
                self._looked.unavailable[RUNS_ROOT, run_id] = scanned.problem
                folders = {path: known for path, known in folders.items() if not is_below(path, run_id)}
                continue
            self._take_run(scanned)
            for folder in scanned.folders:
                self._take_folder(folder, folders.pop(sql_text(folder.path), None))
            self._pause("runs")
        for folder in scan_beside_runs(self._layout.runs, self._inside_runs):
            self._take_folder(folder, folders.pop(sql_text(folder.path), None))
        self._remove_gone(RUNS_ROOT, folders)
        for run_id in (self._index.records.run_ids() | marked.keys()) - set(map(sql_text, run_ids)):
            self._index.remove_run(run_id)

    def _take_run(self, scanned: ScannedRun) -> None:
        self._looked.runs += 1
        self._looked.files += 1 + len(scanned.manifests)
        self._take_marks(scanned)
        stamps = {sql_text(name[:-5]): (size, mtime_ns) for name, size, mtime_ns, *_ in scanned.manifests}
        file = scanned.run_file[1:3] if scanned.run_file is not None else None
        known = self._index.records.run_stamp(scanned.run_id)
        if known == file and known is not None and self._index.records.manifest_stamps(scanned.run_id) == stamps:
            return
        self._index.replace_run(*read_run_rows(self._layout, scanned))

    def _take_marks(self, scanned: ScannedRun) -> None:
        run_id = sql_text(scanned.run_id)
        known = self._marked.get(run_id) if self._marked is not None else self._index.marks.stamp_of(run_id)
        found = scanned.marks[1:3] if scanned.marks is not None else None
        if found != known:
            take_scanned_marks(self._layout, self._index, scanned.run_id, found)

    # --- image roots ---

    def _distinct_roots(self) -> dict[str, Path]:
        """Of several names for one folder the one that most records use; the runs folder is no image root besides."""
        by_folder: dict[str, list[str]] = {}
        for name, real in self._real.items():
            by_folder.setdefault(real, []).append(name)
        names = [max(names, key=self._index.files.count_claims) if len(names) > 1 else names[0] for names in by_folder.values()]
        return {name: self._library.roots()[name] for name in names if self._real[name] != self._real[RUNS_ROOT]}

    def _look_at_root(self, name: str, folder: Path, skip: frozenset[str]) -> None:
        known = self._index.files.known_folders(name)
        for found in scan_root(name, folder, skip):
            if found.path == "" and found.problem is None and not found.files and _has_nothing(folder):
                if not self._library.is_confirmed_empty(name):
                    self._note_unavailable(name, "", "empty")
                    return
            self._take_folder(found, known.pop(sql_text(found.path), None))
            if found.problem is not None:
                known = {path: row for path, row in known.items() if not is_below(path, found.path)}
            self._pause(name)
        self._remove_gone(name, known)

    def _look_outside(self) -> None:
        """Recorded images that lie in no root: only those are looked at."""
        known = self._index.files.known_folders(OUTSIDE)
        for path, names in self._index.files.claimed_names(OUTSIDE):
            self._take_folder(scan_files(OUTSIDE, path, Path(path), names), known.pop(path, None))
        self._remove_gone(OUTSIDE, known)

    def _look_at_claimed(self, run_id: str) -> None:
        """The files that one run names, without their neighbours."""
        for root, path, names in self._index.files.claimed_by(run_id):
            if root != RUNS_ROOT:
                self._look_at_named(root, path, names)

    def _look_at_named(self, root: str, path: str, names: list[str]) -> None:
        """Files of one folder without their neighbours; a folder that is away leaves what was known."""
        roots, files = self._library.roots(), self._index.files
        if root != OUTSIDE and root not in roots:
            return
        folder = Path(path) if root == OUTSIDE else roots[root] / path
        images = [name for name in names if root == OUTSIDE or name.lower().endswith(IMAGE_SUFFIXES)]  # as a look at the root sees them
        found = scan_files(root, path, folder, images)
        row = files.known_folder(root, path)
        if found.problem is not None or (row is None and not found.files):
            return
        row_id = row[0] if row is not None else files.set_folder(root, path, found.device, None)
        known = files.known_files(row_id, names)
        gone = self._take_files(root, path, row_id, folder, found.files, known)
        files.remove_files(known[name][0] for name in gone)

    # --- one folder ---

    def _take_folder(self, found: ScannedFolder, row: KnownFolder | None) -> None:
        files = self._index.files
        if row is None or self._others_wrote:
            row = files.known_folder(found.root, found.path)
        if found.problem is not None:
            self._note_unavailable(found.root, found.path, found.problem)
            return
        self._looked.files += len(found.files)
        if row is not None and row[1:] == (found.device, None) and files.is_as_known(row[0], found.files):
            return
        known = files.known_files(row[0]) if row is not None else {}
        if row is not None and known and row[1] != found.device and not any(sql_text(file[0]) in known for file in found.files):
            self._note_unavailable(found.root, found.path, "another disk is in its place")
            return
        is_known = row is not None and row[1:] == (found.device, None)
        row_id = row[0] if row is not None and is_known else files.set_folder(found.root, found.path, found.device, None)
        gone = self._take_files(found.root, found.path, row_id, self._folder(found), found.files, known)
        if gone:
            files.remove_files(known[name][0] for name in gone)

    def _take_files(
        self, root: str, path: str, row_id: int, folder: Path, found: list[FileStat], known: dict[str, KnownFile]
    ) -> set[str]:
        """Insert what is new and read again what has changed; the names that were known and not found."""
        gone = set(known)
        files = self._index.files
        is_claimed = files.has_claims(root, path)
        for file in found:
            name, size, mtime_ns, inode, device = file
            row = known.get(sql_text(name))
            gone.discard(sql_text(name))
            if row is None:
                head = read_file_head(f"{folder}/{name}", size)
                if head is not None:
                    claim = files.claim_of(root, path, name) if is_claimed else None
                    files.insert_file(row_id, file, head, claim)
            elif row[1] != size or row[2] != mtime_ns:
                head = read_file_head(f"{folder}/{name}", size)
                if head is not None:
                    self._index.files.update_file(row[0], file, head)
            elif row[3] != inode or row[4] != device:
                self._index.files.move_file(row[0], inode, device)
            else:
                continue
            self._pause(root)
        return gone

    def _folder(self, found: ScannedFolder) -> Path:
        return Path(found.path) if found.root == OUTSIDE else self._library.roots()[found.root] / found.path

    def _note_unavailable(self, root: str, path: str, reason: str) -> None:
        """What was known of it stands."""
        self._looked.unavailable[root, path] = reason
        self._index.files.set_folder(root, path, None, reason)

    def _remove_gone(self, root: str, folders: dict[str, KnownFolder]) -> None:
        for path, known in folders.items():
            row = self._index.files.known_folder(root, path) if self._others_wrote else known
            if row is not None:
                self._index.files.remove_folder(row[0])

    # --- batches ---

    @contextmanager
    def _batches(self) -> Iterator[None]:
        self._commit_at = time.monotonic() + _BATCH_SECONDS
        with self._index.transaction():
            self._version = self._index.version()
            yield

    def _pause(self, what: str) -> None:
        """Let others write, and say how far we are."""
        self._rest()
        if time.monotonic() < self._commit_at:
            return
        self._index.commit_and_go_on()
        self._others_wrote = self._others_wrote or self._index.version() != self._version
        self._progress(what, self._looked.files)
        self._commit_at = time.monotonic() + _BATCH_SECONDS


def _has_nothing(folder: Path) -> bool:
    """A root whose last image was set aside has its quarantine, so its disk is there."""
    with os.scandir(folder) as entries:
        return all(entry.name[0] == "." and entry.name != QUARANTINE_NAME for entry in entries)
