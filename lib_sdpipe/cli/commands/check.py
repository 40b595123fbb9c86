"""`check`: what does not fit in a library. It looks and never touches."""

from __future__ import annotations

import argparse
import time
from collections import Counter

from lib_sdpipe.cli.check_text import build_check_text
from lib_sdpipe.cli.library_arguments import OpenLibrary, open_library
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.progress import show_count
from lib_sdpipe.errors import UsageError
from lib_sdpipe.reconcile.findings import CODES, ERROR, Finding

NAME = "check"
SUMMARY = "say what does not fit: missing, moved, changed, orphaned, damaged"

EXIT_FINDINGS = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--only", action="append", default=[], metavar="CODE", help="only findings of this code, each file by itself")
    parser.add_argument("--strict", action="store_true", help="exit 1 for notices, too")


def run(arguments: argparse.Namespace, output: Output) -> int:
    only = read_codes(arguments.only)
    started = time.monotonic()
    with open_library(arguments) as opened:
        findings = list(iter_findings(opened, only, output))
        totals = opened.index.suspects.totals()
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.code] += finding.count
    seconds = time.monotonic() - started
    if output.is_json:
        found = [finding.to_json() for finding in findings]
        output.document({"library": totals, "counts": dict(counts), "findings": found, "seconds": round(seconds, 3)})
    else:
        output.lines(build_check_text(totals, findings, counts, seconds, output))
    return EXIT_FINDINGS if any(finding.level == ERROR or arguments.strict for finding in findings) else 0


def read_codes(names: list[str]) -> frozenset[str]:
    unknown = [name for name in names if name not in CODES]
    if unknown:
        raise UsageError(f"there is no code {unknown[0]!r}; there are {', '.join(CODES)}")
    return frozenset(names)


def iter_findings(opened: OpenLibrary, only: frozenset[str], output: Output, is_each_listed: bool = True) -> list[Finding]:
    """Those of `only`, or all where it is empty; of the codes in it each file by itself, unless folders will do."""
    from lib_sdpipe.workspace.check import Checker  # numpy and Pillow: only here

    checker = Checker(opened.layout, opened.library, opened.index, show_count(output), only if is_each_listed else frozenset())
    return [finding for finding in checker.check() if not only or finding.code in only]
