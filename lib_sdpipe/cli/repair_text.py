"""What `apply` and `undo` tell a person: progress, what became of the operations, and how Ctrl-C ends them."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any

from lib_sdpipe.cli.output import Output
from lib_sdpipe.cli.render import escape_text, format_count
from lib_sdpipe.store.repair import Progress, RepairAnswer

_EXIT_INTERRUPTED = 130
_SECONDS_BETWEEN = 1.0
_MOST_REASONS = 20


class StopAsked:
    """While it is entered, Ctrl-C does not break in but is remembered: calling it tells whether to stop."""

    def __init__(self, output: Output) -> None:
        self._output, self._is_asked = output, False
        self._before: Any = None

    def __call__(self) -> bool:
        return self._is_asked

    def __enter__(self) -> StopAsked:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *fault: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._is_asked = True


def report_progress(output: Output) -> Progress:
    """A line a second, where somebody waits at a terminal."""
    last = [time.monotonic()]

    def report(phase: str, done: int, total: int) -> None:
        if time.monotonic() - last[0] >= _SECONDS_BETWEEN:
            last[0] = time.monotonic()
            output.progress(f"{phase}: {done:,} of {total:,}")

    return report


def print_repair(answer: RepairAnswer, verb: str, output: Output) -> None:
    if output.is_json:
        output.document(answer.to_json())
    else:
        output.line(f"{format_count(answer.done, 'operation')} {verb}, {answer.skipped:,} not needed, {len(answer.failed):,} failed.")
        for one in answer.failed[:_MOST_REASONS]:
            output.line(escape_text(f"{one['id']}: {one['reason']}"))
        if len(answer.failed) > _MOST_REASONS:
            output.line(f"and {len(answer.failed) - _MOST_REASONS:,} more; `--json` has all")
    if answer.is_interrupted:
        output.note("stopped between two operations, as asked; the same call goes on from here")


def exit_code(answer: RepairAnswer) -> int:
    return _EXIT_INTERRUPTED if answer.is_interrupted else 1 if answer.failed else 0
