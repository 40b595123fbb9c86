"""`verify RUN|IMAGE`: whether images are, byte for byte, what was recorded. It reads them and the records now."""

from __future__ import annotations

import argparse
import os
import time
from collections import Counter
from typing import TYPE_CHECKING

from lib_sdpipe.cli.library_arguments import named_roots, open_library
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, named_folder, open_workspace
from lib_sdpipe.cli.render import Column, build_table, escape_text, format_count
from lib_sdpipe.manifest.names import is_run_id

if TYPE_CHECKING:
    from lib_sdpipe.workspace.verify import Verdict

NAME = "verify"
SUMMARY = "read the images of a run, or one image file, and say whether they are what was recorded"

_IDENTICAL = "identical"
_OTHERWISE = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("verified", metavar="RUN|IMAGE", help="a run id, such as 20251225_143022_my_label, or an image file")


def run(arguments: argparse.Namespace, output: Output) -> int:
    started = time.monotonic()
    verdicts = _verify(arguments)
    seconds = time.monotonic() - started
    if output.is_json:
        counts = dict(Counter(verdict.verdict for verdict in verdicts))
        images = [verdict.to_json() for verdict in verdicts]
        output.document({"images": images, "counts": counts, "seconds": round(seconds, 3)})
    else:
        output.lines(_build_text(verdicts, seconds, output))
    return 0 if all(verdict.verdict == _IDENTICAL for verdict in verdicts) else _OTHERWISE


def _verify(arguments: argparse.Namespace) -> list[Verdict]:
    from lib_sdpipe.workspace.verify import Verifier  # numpy and Pillow: only here

    if is_run_id(arguments.verified) and not os.path.isfile(arguments.verified):
        workspace = open_workspace(find_runs(arguments.runs), named_roots(arguments))
        return Verifier(workspace.layout, workspace.library()).verify_run(arguments.verified)
    with open_library(arguments) as opened:
        return [Verifier(opened.layout, opened.library).verify_image(named_folder(arguments.verified), opened.index)]


def _build_text(verdicts: list[Verdict], seconds: float, output: Output) -> list[str]:
    if not verdicts:
        return ["No image of this run was saved: there is nothing to verify."]
    columns = [Column("VERDICT"), Column("IMAGE"), Column("FILE")]
    rows = [[verdict.verdict, escape_text(_name(verdict)), escape_text(_place(verdict))] for verdict in verdicts]
    identical = sum(verdict.verdict == _IDENTICAL for verdict in verdicts)
    end = f"{identical:,} of {format_count(len(verdicts), 'image')} identical, read in {seconds:.1f} s"
    return [*build_table(columns, rows, output.width), "", output.paint(end, "green" if identical == len(verdicts) else "yellow")]


def _name(verdict: Verdict) -> str:
    return f"{verdict.run_id}/{verdict.name}" if verdict.run_id is not None else "-"


def _place(verdict: Verdict) -> str:
    place = (f"{verdict.root}: {verdict.path}" if verdict.root else verdict.path) or ""
    problem = verdict.evidence.get("problem")
    return " ".join(part for part in (place, f"({problem})" if problem else "") if part)
