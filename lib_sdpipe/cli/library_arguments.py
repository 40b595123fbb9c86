"""The library that a call means, with the image roots it names: `--runs DIR` and `NAME=DIR`."""

from __future__ import annotations

import argparse
import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

from lib_sdpipe.cli.place import ROOT_ARGUMENT, find_runs, named_folder, open_workspace
from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import RUNS_ROOT, Library


@dataclass(frozen=True)
class OpenLibrary:
    """A library with its index, as a verb needs it."""

    layout: Layout
    library: Library
    index: Index


def named_roots(arguments: argparse.Namespace) -> dict[str, Path]:
    """Raises UsageError for a folder that is none, or the name of the runs folder itself."""
    roots = {}
    for text in arguments.roots:
        match = ROOT_ARGUMENT.fullmatch(text)
        if match is None:
            raise UsageError(f"{text!r} is no image root: they look like outputs=/pictures/outputs")
        name, folder = match.group(1), named_folder(match.group(2))
        if name == RUNS_ROOT:
            raise UsageError(f"{text}: the runs folder is named with --runs DIR")
        if not os.path.isdir(folder):  # Path.is_dir raises for a name that is too long
            raise UsageError(f"{text}: {folder} is no folder")
        roots[name] = folder
    return roots


def add_as_indexed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as-indexed", action="store_true", help="do not look at the disk first: answer from the index as it is")


def store_named_roots(arguments: argparse.Namespace, layout: Layout) -> None:
    """Write the roots of this call down where they are new. Raises UsageError for a folder that lies in another root."""
    folders = named_roots(arguments)
    library = Library(layout)
    new = {name: folder for name, folder in folders.items() if library.roots().get(name) != folder}
    for name, folder in new.items():
        root, _ = library.locate(folder)
        if root is not None and name not in library.roots():
            raise UsageError(f"{name}={folder}: it lies in root {root!r} already; name the folder alone")
    if new:
        library.set_roots(new)


@contextmanager
def open_library(arguments: argparse.Namespace) -> Iterator[OpenLibrary]:
    """Raises NoLibraryError, RecordError for a damaged library.json, LockedError."""
    workspace = open_workspace(find_runs(arguments.runs), named_roots(arguments))
    with open_index(workspace.layout.index_places) as index:
        yield OpenLibrary(workspace.layout, workspace.library(), index)
