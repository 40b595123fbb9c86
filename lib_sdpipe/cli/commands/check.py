"""`check`: what does not fit in a library. It looks and never touches."""

from __future__ import annotations

import argparse
import time
from contextlib import closing
from typing import Iterator

from lib_sdpipe.cli.check_text import build_check_text
from lib_sdpipe.cli.library_arguments import open_library
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.progress import show_count, show_reading
from lib_sdpipe.errors import UsageError
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.workspace.repairs import read_codes
from lib_sdpipe.workspace.tally import Tally

NAME = "check"
SUMMARY = "say what does not fit: missing, moved, changed, orphaned, damaged"

EXIT_FINDINGS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", default=[], metavar="CODE", help="only findings of this code, each file by itself")
    parser.add_argument("--strict", action="store_true", help="exit 1 for notices, too")
    what = "read every byte of every image; what was read is kept, and the next deep check goes on with the rest"
    parser.add_argument("--deep", action="store_true", help=what)
    parser.add_argument("--max-seconds", type=_seconds, metavar="N", help="with --deep: read for at most N seconds this time")


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not seconds > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds


def run(arguments: argparse.Namespace, output: Output) -> int:
    only = read_codes(arguments.only)
    if arguments.max_seconds is not None and not arguments.deep:
        raise UsageError("--max-seconds belongs to --deep: a check that reads no images takes seconds")
    with closing(Tally(output.is_json)) as tally:
        _check(arguments, only, tally, output)
        return EXIT_FINDINGS if tally.has_errors or arguments.strict and tally.counts else 0


def _check(arguments: argparse.Namespace, only: frozenset[str], tally: Tally, output: Output) -> None:
    started = time.monotonic()
    with open_library(arguments) as opened:
        from lib_sdpipe.workspace.check import Checker  # numpy and Pillow: only here

        checker = Checker(
            opened.layout, opened.library, opened.index, show_count(output), only, arguments.deep, arguments.max_seconds,
            show_reading(output),
        )
        try:
            for finding in _chosen(checker.check(), only):
                tally.add(finding)
        except KeyboardInterrupt:
            if arguments.deep:
                output.note("what was read is kept; check --deep goes on with the rest")
            raise
        totals, (read, images) = opened.index.suspects.totals(), opened.index.reading.counts()
    seconds = time.monotonic() - started
    of_read = {"images": read, "of": images, **({"left": checker.left} if checker.left is not None else {})}
    if tally.spool is not None:
        document = {"library": totals, "counts": tally.counts, "findings": [], "read": of_read, "seconds": round(seconds, 3)}
        output.document_with_list(document, "findings", tally.spool)
    else:
        output.lines(build_check_text(totals, tally, of_read, seconds, output))


def _chosen(findings: Iterator[Finding], only: frozenset[str]) -> Iterator[Finding]:
    return (finding for finding in findings if not only or finding.code in only)
