"""Reading image files for a check: what was read is kept in the index, so that it is read once."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import Callable

from lib_sdpipe.images.read import UndecodableImageError, UnreadableImageError, open_regular, read_image, read_infotext
from lib_sdpipe.index.reading import Read, Reading
from lib_sdpipe.index.sql_values import disk_text
from lib_sdpipe.index.suspects import FileRow
from lib_sdpipe.reconcile.cases import FileState
from lib_sdpipe.store.library import Library

_CHUNK = 1 << 20


class ChangingFileError(Exception):
    """A file is another by now than a moment ago, when it was looked at: the next check judges it."""


class ContentReader:
    """Files by their rows. Without a `reading` nothing is kept."""

    def __init__(self, library: Library, reading: Reading | None, progress: Callable[[str, int], None]) -> None:
        self._library = library
        self._reading = reading
        self._progress = progress
        self._read = 0

    def find_at(self, root: str | None, path: str) -> FileRow | None:
        """What the disk has under a recorded name, as a row that is none of the index's; None for nothing, or no file."""
        place = self._library.resolve(root, path)
        try:
            if place is None or not stat.S_ISREG((status := os.stat(place)).st_mode):
                return None
        except (OSError, ValueError):  # a name too long for this disk, or one with a NUL in it
            return None
        folder, _, name = path.rpartition("/")
        return FileRow(
            0, root or "", folder, name, status.st_size, status.st_mtime_ns, status.st_ino, status.st_dev, None, None, None, None, None,
            None, None, None, None, 0, None,
        )

    def read_digest(self, file: FileRow) -> str | None:
        """The sha256 of its bytes; None where it cannot be read, or is another by now."""
        if file.sha256 is not None:
            return file.sha256
        path = locate(self._library, file.root, file.path)
        try:
            if path is None:
                return None
            digest = hashlib.sha256()
            with open_regular(path) as opened:
                while data := opened.read(_CHUNK):
                    digest.update(data)
                status = os.fstat(opened.fileno())
        except OSError:
            return None
        if (status.st_size, status.st_mtime_ns) != (file.bytes, file.mtime_ns):
            return None
        self._note(Read(file.id, file.bytes, file.mtime_ns, digest.hexdigest()))
        return digest.hexdigest()

    def read_state(self, file: FileRow) -> FileState | None:
        """Everything about its content, pixels and text included; None where it is gone. Raises ChangingFileError."""
        path = locate(self._library, file.root, file.path)
        if path is None:
            return None
        try:
            facts, image = read_image(str(path))
        except UnreadableImageError as fault:
            return self._without_pixels(file, fault)
        except FileNotFoundError:
            return None
        except OSError as fault:
            return _state(file, problem=f"cannot be read ({fault.strerror or fault})")
        self._stop_if_changed(path, file)
        self._note(Read(file.id, file.bytes, file.mtime_ns, facts.sha256, facts.pixel_sha256, facts.perceptual_hash))
        return FileState(
            file.root or None, file.path, file.bytes, facts.format, None, True, facts.sha256, facts.pixel_sha256,
            facts.perceptual_hash, facts.decoder, read_infotext(image), file.run_id,
        )

    def _without_pixels(self, file: FileRow, fault: UnreadableImageError) -> FileState:
        """Damaged; or whole, as far as can be told, and of a kind that cannot be decoded here."""
        problem = None if isinstance(fault, UndecodableImageError) else fault.reason
        sha256 = self.read_digest(file)
        if sha256 is None:
            raise ChangingFileError
        self._note(Read(file.id, file.bytes, file.mtime_ns, sha256, problem=problem))
        return _state(file, problem, sha256, fault.reason if problem is None else None)

    def _stop_if_changed(self, path: Path, file: FileRow) -> None:
        try:
            status = os.stat(path)
        except OSError as fault:
            raise ChangingFileError from fault
        if (status.st_size, status.st_mtime_ns) != (file.bytes, file.mtime_ns):
            raise ChangingFileError

    def _note(self, found: Read) -> None:
        if self._reading is not None:
            self._reading.note(found, None)
        self._read += 1
        self._progress("reading", self._read)


def _state(file: FileRow, problem: str | None, sha256: str | None = None, undecodable: str | None = None) -> FileState:
    return FileState(
        file.root or None, file.path, file.bytes, file.format, problem, sha256 is not None, sha256, run_id=file.run_id,
        undecodable=undecodable,
    )


def locate(library: Library, root: str, path: str) -> Path | None:
    """A file of the index on the disk; its name there need not be UTF-8."""
    place = library.resolve(root or None, path)
    raw = disk_text(path)
    if raw == path or place is None or place.exists():
        return place
    return library.resolve(root or None, raw)
