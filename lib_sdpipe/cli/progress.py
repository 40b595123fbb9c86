"""How far long work is, on one line of the terminal that is written over."""

from __future__ import annotations

import sys
import time
from typing import Callable

from lib_sdpipe.cli.output import Output

_AFTER_SECONDS = 1.0
_EVERY_SECONDS = 0.25


def show_count(output: Output) -> Callable[[str, int], None]:
    """Takes what is looked at and how many files so far; silent in the first second, and where stderr is no terminal."""
    started = last = time.monotonic()

    def show(what: str, count: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - started < _AFTER_SECONDS or now - last < _EVERY_SECONDS or not sys.stderr.isatty():
            return
        last = now
        output.progress_line(f"{what}: {count:,}")

    return show
