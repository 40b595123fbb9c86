"""`library.json`: the image roots by name. A name belongs to one real folder for ever."""

from __future__ import annotations

import os
import re
import uuid
from pathlib import Path
from typing import Any, Callable, Iterator

from lib_sdpipe.errors import DamagedLibraryError, RecordError, UnknownNameError
from lib_sdpipe.manifest.codec import format_json, parse_json_object
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.machine import process_mark
from lib_sdpipe.store.place import place_of

LIBRARY_SCHEMA = "sdpipe.library/1"
RUNS_ROOT = "runs"


class Library:
    """Turns absolute paths into (root, relative POSIX path) and back."""

    def __init__(self, layout: Layout) -> None:
        """Raises RecordError for a damaged file."""
        self._begin(layout)
        self.reload()

    def _begin(self, layout: Layout) -> None:
        self._layout = layout
        self._document: dict[str, Any] = {}
        self._roots: dict[str, Path] = {}
        self._is_damaged = False

    @classmethod
    def unread(cls, layout: Layout) -> Library:
        """One that does not look at the disk before `reload_tolerantly` does."""
        library = cls.__new__(cls)
        library._begin(layout)
        library._document = _new_document()
        return library

    @property
    def document(self) -> dict[str, Any]:
        """What the file says or, where there is none, will say."""
        return self._document

    def reload(self) -> None:
        """Read the file again; where it is missing, what it said last stands. Raises DamagedLibraryError for a damaged one."""
        path = self._layout.library_file
        try:
            document = parse_json_object(path.read_bytes(), str(path))
        except FileNotFoundError:
            document = self._document or _new_document()
        except RecordError as fault:
            raise DamagedLibraryError(f"{fault}; move it aside and it is made anew") from fault
        if document.get("schema") != LIBRARY_SCHEMA or not isinstance(document.get("roots"), dict):
            raise DamagedLibraryError(f"{path}: not a library of schema {LIBRARY_SCHEMA!r}; move it aside and it is made anew")
        self._document, self._roots, self._is_damaged = document, {}, False

    def reload_tolerantly(self, known: dict[str, Any] | None) -> RecordError | None:
        """As `reload`; of a damaged or missing file what was `known` of it stands. A damaged one is not written to: the fault."""
        if known is not None:
            self._document, self._roots = known, {}
        try:
            self.reload()
        except RecordError as fault:
            self._is_damaged = True
            return fault
        return None

    def roots(self) -> dict[str, Path]:
        """Root names and their folders on this machine, the runs folder included."""
        if not self._roots:
            self._roots = {RUNS_ROOT: self._layout.runs}
            for name, root in self._document["roots"].items():
                if isinstance(root, dict) and isinstance(root.get("path"), str):
                    self._roots[name] = self._folder(root)
        return self._roots

    def override(self, roots: dict[str, Path]) -> None:
        """Take these folders for roots until the file is read again; nothing is written."""
        self._document = {**self._document, "roots": {**self._document["roots"]}}
        for name, folder in roots.items():
            known = self._document["roots"].get(name)
            self._document["roots"][name] = {**(known if isinstance(known, dict) else {}), "path": os.path.abspath(folder), "on": {}}
        self._roots = {}

    def ensure_roots(self, folders: dict[str, Path], save_folder: Path | None = None) -> None:
        """Give every folder that lies in no root one, named as wished or `name-2`; writes only when something is new.

        The root of `save_folder` is marked as the one that the host's Save button copies to; so is none that has others in it.
        """
        if self._is_damaged:
            return
        others = [folder for folder in folders.values() if folder != save_folder]
        if all(self._root_of(folder) for folder in folders.values()) and not self._marks(save_folder, others):
            return

        def change(roots: dict[str, Any]) -> None:
            for wish, folder in folders.items():
                if not self._root_of(folder):
                    roots[self._free_name(wish)] = {"path": self._portable(folder), "on": {}}
                    self._roots = {}
            for name, mark in self._marks(save_folder, others).items():
                roots[name]["is_save_folder"] = mark

        self._change_roots(change)

    def _marks(self, save_folder: Path | None, others: list[Path]) -> dict[str, bool]:
        """Roots whose mark is to change. One that the setting no longer names keeps it: what was copied there is there."""
        root = self._root_of(save_folder) if save_folder is not None else None
        used = {self._root_of(folder) for folder in others}
        marks = dict.fromkeys(self.save_roots() & used, False)
        if root is not None and root != RUNS_ROOT and root not in used | self.save_roots():
            marks[root] = True
        return marks

    def is_confirmed_empty(self, name: str) -> bool:
        """Whether its owner has said that nothing is meant to be in this root; else an empty one counts as offline."""
        root = self._document["roots"].get(name)
        return isinstance(root, dict) and isinstance(root.get("confirmed_empty"), str)

    def save_roots(self) -> frozenset[str]:
        """Roots that hold what the host's Save button copies."""
        roots = self._document["roots"].items()
        return frozenset(name for name, root in roots if isinstance(root, dict) and root.get("is_save_folder") is True)

    def set_roots(self, folders: dict[str, Path]) -> None:
        """Write down that these are the image roots of those names, for this machine and for all that have no word of their own."""
        def change(roots: dict[str, Any]) -> None:
            for name, folder in folders.items():
                known = roots.get(name) if isinstance(roots.get(name), dict) else {}
                elsewhere = {machine: path for machine, path in (known.get("on") or {}).items() if machine != process_mark().machine}
                roots[name] = {**known, "path": self._portable(folder), "on": elsewhere}

        self._change_roots(change)

    def confirm_empty(self, name: str, now: str) -> None:
        """Write down that nothing is meant to be in a root. Raises UnknownNameError."""
        if name not in self._document["roots"]:
            raise UnknownNameError(f"there is no root {name!r}; `roots` lists them")
        self._change_roots(lambda roots: roots[name].update(confirmed_empty=now))

    def _change_roots(self, change: Callable[[dict[str, Any]], None]) -> None:
        place_of(self._layout).ensure()
        with hold_lock(self._layout.locks / "library"):
            self.reload()
            change(self._document["roots"])
            self._roots = {}
            write_atomic(self._layout.library_file, format_json(self._document))

    def write_if_gone(self) -> None:
        """Put the file back where somebody has removed it under us: records name their roots by it."""
        if self._document["roots"] and not self._layout.library_file.exists():
            place_of(self._layout).ensure()
            write_atomic(self._layout.library_file, format_json(self._document))

    def locate(self, path: Path) -> tuple[str | None, str]:
        """(root, path in it), or (None, absolute path) for a file outside all roots."""
        absolute = Path(os.path.abspath(path))
        inside = [(name, folder) for name, folder in self.roots().items() if is_below(absolute, folder)]
        if not inside:
            return None, absolute.as_posix()
        name, folder = max(inside, key=lambda item: len(item[1].parts))
        return name, absolute.relative_to(folder).as_posix()

    def resolve(self, root: str | None, path: str | None) -> Path | None:
        """The file a record names, confined to its root; None where the root is unknown or the path leads out of it."""
        if path is None:
            return None
        if root is None:
            return Path(path) if os.path.isabs(path) else None
        folder = self.roots().get(root)
        if folder is None:
            return None
        absolute = Path(os.path.abspath(folder / path))
        return absolute if is_below(absolute, folder) else None

    def iter_files(self, root: str | None, path: str | None, kept: str | None) -> Iterator[Path]:
        """The files of one record that are there: where it was recorded, then its copy in the run folder."""
        for place in (self.resolve(root, path), self.resolve(RUNS_ROOT, kept)):
            if place is not None and place.is_file():
                yield place

    def _folder(self, root: dict[str, Any]) -> Path:
        elsewhere = root.get("on") if isinstance(root.get("on"), dict) else {}
        path = elsewhere.get(process_mark().machine)
        path = path if isinstance(path, str) else root["path"]
        return Path(os.path.abspath(self._layout.runs / path))

    def _root_of(self, folder: Path) -> str | None:
        absolute = Path(os.path.abspath(folder))
        return next((name for name, known in self.roots().items() if is_below(absolute, known)), None)

    def _free_name(self, wish: str) -> str:
        name = re.sub(r"[^\w.\-]+", "_", wish).strip("._") or "images"
        taken = set(self._document["roots"]) | {RUNS_ROOT}
        number, candidate = 1, name
        while candidate in taken:
            number += 1
            candidate = f"{name}-{number}"
        return candidate

    def _portable(self, folder: Path) -> str:
        try:
            return Path(os.path.relpath(folder, self._layout.runs)).as_posix()
        except ValueError:  # another drive on Windows
            return Path(os.path.abspath(folder)).as_posix()


def _new_document() -> dict[str, Any]:
    return {"schema": LIBRARY_SCHEMA, "id": str(uuid.uuid4()), "roots": {}}


def is_below(path: str | Path, folder: str | Path) -> bool:
    """Whether a path is a folder or lies in it, as this computer spells names. Both absolute, or both from one folder on ("")."""
    below, above = os.path.normcase(path), os.path.normcase(folder)
    return not above or below == above or below.startswith(above.rstrip(os.sep) + os.sep)
