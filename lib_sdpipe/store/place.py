"""Whether the runs folder is the one it was. A disk that is away leaves an empty folder behind, which must not be filled."""

from __future__ import annotations

import errno
import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from lib_sdpipe.errors import RecordError, UnreachableLibraryError
from lib_sdpipe.manifest.codec import format_json, parse_json_object
from lib_sdpipe.store.atomic import make_folder, write_atomic
from lib_sdpipe.store.layout import Layout

PLACE_SCHEMA = "sdpipe.place/1"
_OF_WRITING = {errno.ENOSPC, errno.EDQUOT, errno.EROFS} if hasattr(errno, "EDQUOT") else {errno.ENOSPC, errno.EROFS}
_PASSING = _OF_WRITING | {
    getattr(errno, name)
    for name in ("EIO", "EACCES", "EPERM", "ENODEV", "ENXIO", "ESTALE", "ENOTCONN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENETDOWN")
    if hasattr(errno, name)
}


class Place:
    """What this process and this machine know of one runs folder. Every call may wait for the disk; none raises but as told.

    A library that was seen here before is expected again. Where its library.json is missing, the mount point tells why:
    the same as then, somebody removed it; another, its disk is away. `changes` counts how often the folder became another.
    """

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._folder: tuple[int, int] | None = None
        self._mount: str | None = None
        self._known: dict[str, Any] | None = None
        self._has_read = self._is_own_memory = self._is_written = False
        self.changes = 0

    @property
    def known_library(self) -> dict[str, Any] | None:
        """library.json as it was last seen in order; None where it never was."""
        known = self._memory()
        return known["library"] if known is not None else None

    def ensure(self, look: bool = False) -> None:
        """Have the runs folder there, made where it never was. `look`: also at what is in it, though it seems the same.

        Raises UnreachableLibraryError.
        """
        try:
            if look or self._folder is None or self._folder != _identity(self._layout.runs):
                self._look()
        except OSError as fault:
            raise unreachable(self._layout, fault) from fault

    def remember(self, library: dict[str, Any]) -> None:
        """What library.json says, for the time when it is not there; on this machine, and only if it can be written.

        The mount point is that of the last look that found all in order.
        """
        if self._mount is None:
            return
        known = {"schema": PLACE_SCHEMA, "runs": str(self._layout.runs), "mount": self._mount, "library": library}
        if known == self._memory():
            self._is_own_memory = True
            return
        self._known, self._is_own_memory = json.loads(format_json(known)), True
        try:
            write_atomic(self._file, format_json(known))
            self._is_written = True
        except OSError:
            pass  # the process remembers it; the next one may not

    @property
    def _file(self) -> Path:
        return self._layout.apart / "place.json"

    def _look(self) -> None:
        known, mount = self._memory(), _mount_point(self._layout.runs)
        if known is not None:
            found = _library_id(self._layout.library_file)
            if found is None and mount != known["mount"] and not self._is_to_forget():
                raise OSError(None, f"its disk is not there (to begin anew in the empty folder, delete {self._file})")
            if found not in (None, "", known["library"]["id"]):
                if self._is_own_memory:
                    raise OSError(None, "another library is there now; restart the WebUI to record into it")
                self._known = None
        make_folder(self._layout.runs)
        self._mount = mount
        before, self._folder = self._folder, _identity(self._layout.runs)
        self.changes += self._folder != before

    def _is_to_forget(self) -> bool:
        """The user has deleted what this machine knew, as the sentence above says."""
        if self._is_written and not self._file.exists():
            self._known, self._is_own_memory, self._is_written = None, False, False
        return self._known is None

    def _memory(self) -> dict[str, Any] | None:
        if not self._has_read:
            self._has_read, self._known = True, _read_memory(self._file)
            self._is_written = self._known is not None
        return self._known


@lru_cache(maxsize=64)
def place_of(layout: Layout) -> Place:
    """One a process."""
    return Place(layout)


def is_of_folder(layout: Layout, fault: BaseException) -> bool:
    """Whether the runs folder is to blame, and the same may work another time; not the image, nor this record alone."""
    if isinstance(fault, UnreachableLibraryError):
        return True
    if not isinstance(fault, OSError) or fault.errno not in _PASSING:
        return False
    if fault.errno in _OF_WRITING or fault.filename is None:
        return True
    path = Path(os.path.abspath(os.fsdecode(fault.filename)))
    return any(folder == path or folder in path.parents for folder in (layout.runs, layout.private))


def unreachable(layout: Layout, fault: OSError) -> UnreachableLibraryError:
    """The one sentence for all that goes wrong with a runs folder, so that it is told once."""
    if isinstance(fault, UnreachableLibraryError):
        return fault
    return UnreachableLibraryError(
        f"the runs folder {layout.runs} cannot be written: {fault.strerror or fault}. What is to be recorded is kept and written"
        " there by a later run that finds it in order, or at the next start"
    )


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(folder)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _mount_point(folder: Path) -> str:
    real = os.path.realpath(folder)
    while not os.path.ismount(real) and os.path.dirname(real) != real:
        real = os.path.dirname(real)
    return real


def _library_id(path: Path) -> str | None:
    """None without a library.json, empty for one that cannot be read as such."""
    try:
        found = parse_json_object(path.read_bytes(), str(path)).get("id")
    except FileNotFoundError:
        return None
    except RecordError:
        return ""
    return found if isinstance(found, str) else ""


def _read_memory(path: Path) -> dict[str, Any] | None:
    """None where there is none, or none that can be used: it is no more than a precaution."""
    try:
        known = parse_json_object(path.read_bytes(), str(path))
    except (OSError, RecordError):
        return None
    library = known.get("library")
    is_whole = isinstance(known.get("mount"), str) and isinstance(library, dict) and isinstance(library.get("id"), str)
    return known if known.get("schema") == PLACE_SCHEMA and is_whole and isinstance(library.get("roots"), dict) else None
