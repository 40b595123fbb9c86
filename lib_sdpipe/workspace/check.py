"""Checking a library: look at the disk, let the index name what does not fit, read that, and let the rules say what it is."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import Callable, Iterator

from lib_sdpipe.index.index import Index
from lib_sdpipe.index.records import ManifestRow, RunRow
from lib_sdpipe.index.suspects import FileRow, SuspectPicture
from lib_sdpipe.manifest.records import ProcessMark
from lib_sdpipe.reconcile.cases import AwayCase, CopiesCase, FileState, FolderCase, ManifestState, RunCase
from lib_sdpipe.reconcile.check import check_picture, check_run
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.rules import (
    check_duplicated_image, check_orphaned_image, check_renamed_run, check_unavailable_root, check_unreadable_file,
)
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.machine import is_process_alive
from lib_sdpipe.store.read_run import BLOCKED, NEWER, read_own_run_id
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.scan import list_renamed_runs
from lib_sdpipe.workspace.content import ContentReader
from lib_sdpipe.workspace.deep import DeepProgress, DeepReader
from lib_sdpipe.workspace.suspect_cases import SuspectCases

_EXAMPLES = 3
# What is truncated and was written to that shortly ago is being written: it is judged later.
_WRITING_SECONDS = 10.0

Progress = Callable[[str, int], None]


@dataclass
class Checker:
    """One check of one library. `only` lists every file of the codes it names where a check lists folders.

    `rest` is called between any two small steps: it may pause, or raise to end the check, and the index stays whole.
    `is_deep`: before it judges it reads what the deep pass under way has left, for at most `max_seconds`; `left` is then how
    many files that pass has still to read.
    """

    layout: Layout
    library: Library
    index: Index
    progress: Progress = lambda what, count: None
    only: frozenset[str] = frozenset()
    is_deep: bool = False
    max_seconds: float | None = None
    deep_progress: Callable[[DeepProgress], None] = lambda progress: None
    left: int | None = None
    rest: Callable[[], None] = lambda: None
    _explained: set[int] = field(default_factory=set)
    _away: dict[tuple[str, str], str] = field(default_factory=dict)

    def check(self) -> Iterator[Finding]:
        """All findings, in a fixed order. Raises NoLibraryError, sqlite3.Error."""
        run_ids = list(RunStore(self.layout).iter_run_ids())
        self._away = Refresh(self.layout, self.library, self.index, self.progress, self.rest).look(run_ids).unavailable
        if self.is_deep:
            self.left = DeepReader(self.library, self.index).read(self.max_seconds, self.deep_progress)
        yield from self._check_roots()
        broken: list[str] = []
        for row, manifests in self.index.records.iter_runs():
            self.rest()
            if any(manifest.problem is not None for manifest in manifests):
                broken.append(row.run_id)
            yield from check_run(_run_case(row, [self._manifest_state(row.run_id, manifest) for manifest in manifests]))
        for folder in list_renamed_runs(self.layout.runs):
            own = read_own_run_id(self.layout.runs / folder)
            broken += [own] if own is not None else []
            yield check_renamed_run(folder, own)
        reader = ContentReader(self.library, self.index.reading, self.progress)
        self._explained.update(self.index.suspects.iter_further_names())
        yield from self._check_pictures(reader)
        yield from self._check_damaged()
        yield from self._check_copies(reader)
        self._explain_unreadable(broken)
        yield from self._check_unnamed()

    def _manifest_state(self, run_id: str, row: ManifestRow) -> ManifestState:
        problem, seconded = row.problem or "", []
        if row.problem is None and row.own_run_id not in (None, run_id):
            if row.picture is not None and self.index.suspects.run_id_in_image(row.picture) == row.own_run_id:
                seconded.append("image")
            if self.index.records.has_run(row.own_run_id or ""):
                seconded.append("run")
        return ManifestState(row.file, row.own_run_id, row.problem, problem.startswith(NEWER), problem.startswith(BLOCKED), tuple(seconded))

    def _check_roots(self) -> Iterator[Finding]:
        for (root, path), reason in sorted(self._away.items()):
            case = AwayCase(root or None, path, reason, self.index.suspects.recorded_below(root, path))
            finding = check_unavailable_root(case)
            if finding is not None:
                yield finding

    def _explain_unreadable(self, run_ids: list[str]) -> None:
        """Images of manifests that cannot be read, where neither the run file nor their place tells which they are."""
        self._explained.update(file.id for run_id in run_ids for file in self.index.suspects.unnamed_saying(run_id))

    def _check_pictures(self, reader: ContentReader) -> Iterator[Finding]:
        cases = SuspectCases(RunStore(self.layout), self.index.suspects, reader, self._explained)
        for suspect in self.index.suspects.iter_pictures():
            self.rest()
            if self._is_away(suspect.root, suspect.path) or _is_being_written(suspect.file):
                continue
            case = cases.build(suspect)
            finding = check_picture(case) if case is not None else None
            if finding is not None:
                yield finding
        for suspect in self.index.suspects.iter_kept():
            yield from self._check_kept(cases, suspect)

    def _check_kept(self, cases: SuspectCases, suspect: SuspectPicture) -> Iterator[Finding]:
        """A copy in a run folder that is none any more: the record is the other file's, and nothing is to be done about it."""
        if self._is_away(suspect.root, suspect.path) or _is_being_written(suspect.file):
            return
        case = cases.build_kept(suspect)
        finding = check_picture(case) if case is not None else None
        if finding is not None:
            evidence = {**finding.evidence, "kept": True}
            yield replace(finding, evidence=evidence, operations=())

    def _check_damaged(self) -> Iterator[Finding]:
        for file in self.index.suspects.iter_damaged():
            if file.id in self._explained or self._is_away(file.root or None, file.path):
                continue
            self._explained.add(file.id)
            if _is_being_written(file):
                continue
            finding = check_unreadable_file(state_of(file))
            if finding is not None:
                yield finding

    def _check_copies(self, reader: ContentReader) -> Iterator[Finding]:
        for file in list(self.index.suspects.iter_likely_copies()):
            self.rest()
            reader.read_digest(file)
        for sha256, files in self.index.suspects.iter_copies():
            files = [file for file in files if file.id not in self._explained]
            original, others = _split_copies(files, self.library.save_roots())
            self._explained.update(file.id for file in files if file is not original and file.claim is None)
            if original is None or not others:
                continue
            run_id, name = self.index.suspects.picture_of(original.id) or (None, None)
            case = CopiesCase(sha256, state_of(original), run_id, name, tuple(state_of(other) for other in others))
            finding = check_duplicated_image(case)
            if finding is not None:
                yield finding

    def _check_unnamed(self) -> Iterator[Finding]:
        suspects, saved = self.index.suspects, self.library.save_roots()
        for root, path, count, size in list(suspects.iter_unnamed_folders(self._explained)):
            if root in saved or self._is_away(root or None, f"{path}/"):
                continue
            if "orphaned-image" in self.only:
                yield from self._list_unnamed(root, path, count)
                continue
            examples = tuple(file.name for file in suspects.unnamed_in(root, path, _EXAMPLES))
            finding = check_orphaned_image(FolderCase(root or None, path, count, size, examples))
            if finding is not None:
                yield finding

    def _list_unnamed(self, root: str, path: str, count: int) -> Iterator[Finding]:
        for file in self.index.suspects.unnamed_in(root, path, count):
            finding = check_orphaned_image(FolderCase(root or None, file.path, 1, file.bytes, (file.name,)))
            if finding is not None:
                yield finding

    def _is_away(self, root: str | None, path: str) -> bool:
        return any(
            away == (root or "") and (folder == "" or path.startswith(folder + "/")) for away, folder in self._away
        )


