"""Recipes and prompt packs on disk: small files that people edit, by name. One that is deleted or written over is kept aside.

The files are the user's: they may be edited beside the page, come from elsewhere, or be anything. Nothing here looks into them.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib_sdpipe.errors import ChangedMeanwhileError, RecordError, UnknownNameError, UsageError
from lib_sdpipe.store.atomic import TEMPORARY_SUFFIX, make_folder, sync_folder, write_atomic
from lib_sdpipe.store.confine import is_windows_name
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of

LONGEST_NAME = 100
# Bytes: with its suffix and that of a temporary file a name stays below what every disk can have.
_LONGEST_ENCODED = 180
_MOST_NAMES = 2_000
_MOST_ENTRIES = 20_000
# Bytes of one file; what reads it may want less.
LARGEST_FILE = 4 << 20
# In the folder itself: what was deleted or written over, the newest of it.
ASIDE_NAME = ".deleted"
_MOST_ASIDE = 100
_STAMP = "%Y%m%dT%H%M%SZ"
_ASIDE = re.compile(r"(.+)\.[0-9]{8}T[0-9]{6}Z\.[0-9]{1,6}(\.[a-z]+)")


@dataclass(frozen=True)
class Shelf:
    """One folder of such files in the runs folder. `what` is one of them, in a sentence."""

    folder: str
    suffixes: tuple[str, ...]
    what: str

    def path(self, layout: Layout) -> Path:
        return layout.recipes if self.folder == "recipes" else layout.packs


RECIPES = Shelf("recipes", (".json",), "recipe")
PACKS = Shelf("packs", (".txt", ".tsv", ".json"), "prompt pack")


@dataclass(frozen=True)
class StoredFile:
    """`digest` tells whether the file is still the one that was read."""

    name: str
    suffix: str
    data: bytes
    digest: str


def list_files(layout: Layout, shelf: Shelf) -> dict[str, tuple[str, ...]]:
    """Names, sorted, and the suffixes of each one's files; files that have another form of name are not ours. Raises RecordError."""
    folder = shelf.path(layout)
    found: dict[str, list[str]] = {}
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number >= _MOST_ENTRIES:
                    raise RecordError(f"{shelf.folder}: more than {_MOST_ENTRIES:,} files; move those aside that are no {shelf.what}")
                name, suffix = os.path.splitext(entry.name)
                if suffix in shelf.suffixes and find_name_fault(name) is None and entry.is_file():
                    found.setdefault(name, []).append(suffix)
    except FileNotFoundError:
        return {}
    except OSError as fault:
        raise RecordError(f"{shelf.folder}: cannot be listed ({fault.strerror})") from fault
    names = sorted(found, key=lambda name: (name.casefold(), name))[:_MOST_NAMES]
    return {name: tuple(suffix for suffix in shelf.suffixes if suffix in found[name]) for name in names}


def read_file(layout: Layout, shelf: Shelf, name: str, suffix: str) -> StoredFile:
    """Raises UnknownNameError where there is none, RecordError for one that cannot be read, UsageError for what is no name."""
    path = _find_path(layout, shelf, name, suffix)
    data = _read(path, layout)
    if data is None:
        raise UnknownNameError(f"there is no {shelf.what} {name!r} ({_show(path)} in the runs folder)")
    return StoredFile(name, suffix, data, digest_of(data))


def write_file(layout: Layout, shelf: Shelf, name: str, suffix: str, data: bytes, expected: str | None) -> str:
    """Write a file; its digest. `expected` is that of the file it replaces, None for a new one.

    Raises ChangedMeanwhileError where another one is there, or none any more; UsageError for what is no name or too large,
    RecordError, LockedError, OSError.
    """
    path = _find_path(layout, shelf, name, suffix)
    if len(data) > LARGEST_FILE:
        raise UsageError(f"a {shelf.what} has at most {LARGEST_FILE >> 20} MB")
    with _alone(layout, shelf):
        known = _check_expected(path, layout, shelf, name, expected)
        if known is None:
            _check_spelling(path, shelf)
        elif known != data:
            _set_aside(path, known)
        if known != data:
            write_atomic(path, data)
    return digest_of(data)


def delete_file(layout: Layout, shelf: Shelf, name: str, suffix: str, expected: str) -> str:
    """Move a file aside; the name under which `bring_back` finds it. Raises as `write_file`, and UnknownNameError."""
    path = _find_path(layout, shelf, name, suffix)
    with _alone(layout, shelf):
        known = _check_expected(path, layout, shelf, name, expected)
        if known is None:
            raise UnknownNameError(f"there is no {shelf.what} {name!r}")
        aside = _set_aside(path, known)
        path.unlink()
        sync_folder(path.parent)
    return aside


