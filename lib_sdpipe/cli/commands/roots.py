"""`roots`: the folders whose images a library knows, by name."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

from lib_sdpipe.cli.library_arguments import named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, open_workspace
from lib_sdpipe.cli.render import Column, build_table, escape_text
from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.store.library import Library

NAME = "roots"
SUMMARY = "list the image roots, or name folders: NAME=DIR"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a root, for --confirm-empty")
    parser.add_argument(
        "--confirm-empty", action="store_true", help="nothing is meant to be in this root: it is not offline, its images are gone"
    )


def run(arguments: argparse.Namespace, output: Output) -> int:
    if arguments.name is not None and "=" in arguments.name:
        arguments.roots.append(arguments.name)
        arguments.name = None
    if arguments.confirm_empty != (arguments.name is not None):
        raise UsageError("name a folder with NAME=DIR, or confirm that a root is empty with NAME --confirm-empty")
    library = Library(open_workspace(find_runs(arguments.runs)).layout)
    folders = named_roots(arguments)
    if folders:
        library.set_roots(folders)
    if arguments.confirm_empty:
        library.confirm_empty(arguments.name, format_utc(time.time()))
    rows = [(name, folder, _state(folder)) for name, folder in library.roots().items()]
    if output.is_json:
        output.document({"roots": [{"name": name, "folder": str(folder), "state": state} for name, folder, state in rows]})
    else:
        columns = (Column("NAME"), Column("STATE"), Column("FOLDER"))
        cells = [[escape_text(name), state, escape_text(str(folder))] for name, folder, state in rows]
        output.lines(build_table(columns, cells, output.width))
    return 0


def _state(folder: Path) -> str:
    try:
        with os.scandir(folder) as entries:
            return "ok" if any(entries) else "empty"
    except OSError:
        return "offline"
