"""`adopt ROOT`: a plan that makes runs of the images that were there before SDPipe. It does nothing to them."""

from __future__ import annotations

import argparse
from typing import Iterator

from lib_sdpipe.cli.library_arguments import named_roots, store_named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, is_root_argument, named_folder, open_workspace
from lib_sdpipe.cli.progress import show_count
from lib_sdpipe.cli.program import program_name
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.errors import UsageError
from lib_sdpipe.reconcile.adopt.adoption import COPIES, NO_INFOTEXT, OF_RECORDED_RUNS, Adoption
from lib_sdpipe.reconcile.plan import iter_plan_text
from lib_sdpipe.store.atomic import write_pieces
from lib_sdpipe.store.library import RUNS_ROOT, Library
from lib_sdpipe.workspace.adopting import plan_adoption

NAME = "adopt"
SUMMARY = "write down which runs the images made before SDPipe would become"

_REASONS = {
    NO_INFOTEXT: "without the text of any generator (--all takes them, too)",
    COPIES: "copies of others",
    OF_RECORDED_RUNS: "of runs that are recorded, by the Run ID in their text",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("root", metavar="ROOT", help="a root's name, NAME=DIR to name a folder as a root, or a folder in a root")
    parser.add_argument("--output", "-o", metavar="FILE", help="the plan's file (default: stdout)")
    parser.add_argument("--limit", type=int, metavar="N", help="only the oldest N images or a few more, for no run is cut")
    parser.add_argument("--all", action="store_true", help="also images without the text of any generator, each a run of its own")


def run(arguments: argparse.Namespace, output: Output) -> int:
    if arguments.limit is not None and arguments.limit < 1:
        raise UsageError("--limit takes a number of images, from 1")
    named = arguments.root
    if is_root_argument(named):
        arguments.roots.append(named)
        named = named.partition("=")[0]
    # The plan's images are named by their root.
    store_named_roots(arguments, open_workspace(find_runs(arguments.runs)).layout)
    workspace = open_workspace(find_runs(arguments.runs), named_roots(arguments))
    root, path = _find_place(named, workspace.library())
    adoption = plan_adoption(
        workspace, root, path, lambda plan, operations: _write(iter_plan_text(plan, operations), arguments, output),
        arguments.all, arguments.limit, show_count(output),
    )
    _tell(adoption, arguments, output)
    return 0


def _find_place(named: str, library: Library) -> tuple[str, str]:
    """(root, folder in it). Raises UsageError."""
    names = [name for name in library.roots() if name != RUNS_ROOT]
    if named in names:
        return named, ""
    root, path = library.locate(named_folder(named))
    if root is None or root == RUNS_ROOT or not named_folder(named).is_dir():
        known = f"the roots are {', '.join(names)}" if names else "there is no root yet"
        raise UsageError(f"{named}: neither a root nor a folder in one ({known}); name it as one with adopt NAME=DIR")
    return root, "" if path == "." else path


def _write(text: Iterator[bytes], arguments: argparse.Namespace, output: Output) -> None:
    if arguments.output is None:
        output.pieces(text)
        return
    write_pieces(named_folder(arguments.output), text)
    if output.is_json:
        with open(named_folder(arguments.output), "rb") as file:
            output.pieces(iter(lambda: file.read(1 << 20), b""))


def _tell(adoption: Adoption, arguments: argparse.Namespace, output: Output) -> None:
    """To whoever reads the plan from a file; else on stderr, beside it."""
    say = output.line if arguments.output is not None and not output.is_json else output.note
    say(f"{format_count(adoption.images, 'image')} in {format_count(adoption.runs, 'run')}.")
    for reason, count in sorted(adoption.skipped.items()):
        if count:
            say(f"Left as they are: {format_count(count, 'image')} {_REASONS[reason]}.")
    if arguments.output is not None:
        say(escape_text(f"Nothing is done before: {program_name()} apply {arguments.output}"))
