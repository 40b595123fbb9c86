"""Which file stands for a recorded image or an input picture: confined to the library, and only what is a picture by its bytes."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from lib_sdpipe.errors import RefusedError, UnknownNameError
from lib_sdpipe.images.head import parse_head
from lib_sdpipe.images.source import START_BYTES
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.store.bin import find_in_quarantine
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT, Library

# What every browser of today shows, by the name that the head has for it.
MEDIA_TYPES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif", "BMP": "image/bmp",
}


# Why there is no file to show.
NOT_SAVED, MISSING, OFFLINE, OUTSIDE, UNREADABLE = "not-saved", "missing", "offline", "outside", "unreadable"
IN_BIN = "in-bin"


@dataclass(frozen=True)
class Shown:
    """The file to show; `absence` says why the recorded one is not there, `is_kept` that the copy in the run folder stands in."""

    file: Path | None
    absence: str | None = None
    is_kept: bool = False


class ShownFiles:
    """One library's, for one answer: its roots are read once."""

    def __init__(self, layout: Layout, roots: dict[str, Path] | None = None) -> None:
        self._layout = layout
        self._library = Library.unread(layout)
        self._library.reload_tolerantly(None)
        if roots:
            self._library.override(roots)
        self._places = Places(layout, self._library)

    def find(self, manifest: Manifest) -> Shown:
        """Where the image was recorded, else its copy in the run folder. Never fails for what the record says."""
        if manifest.path is None and manifest.kept is None:
            return Shown(None, NOT_SAVED)
        recorded = self._find(manifest.root, manifest.path)
        if recorded.absence == MISSING and manifest.lost_at is not None and manifest.path is not None:
            if find_in_quarantine(self._places, manifest.root, manifest.path) is not None:
                recorded = Shown(None, IN_BIN)
        if recorded.file is not None or manifest.kept is None:
            return recorded
        kept = self._find(RUNS_ROOT, manifest.kept)
        return Shown(kept.file, recorded.absence, is_kept=True) if kept.file is not None else recorded

    def look(self, manifest: Manifest) -> Shown:
        """The same, with a look into the file: what is no picture to show is none."""
        shown = self.find(manifest)
        if shown.file is None:
            return shown
        try:
            open_picture(shown.file).file.close()
        except UnknownNameError:
            return Shown(None, UNREADABLE)
        return shown

    def _find(self, root: str | None, path: str | None) -> Shown:
        if path is None:
            return Shown(None, NOT_SAVED)
        try:
            if root is None and os.path.isabs(path):
                root, path = self._library.locate(Path(path))
            file = self._places.find_readable(Place(root, path))
            if file.is_file():
                return Shown(file)
            folder = self._library.roots().get(root or "")
            return Shown(None, MISSING if folder is not None and folder.is_dir() else OFFLINE)
        except RefusedError:
            return Shown(None, OUTSIDE)
        except (OSError, ValueError):  # a name that no disk can have, a folder that cannot be looked into
            return Shown(None, MISSING)


def find_input(layout: Layout, sha256: str) -> Path:
    """The file of a picture that was part of a request. Raises UnknownNameError."""
    file = layout.input_file(sha256)
    real = os.path.join(os.path.realpath(layout.runs), file.relative_to(layout.runs))
    if not file.is_file() or os.path.realpath(file) != real:
        raise UnknownNameError(f"no input picture {sha256} was kept")
    return file


@dataclass(frozen=True)
class OpenPicture:
    """An open file that is a picture: `etag` changes with its content."""

    file: BinaryIO
    media_type: str
    bytes: int
    etag: str


@contextmanager
def _closing_on_fault(file: BinaryIO) -> Iterator[None]:
    try:
        yield
    except BaseException:
        file.close()
        raise


def open_picture(path: Path) -> OpenPicture:
    """The file, at its beginning; to be closed by the caller. Raises UnknownNameError for what is no picture to show."""
    # A pipe that lies there must not be waited for; Windows would translate line ends.
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        file = os.fdopen(os.open(path, flags), "rb")
    except OSError as fault:
        raise UnknownNameError(f"{path.name}: cannot be read ({fault.strerror})") from fault
    with _closing_on_fault(file):
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise UnknownNameError(f"{path.name}: is no file")
        media_type = MEDIA_TYPES.get(parse_head(file.read(START_BYTES)).format or "")
        if media_type is None:
            raise UnknownNameError(f"{path.name}: is no picture that a page can show")
        file.seek(0)
        return OpenPicture(file, media_type, status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"')
