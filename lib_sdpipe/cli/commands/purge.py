"""`purge --older-than DAYS`: deletes what repairs have set aside. Without `--yes` it only says what that is."""

from __future__ import annotations

import argparse

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, open_workspace
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.store.quarantine import purge

NAME = "purge"
SUMMARY = "delete for good what repairs have set aside"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--older-than", type=_days, required=True, metavar="DAYS", help="of applies that are at least DAYS old")
    parser.add_argument("--yes", action="store_true", help="delete it; without this it is only counted")


def run(arguments: argparse.Namespace, output: Output) -> int:
    layout = open_workspace(find_runs(arguments.runs)).layout
    found = purge(layout, arguments.older_than, is_meant=arguments.yes)
    if output.is_json:
        output.document(found.to_json())
    else:
        what = f"{format_count(found.files, 'file')}, {found.bytes:,} bytes, of {format_count(len(found.applies), 'apply', 'applies')}"
        output.line(f"Deleted {what}." if found.is_done else f"To delete: {what}. They cannot be undone then. Add --yes to delete them.")
        for one in found.failed:
            output.line(escape_text(f"not deleted: {one['id']}: {one['reason']}"))
    return 1 if found.failed else 0


def _days(text: str) -> float:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of days")
    return float(text[:6])