def bring_back(layout: Layout, shelf: Shelf, aside: str) -> str:
    """Put back what was deleted; its name. Raises UnknownNameError, ChangedMeanwhileError where its name is taken, as `write_file`."""
    match = _ASIDE.fullmatch(aside)
    if match is None:
        raise UnknownNameError(f"{aside[:LONGEST_NAME]!r} is nothing that was deleted")
    name, suffix = match[1], match[2]
    place = _find_path(layout, shelf, name, suffix).parent / ASIDE_NAME / aside
    data = _read(place, layout)
    if data is None:
        raise UnknownNameError(f"{_show(place)}: not there any more; the newest {_MOST_ASIDE} are kept")
    write_file(layout, shelf, name, suffix, data, None)
    return name


def find_name_fault(name: str) -> str | None:
    """Why a file cannot be called so, as a sentence; None where it can, on every computer."""
    if not name or len(name) > LONGEST_NAME or len(name.encode("utf-8", "surrogatepass")) > _LONGEST_ENCODED:
        return f"a name has 1 to {LONGEST_NAME} characters"
    if name != name.strip() or name[0] == "." or "/" in name or not name.isprintable() or not is_windows_name(name):
        return 'a name has none of / \\ : * ? " < > |, and no dot or blank at its ends'
    return None


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _find_path(layout: Layout, shelf: Shelf, name: str, suffix: str) -> Path:
    if fault := find_name_fault(name):
        raise UsageError(f"{name[:LONGEST_NAME]!r} cannot be the name of a {shelf.what}: {fault}")
    if suffix not in shelf.suffixes:
        raise UsageError(f"a {shelf.what} is a file {' or '.join(shelf.suffixes)}, not {suffix[:20]!r}")
    return shelf.path(layout) / f"{name}{suffix}"


@contextmanager
def _alone(layout: Layout, shelf: Shelf) -> Iterator[None]:
    place_of(layout).ensure()
    _check_inside(shelf.path(layout), layout)
    with hold_lock(layout.locks / shelf.folder, holder=f"another change of a {shelf.what}"):
        yield


def _check_inside(path: Path, layout: Layout) -> None:
    """No link leads out of the runs folder: it may come from elsewhere, and name any file of this disk."""
    real, runs = os.path.realpath(path), os.path.realpath(layout.runs)
    if not os.path.normcase(real).startswith(os.path.normcase(runs).rstrip(os.sep) + os.sep):
        raise RecordError(f"{_show(path)}: a link leads out of the runs folder; copy the files into it instead")


def _read(path: Path, layout: Layout) -> bytes | None:
    """None where there is no such file. Raises RecordError."""
    _check_inside(path, layout)
    try:
        # A pipe of that name would wait for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with open(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise RecordError(f"{_show(path)}: is no file")
            data = file.read(LARGEST_FILE + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        raise RecordError(f"{_show(path)}: {fault.strerror or fault}") from fault
    if len(data) > LARGEST_FILE:
        raise RecordError(f"{_show(path)}: larger than {LARGEST_FILE >> 20} MB, which nothing here is")
    return data


def _check_expected(path: Path, layout: Layout, shelf: Shelf, name: str, expected: str | None) -> bytes | None:
    """What the file has now. Raises ChangedMeanwhileError where that is not what the caller knows."""
    known = _read(path, layout)
    if known is not None and expected is None:
        raise ChangedMeanwhileError(f"there is a {shelf.what} {name!r} already; give this one another name")
    if known is None and expected is not None:
        raise ChangedMeanwhileError(f"the {shelf.what} {name!r} was deleted meanwhile; save yours under a new name")
    if known is not None and digest_of(known) != expected:
        raise ChangedMeanwhileError(
            f"the {shelf.what} {name!r} was changed meanwhile; load it again, or save yours under another name"
        )
    return known


def _check_spelling(path: Path, shelf: Shelf) -> None:
    """A name that differs from another one in capitals alone is the same file on other computers."""
    folder = path.parent
    names = os.listdir(folder) if folder.is_dir() else []
    other = next((name for name in names if _fold(name) == _fold(path.name)), None)
    if other is not None:
        raise ChangedMeanwhileError(f"there is a {shelf.what} {os.path.splitext(other)[0]!r} already; give this one another name")


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _show(path: Path) -> str:
    """As it is called in the runs folder: where that lies is not everybody's to know."""
    return "/".join(path.parts[-2:] if path.suffix else path.parts[-1:])


def _set_aside(path: Path, data: bytes) -> str:
    """Keep a copy of what is about to go; its name. The oldest ones beyond a hundred go for good."""
    folder = path.parent / ASIDE_NAME
    make_folder(folder)
    moment = time.strftime(_STAMP, time.gmtime())
    number = 1
    while (folder / (name := f"{path.stem}.{moment}.{number}{path.suffix}")).exists():
        number += 1
    write_atomic(folder / name, data)
    kept = [(entry.stat().st_mtime_ns, entry.name) for entry in os.scandir(folder) if not entry.name.endswith(TEMPORARY_SUFFIX)]
    for _, old in sorted(kept)[:-_MOST_ASIDE]:
        (folder / old).unlink(missing_ok=True)
    return name
