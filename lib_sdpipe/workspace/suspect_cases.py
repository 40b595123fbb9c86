"""A picture that does not fit, with what must be read to judge it: its file, files with its content, a copy of it."""

from __future__ import annotations

from dataclasses import replace

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.index.sql_values import disk_text
from lib_sdpipe.index.suspects import FileRow, SuspectPicture, Suspects
from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.reconcile.cases import FileState, PictureCase
from lib_sdpipe.store.library import RUNS_ROOT
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.content import ChangingFileError, ContentReader


class SuspectCases:
    """`explained` collects the files that a case accounts for: they are no orphans."""

    def __init__(self, store: RunStore, suspects: Suspects, reader: ContentReader, explained: set[int]) -> None:
        self._store = store
        self._suspects = suspects
        self._reader = reader
        self._explained = explained
        self._replaced: dict[int, list[int]] | None = None

    def build(self, suspect: SuspectPicture) -> PictureCase | None:
        """None where all is well after all, or the file is being changed just now."""
        try:
            file = self._state(suspect) if suspect.file is not None else None
            if file is None and (row := self._at_its_place(suspect)) is not None:
                file = self._state(replace(suspect, file=row))
        except ChangingFileError:
            return None
        if file is not None and file.sha256 is not None and file.sha256 == suspect.sha256:
            return None
        return self._build(suspect, None if file is not None and self._was_renamed_over(suspect, file) else file)

    def build_kept(self, suspect: SuspectPicture) -> PictureCase | None:
        """The same of the copy in a run folder; one that is gone is not missed, and one of an older revision is as it should be."""
        images = [revision.get("image") for revision in self._manifest(suspect).revisions]
        older = [image.get("sha256") for image in images if isinstance(image, dict)]
        try:
            if older and suspect.file is not None and self._reader.read_digest(suspect.file) in older:
                return None
            file = self._state(suspect)
        except ChangingFileError:
            return None
        return self._build(suspect, file) if file is not None else None

    def _build(self, suspect: SuspectPicture, file: FileState | None) -> PictureCase:
        manifest = self._manifest(suspect) if file is not None else Manifest()  # nothing of it is needed to miss an image
        candidates: list[FileState] = []
        by, copy = None, None
        if file is None:
            candidates, by = self._candidates(suspect)
        elif file.problem is not None or file.sha256 != suspect.sha256:
            copy = self._copy(suspect)
        image = manifest.image or ImageFacts()
        return PictureCase(
            suspect.run_id, suspect.name, suspect.root, suspect.path, manifest.role, image.format, suspect.bytes, suspect.sha256,
            suspect.pixel_sha256, image.perceptual_hash, image.decoder, manifest.infotext, file, tuple(candidates), by, copy,
            suspect.file is not None and not suspect.file.is_changed and suspect.file.bytes == suspect.bytes,
        )

    def _manifest(self, suspect: SuspectPicture) -> Manifest:
        try:
            return self._store.read_manifest(suspect.run_id, suspect.name)
        except (SdPipeError, OSError):
            return Manifest()  # it went a moment ago; the next check tells

    def _state(self, suspect: SuspectPicture) -> FileState | None:
        file = suspect.file
        if file is None:
            return None
        if file.problem is None:
            return self._reader.read_state(file)
        digest = self._reader.read_digest(file) if file.bytes == suspect.bytes else None  # it may be as it was recorded
        return FileState(file.root or None, file.path, file.bytes, file.format, file.problem, digest is not None, digest)

    def _at_its_place(self, suspect: SuspectPicture) -> FileRow | None:
        """The file, where the disk has it under its name although no folder lists it so: a disk that does not tell capitals,
        or ways of writing an umlaut; a link in the path; a root inside another. None where it is not there, or another record's.
        """
        there = self._reader.find_at(suspect.root, suspect.path)
        if there is None:
            return None
        known = self._suspects.file_at(suspect.root, suspect.path)
        if known is not None and known.claim is not None:
            return known if self._reader.read_digest(known) == suspect.sha256 else None
        names = self._suspects.unnamed_on_inode(there.bytes, there.inode, there.device)
        self._explained.update(name.id for name in names)
        return replace(names[0], root=there.root, folder=there.folder, name=there.name) if names else there

    # --- where a missing image went ---

    def _candidates(self, suspect: SuspectPicture) -> tuple[list[FileState], str | None]:
        """By its bytes, else by its pixels; the copy in the run folder where it is nowhere else."""
        found, by = self._with_same_bytes(suspect), "file"
        if not found and suspect.pixel_sha256 is not None:
            found, by = self._with_same_pixels(suspect), "pixels"
        self._explained.update(file.id for file in found)
        if found:
            return [self._as_state(file) for file in found], by
        kept = self._kept(suspect)
        return ([kept], "file") if kept is not None else ([], None)

    def _with_same_bytes(self, suspect: SuspectPicture) -> list[FileRow]:
        if suspect.sha256 is None or suspect.bytes is None:
            return []
        sized = self._suspects.unnamed_of_size(suspect.bytes)
        found = [file for file in sized if self._is_free(file) and self._reader.read_digest(file) == suspect.sha256]
        return found or self._in_place_of_others(suspect)

    def _in_place_of_others(self, suspect: SuspectPicture) -> list[FileRow]:
        """Names were exchanged or passed on: the file is under a name that another record names, and is not that one's."""
        if self._replaced is None:
            self._replaced = {}
            for size, row_id in self._suspects.iter_replaced():
                self._replaced.setdefault(size, []).append(row_id)
        maybe = (self._suspects.file_of(row_id) for row_id in self._replaced.get(suspect.bytes or 0, ()))
        own = suspect.file.id if suspect.file is not None else None
        files = [file for file in maybe if file is not None and file.id != own and self._is_free(file)]
        return [file for file in files if self._reader.read_digest(file) == suspect.sha256]

    def _was_renamed_over(self, suspect: SuspectPicture, file: FileState) -> bool:
        """Whether what is in its place is another record's image that got its name, while its own is in one other place."""
        if file.problem is not None or file.sha256 is None or not self._suspects.is_missed(file.sha256, suspect.id):
            return False
        return len(self._with_same_bytes(suspect)) == 1

    def _with_same_pixels(self, suspect: SuspectPicture) -> list[FileRow]:
        """Its text was changed on the way: looked for under its name, by the Run ID in it, and among all that was ever read."""
        known = self._suspects.with_pixels(suspect.pixel_sha256 or "")
        maybe = self._suspects.unnamed_saying(suspect.run_id) + self._suspects.unnamed_named(suspect.path.rpartition("/")[2])
        maybe = [file for file in maybe if (file.width, file.height) == (suspect.width, suspect.height)]
        unread = {file.id: file for file in maybe if file.pixel_sha256 is None and file.problem is None}
        for file in unread.values():
            state = self._read(file)
            if state is not None and state.pixel_sha256 == suspect.pixel_sha256:
                known.append(file)
        return [file for file in known if self._is_free(file)]

    def _read(self, file: FileRow) -> FileState | None:
        try:
            return self._reader.read_state(file)
        except ChangingFileError:
            return None

    def _is_free(self, file: FileRow) -> bool:
        return file.id not in self._explained

    def _as_state(self, file: FileRow) -> FileState:
        digest = self._reader.read_digest(file)
        return FileState(
            file.root or None, file.path, file.bytes, file.format, None, digest is not None, digest, run_id=file.run_id,
            is_named_oddly=disk_text(file.path) != file.path,
        )

    # --- what a damaged one can be restored from ---

    def _copy(self, suspect: SuspectPicture) -> FileState | None:
        kept = self._kept(suspect)
        if kept is not None:
            return kept
        found = [file for file in self._with_same_bytes(suspect) if file.claim is None]
        return self._as_state(found[0]) if found else None

    def _kept(self, suspect: SuspectPicture) -> FileState | None:
        """The copy in the run folder, if it is whole."""
        row = self._suspects.file_at(RUNS_ROOT, suspect.kept) if suspect.kept is not None else None
        if row is None or row.problem is not None or suspect.sha256 is None:
            return None
        state = self._as_state(row)
        return state if state.sha256 == suspect.sha256 else None
