"""`plan`: what would be done about the findings, as a file to read, keep and edit. It does nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib_sdpipe.cli.library_arguments import named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, named_folder, open_workspace
from lib_sdpipe.cli.plan_text import build_plan_text
from lib_sdpipe.cli.progress import show_count
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.findings import CODES
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.workspace.repairs import plan_repairs

NAME = "plan"
SUMMARY = "write down what would be done about the findings"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "By itself a plan changes records only. " + "; ".join(
        f"{code}: {', '.join(known.operations)}" for code, known in CODES.items() if known.operations
    )
    parser.add_argument("--only", action="append", default=[], metavar="CODE", help="only findings of this code")
    parser.add_argument(
        "--choose", action="append", default=[], metavar="CODE=OPERATION",
        help="do this about findings of that code, e.g. missing-image=mark-lost",
    )
    parser.add_argument("--output", "-o", metavar="FILE", help="the plan's file (default: stdout)")
    parser.add_argument("--diff", action="store_true", help="show every change, for a person to read, instead of the plan's JSON")


def run(arguments: argparse.Namespace, output: Output) -> int:
    workspace = open_workspace(find_runs(arguments.runs), named_roots(arguments))
    _give(plan_repairs(workspace, arguments.only, arguments.choose, show_count(output)), arguments, output)
    return 0


def _give(plan: Json, arguments: argparse.Namespace, output: Output) -> None:
    if arguments.output is not None:
        path: Path = named_folder(arguments.output)
        write_atomic(path, format_json(plan))
    if output.is_json:
        output.document(plan)
    elif arguments.diff:
        output.lines(build_plan_text(plan))
    elif arguments.output is None:
        output.lines(format_json(plan).decode("utf-8").rstrip("\n").split("\n"))
    if arguments.output is not None:
        count = format_count(len(plan["operations"]), "operation")
        output.line(escape_text(f"{count} in {arguments.output}. Nothing is done before: {program_name()} apply {arguments.output}"))
