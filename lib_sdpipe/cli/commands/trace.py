"""`trace IMAGE`: which recorded image a file is, renamed, edited, made smaller or stripped of its text as it may be."""

from __future__ import annotations

import argparse

from lib_sdpipe.cli.library_arguments import add_as_indexed, named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, named_folder, open_workspace
from lib_sdpipe.cli.progress import show_count
from lib_sdpipe.cli.render import build_fields, escape_text, format_count
from lib_sdpipe.reconcile.trace import Candidate, Match, Trace

NAME = "trace"
SUMMARY = "find the recorded image that an image file is, or was made from"

_EVIDENCE = {
    "file": "the same file, byte for byte", "pixels": "the same pixels", "near-pixels": "nearly the same pixels",
    "run-id": "the Run ID and the seed in its text", "perceptual": "it looks the same", "infotext": "the same text in it",
}
_NOT_FOUND = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="an image file, anywhere")
    add_as_indexed(parser)


def run(arguments: argparse.Namespace, output: Output) -> int:
    workspace = open_workspace(find_runs(arguments.runs), named_roots(arguments))
    trace = workspace.trace(named_folder(arguments.image), None if arguments.as_indexed else show_count(output))
    if output.is_json:
        output.document(trace.to_json())
    else:
        output.lines(_build_text(trace, arguments.image, output.width))
    return 0 if trace.matches else _NOT_FOUND


def _build_text(trace: Trace, image: str, width: int | None) -> list[str]:
    name = escape_text(image)
    if not trace.matches:
        return [f"{name}: not found. No recorded image has its bytes, its pixels, its Run ID, its looks or its text."]
    if len(trace.matches) == 1:
        return [f"{name} is:", "", *_match_lines(trace.matches[0], trace.by, width)]
    lines = [f"{name} may be any of {format_count(len(trace.matches), 'image')}: the evidence does not tell them apart."]
    for match in trace.matches:
        lines += ["", *_match_lines(match, trace.by, width)]
    return lines


def _match_lines(match: Match, by: str | None, width: int | None) -> list[str]:
    found = match.candidate
    return build_fields(
        [
            ("Run", [escape_text(found.run_id)]), ("Image", [escape_text(found.name)]), ("File", [_file(found)]),
            ("Evidence", [_EVIDENCE.get(by or "", "") + _distance(found, by)]),
            ("Also", [f"{escape_text(each.run_id)}/{escape_text(each.name)}" for each in match.also]),
        ],
        width, indent=2,
    )


def _file(found: Candidate) -> str:
    if found.path is None:
        return "not saved"
    return escape_text(f"{found.root}: {found.path}" if found.root else found.path)


def _distance(found: Candidate, by: str | None) -> str:
    if found.distance is None or by not in ("near-pixels", "perceptual"):
        return ""
    return f" ({found.distance:g} of 256 steps differ)" if by == "perceptual" else f" ({found.distance:g} of 255 apart on average)"
