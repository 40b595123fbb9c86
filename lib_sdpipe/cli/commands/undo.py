"""`undo [PLAN_ID|APPLY_ID]`: puts back what an apply changed."""

from __future__ import annotations

import argparse
from dataclasses import asdict

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, open_workspace
from lib_sdpipe.cli.render import Column, build_table, escape_text, format_local
from lib_sdpipe.cli.repair_text import StopAsked, exit_code, print_repair, report_progress
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.undo import list_applies, undo

NAME = "undo"
SUMMARY = "put back what an apply changed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", metavar="ID", nargs="?", help="the id of a plan or of an apply (default: the last that is not undone)")
    parser.add_argument("--list", action="store_true", help="list what was applied, newest first, and do nothing")


def run(arguments: argparse.Namespace, output: Output) -> int:
    layout = open_workspace(find_runs(arguments.runs)).layout
    if arguments.list:
        _print_list(layout, output)
        return 0
    with StopAsked(output) as stop:
        answer = undo(layout, arguments.which, report_progress(output), stop)
    if answer.plan_id is None and not output.is_json:
        output.line("Nothing to undo.")
        return 0
    print_repair(answer, "undone", output)
    return exit_code(answer)


def _print_list(layout: Layout, output: Output) -> None:
    applies = list_applies(layout)
    if output.is_json:
        output.document({"applies": [asdict(one) for one in applies]})
    elif not applies:
        output.line("Nothing was applied yet.")
    else:
        columns = (Column("APPLIED"), Column("STATE"), Column("OPERATIONS", right=True), Column("ID"), Column("PLAN", drop=1))
        rows = [[format_local(one.at), one.state, f"{one.operations:,}", one.apply_id, escape_text(one.plan_id)] for one in applies]
        output.lines(build_table(columns, rows, output.width))
