"""`show RUN`: one run with everything recorded of its images."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence

from lib_sdpipe.cli.output import Output, depth_of
from lib_sdpipe.cli.place import find_runs, open_workspace
from lib_sdpipe.cli.run_text import build_run_text
from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import Json, Record
from lib_sdpipe.workspace import RunView

NAME = "show"
SUMMARY = "show one run and its images"

_IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".avif")
# Far more than any request has, far less than Python's recursion limit lets the JSON writer do.
_MAXIMUM_DEPTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run_id", metavar="RUN", help="a run id, such as 20251225_143022_my_label")


def run(arguments: argparse.Namespace, output: Output) -> int:
    _refuse_image(arguments.run_id)
    runs = find_runs(arguments.runs)
    view = open_workspace(runs).view_run(arguments.run_id)
    if output.is_json:
        output.document(_to_json(view))
    else:
        output.lines(build_run_text(view, runs / view.run_id, output))
    return 0


def _to_json(view: RunView) -> Json:
    problems = list(view.problems)
    runs = _to_documents([view.run] if view.run else [], problems)
    manifests = _to_documents(view.manifests, problems)
    document = {"run": runs[0] if runs else None, "manifests": manifests}
    return {**document, "problems": problems} if problems else document


def _to_documents(records: Sequence[Record], problems: list[str]) -> list[Json]:
    """The records as they are on disk; what is nested too deeply to be written is a problem like any other damage."""
    documents = []
    for record in records:
        try:
            documents.append(record.to_json())
            if depth_of(documents[-1], _MAXIMUM_DEPTH) < _MAXIMUM_DEPTH:
                continue
            documents.pop()
        except RecursionError:
            pass
        problems.append(f"{getattr(record, 'name', None) or 'a record'}: nested too deeply to be shown")
    return documents


def _refuse_image(name: str) -> None:
    """A run is named by its id alone; what is a file, or looks like an image's, is no run."""
    if os.path.isfile(name) or (name.lower().endswith(_IMAGE_SUFFIXES) and not is_run_id(name)):
        raise UsageError(f"{name} is an image: this version shows runs only, by their run id (`runs` lists them)")
