"""The paths of plans and journals on this disk: none leads out of the image roots and the runs folder, by its words or by a link."""

from __future__ import annotations

import os
import re
from pathlib import Path

from lib_sdpipe.errors import RecordError, RefusedError, UnknownNameError
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.reconcile.plan_document import OWN_FOLDERS, RUNS_ROOT, is_record_file
from lib_sdpipe.store.layout import PRIVATE_NAME, Layout
from lib_sdpipe.store.library import Library, is_below
from lib_sdpipe.store.runs import RunStore

QUARANTINE_NAME = OWN_FOLDERS[1]
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")
# Names that Windows gives to devices, alone or before a dot; it cuts blanks and dots off the end of a name.
_WINDOWS_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[1-9¹²³])(\..*)?", re.IGNORECASE)


class Places:
    """One library's. A path that may be written is looked at again each time: a folder may have become a link."""

    def __init__(self, layout: Layout, library: Library) -> None:
        self._layout, self._library = layout, library
        self._store = RunStore(layout)
        self._names: dict[Path, set[str]] = {}

    def find(self, place: Place) -> Path:
        """The path, to be read. Raises RefusedError for an unknown root or a path out of it."""
        if place.root is not None and place.root not in self._library.roots():
            raise RefusedError(f"{place}: this library has no root {place.root!r}")
        path = self._library.resolve(place.root, place.path)
        if path is None or (place.root is not None and ".." in place.path.split("/")):
            raise RefusedError(f"{place}: leads out of its root")
        return path

    def find_readable(self, place: Place) -> Path:
        """The path of a file in a root, for a caller who may read the roots and nothing else: no link leads out of them.

        Raises RefusedError.
        """
        parts = place.path.split("/")
        if place.root is None:
            raise RefusedError(f"{place}: name the root it lies in, and its path there")
        if "\0" in place.path or (os.name == "nt" and not all(is_windows_name(part) for part in parts)):
            raise RefusedError(f"{place}: no file can have that name")
        path = self.find(place)
        if PRIVATE_NAME in parts or QUARANTINE_NAME in parts:
            raise RefusedError(f"{place}: lies among what SDPipe keeps for itself")
        self._check_links(place, Path(os.path.realpath(path)), self._library.roots()[place.root])
        return path

    def find_writable(self, place: Place) -> Path:
        """The path of a file that may be changed, moved or made. Raises RefusedError."""
        path = self.find(place)
        if os.name == "nt" and any(not is_windows_name(part) for part in place.path.split("/")):
            raise RefusedError(f"{place}: Windows cannot have a file of that name")
        if path.is_symlink():
            raise RefusedError(f"{place}: is a link; name the file it leads to")
        if place.root is None:
            self._check_alone(place, path)
        else:
            folder = self._library.roots()[place.root]
            if not folder.is_dir():
                raise RefusedError(f"{place}: root {place.root!r} is not there ({folder})")
            self._check_links(place, path, folder)
        if self._is_spelled_otherwise(path):
            raise RefusedError(f"{place}: on this disk its name has other capitals")
        return path

    def find_folder(self, place: Place) -> Path:
        """A folder that an apply may have made: in a root, or a quarantine beside a file. Raises RefusedError."""
        if place.root is not None:
            return self.find_writable(place)
        path = self.find(place)
        if QUARANTINE_NAME not in path.parts:
            raise RefusedError(f"{place}: no quarantine")
        self._check_beside(place, path)
        return path

    def find_record(self, file: str) -> Path:
        """The path of a JSON file in a run folder. Raises RefusedError."""
        if not is_record_file(file) or not all(is_windows_name(part) for part in file.split("/")):
            raise RefusedError(f"{file}: no name for a record file")
        return self.find_writable(Place(RUNS_ROOT, file))

    def check_recorded(self, place: Place, run_id: str | None, name: str | None) -> None:
        """A file outside all roots is touched only where a manifest of this library names it. Raises RefusedError."""
        if place.root is not None:
            return
        try:
            manifest = self._store.read_manifest(run_id or "", name or "")
        except (UnknownNameError, RecordError, OSError) as fault:
            raise RefusedError(f"{place}: lies outside the image roots, and no readable manifest names it") from fault
        if manifest.root is not None or manifest.path != place.path:
            raise RefusedError(f"{place}: lies outside the image roots, and {run_id}/{name} does not name it")

    def quarantine_place(self, place: Place, apply_id: str) -> Place:
        """Where a file goes that is set aside: in its root, or beside it where that is another file system."""
        parent, _, name = place.path.rpartition("/")
        beside = f"{parent}/{QUARANTINE_NAME}/{apply_id}/{name}".lstrip("/" if place.root is not None else "")
        if place.root is None:
            return Place(None, beside)
        folder = self._library.roots()[place.root]
        if _device(folder) != _device(self.find(place).parent):
            return Place(place.root, beside)
        return Place(place.root, f"{QUARANTINE_NAME}/{apply_id}/{place.path}")

    def missing_folders(self, place: Place) -> list[Place]:
        """The folders above a place that are not there yet, outermost first."""
        path, missing = self.find(place), []
        for depth in range(1, place.path.count("/") + 1):
            parent = path.parents[depth - 1]
            if parent.is_dir():
                break
            missing.append(Place(place.root, place.path.rsplit("/", depth)[0]))
        return missing[::-1]

    def _check_links(self, place: Place, path: Path, folder: Path) -> None:
        real = os.path.realpath(path.parent)
        if is_below(real, os.path.realpath(self._layout.private)):
            raise RefusedError(f"{place}: lies among what SDPipe keeps for itself")
        if is_below(real, os.path.realpath(folder)):
            return
        # A folder of pictures that is a link to another drive is common; that drive is a root once it is named as one.
        if not any(is_below(real, os.path.realpath(other)) for other in self._library.roots().values()):
            raise RefusedError(f"{place}: a link leads out of its root, to {real}; make that folder a root with `roots NAME=DIR`")

    def _check_alone(self, place: Place, path: Path) -> None:
        if not place.path.lower().endswith(_IMAGE_SUFFIXES):
            raise RefusedError(f"{place}: lies outside the image roots and is no image")
        self._check_beside(place, path)

    def _check_beside(self, place: Place, path: Path) -> None:
        """In a quarantine beside a file, no part of it is a link to elsewhere."""
        parts = path.parts
        above = Path(*parts[:parts.index(QUARANTINE_NAME)]) if QUARANTINE_NAME in parts else path.parent
        if not is_below(os.path.realpath(path.parent), os.path.realpath(above)):
            raise RefusedError(f"{place}: a link leads out of {above}")

    def _is_spelled_otherwise(self, path: Path) -> bool:
        """Whether a disk that does not tell capitals has the file under another spelling: moved there and back it would get ours."""
        swapped = path.with_name(path.name.swapcase())
        if swapped == path or not swapped.exists() or not path.exists() or not os.path.samefile(swapped, path):
            return False
        if path.name not in self._names.get(path.parent, ()):
            self._names[path.parent] = set(os.listdir(path.parent))
        return path.name not in self._names[path.parent]


def is_windows_name(name: str) -> bool:
    """Whether Windows can have a file or folder of that name, and take it for nothing else."""
    has_forbidden = any(character in '<>:"\\|?*' or character < " " for character in name)
    return not (has_forbidden or name.endswith((" ", ".")) or _WINDOWS_DEVICE.fullmatch(name))


def _device(folder: Path) -> int:
    return os.stat(folder).st_dev
