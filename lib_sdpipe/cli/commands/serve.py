"""`serve`: the Runs tab and the HTTP API of a library, without a WebUI.

What serves (gradio, fastapi) is imported only when the verb runs.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

from lib_sdpipe.cli.library_arguments import store_named_roots
from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.place import find_runs, open_workspace
from lib_sdpipe.cli.render import escape_text
from lib_sdpipe.cli.serving import add_page_arguments, choose_port, ended_by_signal, open_browser
from lib_sdpipe.errors import SdPipeError, UsageError
from lib_sdpipe.store.layout import Layout

NAME = "serve"
SUMMARY = "show the Runs tab and the HTTP API without a WebUI"

_LOCAL = ("127.0.0.1", "localhost", "::1")
_LANGUAGES = {"en": "en", "de": "de_DE", "ja": "ja_JP", "zh": "zh_CN"}
_SUBPATH = re.compile(r"[\w~-][\w.~-]*(/[\w~-][\w.~-]*)*", re.ASCII)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Show the Runs tab and the HTTP API of a library without a WebUI, until Ctrl-C. Image roots named here (NAME=DIR) are stored"
        " in the library. Nothing is recorded: for that, SDPipe must be in a WebUI."
    )
    add_page_arguments(parser)
    parser.add_argument("--host", default=_LOCAL[0], metavar="ADDRESS", help=f"the address to serve on (default: {_LOCAL[0]}, for this"
                        " computer alone; 0.0.0.0 for all that reach it, which needs --auth)")
    parser.add_argument("--auth", action="append", type=_login, metavar="USER:PASSWORD", help="ask for this login, at the page and of"
                        " the API; several times for several users")
    parser.add_argument("--subpath", default="", type=_subpath, metavar="PATH", help="where a proxy shows the page, such as pictures")
    parser.add_argument("--language", choices=tuple(_LANGUAGES), help="the page's language (default: what the browser prefers)")
    parser.add_argument("--theme", choices=("light", "dark"), help="the page's colours (default: what the browser prefers)")


def run(arguments: argparse.Namespace, output: Output) -> int:
    if arguments.host not in _LOCAL and not arguments.auth:
        raise UsageError(f"--host {arguments.host}: others could see and change the library; name who may with --auth USER:PASSWORD")
    layout = open_workspace(find_runs(arguments.runs)).layout
    port = choose_port(arguments.port, arguments.host)
    store_named_roots(arguments, layout)
    # What gradio prints is not our answer.
    with contextlib.redirect_stdout(sys.stderr), ended_by_signal(), _served(arguments, layout, port, output) as served:
        output.line(f"The page: {served.url} shows {escape_text(str(layout.runs))}. Ctrl-C stops it.")
        if output.is_json:
            output.document({"url": served.url, "runs_dir": str(layout.runs)})
        output.flush()
        open_browser(served.url, arguments)
        with contextlib.suppress(KeyboardInterrupt):
            _wait()
    return 0


def _wait() -> None:
    while True:
        time.sleep(3600)


@contextlib.contextmanager
def _served(arguments: argparse.Namespace, layout: Layout, port: int, output: Output) -> Iterator[Any]:
    output.progress("Starting the page ...")
    try:
        from lib_sdpipe.standalone.host import StandaloneHost
        from lib_sdpipe.standalone.page_parts import is_checkout
        from lib_sdpipe.standalone.server import Place, start_server
    except ImportError as fault:
        raise SdPipeError(f"serve needs {fault.name}; `python3 install.py serve` makes an environment that has it") from fault
    if not is_checkout():
        raise UsageError("serve needs the scripts and styles of a checkout of SDPipe: run it from one, with `python3 install.py serve`")
    place = Place(arguments.host, port, arguments.subpath, arguments.theme, _LANGUAGES.get(arguments.language))
    try:
        served = start_server(StandaloneHost(layout, dict(arguments.auth) if arguments.auth else None), place)
    except OSError as fault:
        raise SdPipeError(f"{arguments.host}:{port}: cannot serve there ({fault})") from fault
    try:
        yield served
    finally:
        served.stop()


def _login(text: str) -> tuple[str, str]:
    user, colon, password = text.partition(":")
    if not (user and password):
        raise argparse.ArgumentTypeError("a login is USER:PASSWORD, neither of them empty")
    return user, password


def _subpath(text: str) -> str:
    path = text.strip("/")
    if path and not _SUBPATH.fullmatch(path):
        raise argparse.ArgumentTypeError(f"{text!r} is no path of an address: they look like pictures or my/pictures")
    return path
