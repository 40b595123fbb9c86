"""A picture that does not fit, with what must be read to judge it: its file, files with its content, a copy of it."""

from __future__ import annotations

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.index.suspects import FileRow, SuspectPicture, Suspects
from lib_sdpipe.manifest.records import ImageFacts, Manifest
from lib_sdpipe.reconcile.cases import FileState, PictureCase
from lib_sdpipe.store.library import RUNS_ROOT
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.workspace.content import ContentReader


class SuspectCases:
    """`explained` collects the files that a case accounts for: they are no orphans."""

    def __init__(self, store: RunStore, suspects: Suspects, reader: ContentReader, explained: set[int]) -> None:
        self._store = store
        self._suspects = suspects
        self._reader = reader
        self._explained = explained

    def build(self, suspect: SuspectPicture) -> PictureCase:
        manifest = self._manifest(suspect)
        file = self._state(suspect)
        candidates: list[FileState] = []
        by, copy = None, None
        if file is None:
            candidates, by = self._candidates(suspect, manifest)
        elif file.problem is not None or file.sha256 != suspect.sha256:
            copy = self._copy(suspect, manifest)
        image = manifest.image or ImageFacts()
        return PictureCase(
            suspect.run_id, suspect.name, suspect.root, suspect.path, manifest.role, image.format, suspect.bytes, suspect.sha256,
            suspect.pixel_sha256, image.perceptual_hash, image.decoder, manifest.infotext, file, tuple(candidates), by, copy,
        )

    def _manifest(self, suspect: SuspectPicture) -> Manifest:
        try:
            return self._store.read_manifest(suspect.run_id, suspect.name)
        except SdPipeError:
            return Manifest()  # it went a moment ago; the next check tells

    def _state(self, suspect: SuspectPicture) -> FileState | None:
        file = suspect.file
        if file is None:
            return None
        if file.problem is not None:
            return FileState(file.root or None, file.path, file.bytes, file.format, file.problem)
        return self._reader.read_state(file)

    # --- where a missing image went ---

    def _candidates(self, suspect: SuspectPicture, manifest: Manifest) -> tuple[list[FileState], str | None]:
        """By its bytes, else by its pixels; the copy in the run folder where it is nowhere else."""
        found, by = self._with_same_bytes(suspect), "file"
        if not found and suspect.pixel_sha256 is not None:
            found, by = self._with_same_pixels(suspect), "pixels"
        self._explained.update(file.id for file in found)
        if found:
            return [self._as_state(file) for file in found], by
        kept = self._kept(suspect, manifest)
        return ([kept], "file") if kept is not None else ([], None)

    def _with_same_bytes(self, suspect: SuspectPicture) -> list[FileRow]:
        if suspect.sha256 is None or suspect.bytes is None:
            return []
        sized = self._suspects.unnamed_of_size(suspect.bytes)
        return [file for file in sized if self._is_free(file) and self._reader.read_digest(file) == suspect.sha256]

    def _with_same_pixels(self, suspect: SuspectPicture) -> list[FileRow]:
        """Its text was changed on the way: looked for under its name, by the Run ID in it, and among all that was ever read."""
        known = self._suspects.with_pixels(suspect.pixel_sha256 or "")
        maybe = self._suspects.unnamed_saying(suspect.run_id) + self._suspects.unnamed_named(suspect.path.rpartition("/")[2])
        maybe = [file for file in maybe if (file.width, file.height) == (suspect.width, suspect.height)]
        unread = {file.id: file for file in maybe if file.pixel_sha256 is None and file.problem is None}
        for file in unread.values():
            state = self._reader.read_state(file)
            if state is not None and state.pixel_sha256 == suspect.pixel_sha256:
                known.append(file)
        return [file for file in known if self._is_free(file)]

    def _is_free(self, file: FileRow) -> bool:
        return file.id not in self._explained

    def _as_state(self, file: FileRow) -> FileState:
        digest = self._reader.read_digest(file)
        return FileState(file.root or None, file.path, file.bytes, file.format, None, digest is not None, digest, run_id=file.run_id)

    # --- what a damaged one can be restored from ---

    def _copy(self, suspect: SuspectPicture, manifest: Manifest) -> FileState | None:
        kept = self._kept(suspect, manifest)
        if kept is not None:
            return kept
        found = self._with_same_bytes(suspect)
        return self._as_state(found[0]) if found else None

    def _kept(self, suspect: SuspectPicture, manifest: Manifest) -> FileState | None:
        """The copy in the run folder, if it is whole."""
        row = self._suspects.file_at(RUNS_ROOT, manifest.kept) if manifest.kept is not None else None
        if row is None or row.problem is not None or suspect.sha256 is None:
            return None
        state = self._as_state(row)
        return state if state.sha256 == suspect.sha256 else None
