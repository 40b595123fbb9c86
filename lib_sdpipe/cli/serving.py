"""What the verbs that serve a page share: its port, the browser, and how they end."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Iterator
from typing import Any, NoReturn

from lib_sdpipe.errors import UsageError

USUAL_PORT = 7860


def add_page_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=_port, metavar="N", help=f"the page's port (default: {USUAL_PORT}, or a free one if that is taken)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")


def choose_port(wish: int | None, host: str = "127.0.0.1") -> int:
    """The port to serve on. Raises UsageError where a port asked for by number is taken, or there is no such host."""
    for port in (USUAL_PORT, 0) if wish is None else (wish,):
        free = _try_port(host, port)
        if free is not None:
            return free
    raise UsageError(f"port {wish} is taken: give another with --port N, or none for a free one")


def _try_port(host: str, port: int) -> int | None:
    """The port, of 0 a free one; None where it is taken."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as fault:
        raise UsageError(f"{host}: no address of this computer ({fault.strerror or fault})") from fault
    with socket.socket(family, kind) as probe:
        # As the server binds it: a port in TIME_WAIT from the last page is free. On Windows the option means the opposite.
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return None
        return int(probe.getsockname()[1])


def open_browser(url: str, arguments: argparse.Namespace) -> None:
    if not arguments.no_browser and _has_screen():
        webbrowser.open(url)


def _has_screen() -> bool:
    """Without one, webbrowser would start a text browser in this terminal."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


@contextlib.contextmanager
def ended_by_signal() -> Iterator[None]:
    """`kill` ends it as Ctrl-C does: the server stops first."""
    def leave(number: int, _frame: Any) -> NoReturn:
        raise SystemExit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text[:6]) < 65536):
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: a number up to 65535, 0 for any free one")
    return int(text[:6])
