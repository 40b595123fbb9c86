"""`show RUN|IMAGE`: one run with everything recorded of its images, or what one image file is."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from lib_sdpipe.cli.image_text import build_image_text
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_library, find_runs, open_workspace
from lib_sdpipe.cli.run_text import build_run_text
from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.workspace.documents import build_run_document

NAME = "show"
SUMMARY = "show one run and its images, or what one image file is"

# Statuses of an image that somebody knows; the others are an unknown IMAGE.
_KNOWN = ("ok", "stripped", "foreign")
_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shown", metavar="RUN|IMAGE", help="a run id, such as 20251225_143022_my_label, or an image file")
    what = "for an image: StableNew's job history, or a run file, that is to be believed first"
    parser.add_argument("--history", metavar="FILE", help=what)


def run(arguments: argparse.Namespace, output: Output) -> int:
    if _is_image(arguments.shown):
        return _show_image(arguments, output)
    if arguments.history is not None:
        raise UsageError("--history belongs to an image: name an image file with it")
    runs = find_runs(arguments.runs)
    view = open_workspace(runs).view_run(arguments.shown)
    if output.is_json:
        output.document(build_run_document(view))
    else:
        output.lines(build_run_text(view, runs / view.run_id, output))
    return 0


def _show_image(arguments: argparse.Namespace, output: Output) -> int:
    from lib_sdpipe.workspace.resolve import resolve_image_file  # numpy comes with it

    layout = find_library(arguments.runs)
    history = Path(arguments.history) if arguments.history is not None else None
    if history is not None and not history.is_file():
        raise UsageError(f"{history}: no such file; --history takes StableNew's job history or a run file")
    answer = resolve_image_file(layout, Path(arguments.shown), history)
    if output.is_json:
        output.document(answer)
    else:
        run_id = answer["reconciled_payload"]["run_id"]
        run_is_here = layout is not None and is_run_id(run_id or "") and layout.run_folder(run_id).is_dir()
        output.lines(build_image_text(arguments.shown, answer, run_is_here, output))
    return 0 if answer["status"] in _KNOWN else 1


def _is_image(name: str) -> bool:
    """A run is named by its id alone; what is a file, or looks like an image's, is no run."""
    return os.path.isfile(name) or (name.lower().endswith(_IMAGE_SUFFIXES) and not is_run_id(name))
