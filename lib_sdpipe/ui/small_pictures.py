"""Small pictures of image files that have no record, or another content than theirs: put into the page itself, by no address."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.store.confine import Places
from lib_sdpipe.workspace import Workspace

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")
_THREADS = 4
# A larger file is no picture that a WebUI made; making it small would take long.
_LARGEST_BYTES = 128 << 20


class SmallPictures:
    """Of one library. Files in its roots only, reached by no link out of them; what cannot be shown is None."""

    def __init__(self, workspace: Workspace) -> None:
        self._folder = workspace.layout.thumbnails
        self._places = Places(workspace.layout, workspace.library())

    def find_all(self, wanted: Iterable[tuple[str | None, str | None]]) -> list[str | None]:
        """For each (root, path) the file's."""
        from lib_sdpipe.images.thumbnail import ensure_thumbnail  # Pillow: not before somebody looks

        def find(one: tuple[str | None, str | None]) -> str | None:
            file = self._find_file(*one)
            try:
                return _read(ensure_thumbnail(file, self._folder, _key(file))) if file is not None else None
            except OSError:
                return None  # gone by now, or a full disk

        with ThreadPoolExecutor(_THREADS, thread_name_prefix="sdpipe-small-pictures") as pool:
            return list(pool.map(find, wanted))

    def _find_file(self, root: str | None, path: str | None) -> Path | None:
        if root is None or path is None or not path.lower().endswith(_IMAGE_SUFFIXES):
            return None
        try:
            file = self._places.find_readable(Place(root, path))
            return file if file.is_file() and file.stat().st_size <= _LARGEST_BYTES else None
        except (RefusedError, OSError, ValueError):
            return None


def as_address(data: bytes, kind: str = "image/webp") -> str:
    """A picture as the address of itself."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def _read(small: Path | None) -> str | None:
    try:
        return as_address(small.read_bytes()) if small is not None else None
    except OSError:
        return None


def _key(file: Path) -> str:
    status = os.stat(file)
    return hashlib.sha256(f"{file}\0{status.st_size}\0{status.st_mtime_ns}".encode("utf-8", "surrogatepass")).hexdigest()