def _is_being_written(file: FileRow | None) -> bool:
    return file is not None and file.head_problem is not None and abs(time.time() - file.mtime_ns / 1e9) < _WRITING_SECONDS


def state_of(file: FileRow) -> FileState:
    return FileState(
        file.root or None, file.path, file.bytes, file.format, file.problem, file.sha256 is not None, file.sha256, file.pixel_sha256,
        file.perceptual_hash, None, None, file.run_id,
    )


def _run_case(row: RunRow, manifests: list[ManifestState]) -> RunCase:
    facts, process = row.facts, row.facts.get("process")
    is_running = row.status == "running" and isinstance(process, dict)
    return RunCase(
        row.run_id, row.file is not None, row.problem, (row.problem or "").startswith(NEWER),
        (row.problem or "").startswith(BLOCKED), facts.get("schema") is not None,
        row.status, facts.get("run_id"), tuple(entry[0] for entry in facts.get("outputs", ())),
        tuple(manifests),
        process, is_process_alive(ProcessMark.parse_obj(process)) if is_running else None,
    )


def _split_copies(files: list[FileRow], save_roots: frozenset[str]) -> tuple[FileRow | None, list[FileRow]]:
    """(the one to stay, further copies): recorded before unrecorded, then the oldest. Hard links and what the host's Save
    button made are no copies."""
    if not files:
        return None, []
    ranked = sorted(files, key=lambda file: (file.claim is None, file.root in save_roots, file.mtime_ns, file.root, file.path))
    original = ranked[0]
    seen = {(original.device, original.inode)}
    others = []
    for file in ranked[1:]:
        if file.claim is None and file.root not in save_roots and (file.device, file.inode) not in seen:
            others.append(file)
        seen.add((file.device, file.inode))
    return original, others
