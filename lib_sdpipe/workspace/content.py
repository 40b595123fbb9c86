"""Reading image files for a check: what was read is kept in the index, so that it is read once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Callable

from lib_sdpipe.images.read import PictureFacts, UnreadableImageError, read_image, read_infotext
from lib_sdpipe.index.suspects import FileRow, Suspects
from lib_sdpipe.reconcile.cases import FileState
from lib_sdpipe.store.library import Library

_CHUNK = 1 << 20


class ContentReader:
    """Files by their rows. What cannot be read any more is said by None; the next look at the folder tells why."""

    def __init__(self, library: Library, suspects: Suspects, progress: Callable[[str, int], None]) -> None:
        self._library = library
        self._suspects = suspects
        self._progress = progress
        self._read = 0

    def locate(self, file: FileRow) -> Path | None:
        return self._library.resolve(file.root or None, f"{file.folder}/{file.name}" if file.root == "" else file.path)

    def read_digest(self, file: FileRow) -> str | None:
        """The sha256 of its bytes."""
        if file.sha256 is not None and not file.is_changed:
            return file.sha256
        digest = hashlib.sha256()
        path = self.locate(file)
        try:
            if path is None:
                return None
            with open(path, "rb") as opened:
                while data := opened.read(_CHUNK):
                    digest.update(data)
        except OSError:
            return None
        self._note(file, digest.hexdigest(), None, None)
        return digest.hexdigest()

    def read_state(self, file: FileRow) -> FileState | None:
        """Everything about its content, pixels and text included."""
        path = self.locate(file)
        if path is None:
            return None
        try:
            facts, image = read_image(str(path))
        except UnreadableImageError as fault:
            return self._unreadable(file, str(fault))
        except OSError:
            return None
        self._note(file, facts.sha256 or "", facts, None)
        return FileState(
            file.root or None, file.path, facts.bytes or 0, facts.format, None, True, facts.sha256, facts.pixel_sha256,
            facts.perceptual_hash, facts.decoder, read_infotext(image), file.run_id,
        )

    def _unreadable(self, file: FileRow, problem: str) -> FileState:
        sha256 = self.read_digest(file)
        self._note(file, sha256 or "", None, problem)
        return FileState(file.root or None, file.path, file.bytes, file.format, problem, sha256 is not None, sha256)

    def _note(self, file: FileRow, sha256: str, facts: PictureFacts | None, problem: str | None) -> None:
        pixels, looks = (facts.pixel_sha256, facts.perceptual_hash) if facts is not None else (None, None)
        self._suspects.note_read(file, sha256, pixels, looks, problem)
        self._read += 1
        self._progress("reading", self._read)
