"""`plan`: what would be done about the findings, as a file to read, keep and edit. It does nothing."""

from __future__ import annotations

import argparse
import secrets
import time
from pathlib import Path

from lib_sdpipe.cli.commands.check import iter_findings, read_codes
from lib_sdpipe.cli.library_arguments import open_library
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import named_folder
from lib_sdpipe.cli.plan_text import build_plan_text
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.findings import CODES
from lib_sdpipe.reconcile.plan import build_plan, parse_choices, plan_operations
from lib_sdpipe.store.atomic import write_atomic

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
    from lib_sdpipe.workspace.plan_records import PlanRecords  # numpy and Pillow: only here

    choices, only = parse_choices(arguments.choose), read_codes(arguments.only)
    now = format_utc(time.time())
    with open_library(arguments) as opened:
        findings = list(iter_findings(opened, only, output, is_each_listed=False))
        records = PlanRecords(opened.layout, opened.library, opened.index)
        operations = plan_operations(findings, choices, records, now)
        library_id = opened.library.document.get("id") if opened.layout.library_file.exists() else None
        plan = build_plan(operations, f"{now[:10]}-{secrets.token_hex(4)}", now, library_id)
    _give(plan, arguments, output)
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
