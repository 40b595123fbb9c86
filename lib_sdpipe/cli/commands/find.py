"""`find`: pictures by words of their prompts and by their settings, newest first."""

from __future__ import annotations

import argparse

from lib_sdpipe.cli.commands.runs import positive
from lib_sdpipe.cli.library_arguments import add_as_indexed, named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, is_root_argument, open_workspace
from lib_sdpipe.cli.progress import show_count
from lib_sdpipe.cli.render import Column, build_table, cut_text, escape_text, format_count, format_local
from lib_sdpipe.index.search import Found, FoundPage
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.workspace.documents import build_found_document

NAME = "find"
SUMMARY = "find images by words of their prompts and by their settings, newest first"

_COLUMNS = (
    Column("TIME", drop=2), Column("STAGE", drop=3), Column("IMAGE", least=20), Column("FILE", least=20, drop=1),
    Column("PROMPT", least=24, drop=4),
)
# Where no terminal sets a width.
_PROMPT_WIDTH = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", nargs="*", metavar="QUERY",
        help='such as: castle "at night" -fog model:dream steps:>30 (docs/search.md); none: all. One that begins with - comes after --',
    )
    parser.add_argument("--limit", type=positive, default=50, metavar="N", help="at most N images (default: 50)")
    add_as_indexed(parser)
    parser.add_argument("--after", metavar="CURSOR", help="only images after these: the `next` of the page before")


def run(arguments: argparse.Namespace, output: Output) -> int:
    arguments.roots += [word for word in arguments.query if is_root_argument(word)]
    query = " ".join(word for word in arguments.query if not is_root_argument(word))
    workspace = open_workspace(find_runs(arguments.runs), named_roots(arguments))
    page = workspace.find(query, arguments.limit, arguments.after, None if arguments.as_indexed else show_count(output))
    if output.is_json:
        output.document(build_found_document(page))
    else:
        _print_page(page, output)
    return 0


def _print_page(page: FoundPage, output: Output) -> None:
    if not page.images:
        output.line("No more images." if page.total else "No images.")
        return
    output.lines(build_table(_COLUMNS, [_cells(found) for found in page.images], output.width))
    if page.next is not None:
        total = format_count(page.total, "image") if page.total_is_exact else f"more than {page.total:,} images"
        output.line()
        output.line(f"{len(page.images):,} of {total}. Older ones: the same with --after {page.next}")


def _cells(found: Found) -> list[str]:
    image = f"{found.run_id}/{found.name}" if found.run_id else "not recorded"
    file = "not saved" if found.path is None else f"{found.root}: {found.path}" if found.root else found.path
    prompt = cut_text(escape_text(" ".join((found.prompt or "").split())), _PROMPT_WIDTH)
    time = "" if found.time is None else format_local(format_utc(found.time))
    return [time, escape_text(found.stage or ""), escape_text(image), escape_text(file), prompt]
