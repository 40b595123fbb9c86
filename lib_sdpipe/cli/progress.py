"""How far long work is, on one line of the terminal that is written over."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Callable

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.render import format_count

if TYPE_CHECKING:
    from lib_sdpipe.workspace.deep import DeepProgress

_AFTER_SECONDS = 1.0
_EVERY_SECONDS = 0.25


class _Pace:
    """Says when a line is due: not in the first second, a few times a second, and only on a terminal."""

    def __init__(self) -> None:
        self._due_at = time.monotonic() + _AFTER_SECONDS

    def is_due(self) -> bool:
        now = time.monotonic()
        if now < self._due_at or not sys.stderr.isatty():
            return False
        self._due_at = now + _EVERY_SECONDS
        return True


def show_count(output: Output) -> Callable[[str, int], None]:
    """Takes what is looked at and how many files so far."""
    pace = _Pace()

    def show(what: str, count: int) -> None:
        if pace.is_due():
            output.progress_line(f"{what}: {count:,}")

    return show


def show_reading(output: Output) -> Callable[[DeepProgress], None]:
    """Takes how far a deep check is: files, rate, time left."""
    pace = _Pace()

    def show(progress: DeepProgress) -> None:
        if pace.is_due():
            output.progress_line(describe_reading(progress))

    return show


def describe_reading(progress: DeepProgress) -> str:
    seconds = max(progress.seconds, 0.001)
    rate = f"{progress.files / seconds:,.0f} images/s, {progress.bytes / seconds / 1e6:,.1f} MB/s"
    left = (progress.of_bytes - progress.bytes) * seconds / max(progress.bytes, 1)
    return f"reading: {progress.files:,} of {format_count(progress.of_files, 'image')}, {rate}, {_describe_time(left)} left"


def _describe_time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
