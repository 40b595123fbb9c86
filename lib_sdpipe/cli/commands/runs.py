"""`runs`: the runs of a library, newest first."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, open_workspace
from lib_sdpipe.cli.render import Column, build_table, escape_text, format_count, format_local
from lib_sdpipe.cli.status import paint_status
from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.workspace import RunPage, RunSummary
from lib_sdpipe.workspace.documents import build_runs_document

NAME = "runs"
SUMMARY = "list the runs of a library, newest first"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="at most N runs (default: 50)")
    parser.add_argument("--after", metavar="RUN_ID", help="only runs older than this one: the `next` of the page before")


def run(arguments: argparse.Namespace, output: Output) -> int:
    if arguments.after is not None and not is_run_id(arguments.after):
        raise UsageError(f"--after {arguments.after!r} is not a run id: they look like 20251225_143022_my_label")
    runs = find_runs(arguments.runs)
    page = open_workspace(runs).list_runs(arguments.limit, arguments.after)
    if output.is_json:
        output.document(build_runs_document(page))
    else:
        _print_page(page, runs, output)
    return 0


def _print_page(page: RunPage, runs: Path, output: Output) -> None:
    if not page.runs:
        output.line(escape_text(f"No older runs in {runs}." if page.total else f"No runs in {runs} yet."))
        return
    columns = (
        Column("STARTED", drop=1),
        Column("STATUS", paint=lambda text: paint_status(text, output)),
        Column("IMAGES", right=True, drop=2),
        Column("STAGES", least=8, drop=3),
        Column("SOURCE", drop=4),
        Column("RUN"),
    )
    output.lines(build_table(columns, [_cells(summary) for summary in page.runs], output.width))
    if page.next is not None:
        output.line()
        output.line(f"{len(page.runs):,} of {format_count(page.total, 'run')}. Older ones: runs --after {escape_text(page.next)}")


def _cells(summary: RunSummary) -> list[str]:
    saved, planned = summary.images.get("saved"), summary.images.get("planned")
    images = "" if saved is None else str(saved) if planned in (None, saved) else f"{saved}/{planned}"
    status = "unreadable" if summary.error else escape_text(summary.status or "unknown")
    return [
        format_local(summary.started_at), status, images, "+".join(summary.stages),
        escape_text(summary.source or ""), escape_text(summary.run_id),
    ]


def positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:18]) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text[:18])
