"""`reindex`: read everything again. The index is derived: deleting it costs this time and nothing else."""

from __future__ import annotations

import argparse
import time

from lib_sdpipe.cli.library_arguments import open_library
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.progress import show_count
from lib_sdpipe.cli.render import format_count
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.store.runs import RunStore

NAME = "reindex"
SUMMARY = "make the index anew from runs and images"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = "What a deep check has read is read again by the next one."


def run(arguments: argparse.Namespace, output: Output) -> int:
    started = time.monotonic()
    with open_library(arguments) as opened:
        opened.index.clear()
        run_ids = list(RunStore(opened.layout).iter_run_ids())
        Refresh(opened.layout, opened.library, opened.index, show_count(output)).look(run_ids)
        totals = opened.index.suspects.totals()
    seconds = round(time.monotonic() - started, 3)
    output.line(f"{', '.join(format_count(number, what[:-1]) for what, number in totals.items())} indexed in {seconds:.1f} s")
    if output.is_json:
        output.document({"library": totals, "seconds": seconds})
    return 0
