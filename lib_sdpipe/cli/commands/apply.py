"""`apply PLAN`: the only verb that changes a library; all it does can be undone."""

from __future__ import annotations

import argparse

from lib_sdpipe.cli.library_arguments import store_named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, named_folder, open_workspace
from lib_sdpipe.cli.repair_text import StopAsked, exit_code, print_repair, report_progress
from lib_sdpipe.errors import RecordError, UsageError
from lib_sdpipe.manifest.codec import parse_json_object
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.apply import apply_plan

NAME = "apply"
SUMMARY = "do the operations of a plan, so that they can be undone"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="the plan's file, as `plan` wrote it or you edited it")


def run(arguments: argparse.Namespace, output: Output) -> int:
    document = _read_plan(arguments.plan)
    layout = open_workspace(find_runs(arguments.runs)).layout
    store_named_roots(arguments, layout)
    with StopAsked(output) as stop:
        try:
            answer = apply_plan(layout, document, progress=report_progress(output), should_stop=stop)
        except UsageError as fault:
            raise UsageError(f"{arguments.plan}: {fault}") from fault
    print_repair(answer, "done", output)
    if answer.apply_id is not None and not output.is_json:
        output.line(f"To take it back: undo {answer.apply_id}")
    return exit_code(answer)


def _read_plan(named: str) -> Json:
    path = named_folder(named)
    try:
        return parse_json_object(path.read_bytes(), str(path))
    except (RecordError, IsADirectoryError, FileNotFoundError) as fault:
        reason = getattr(fault, "strerror", None) or str(fault)
        raise UsageError(f"{named}: no plan that can be read ({reason}); `plan -o FILE` writes one") from fault
