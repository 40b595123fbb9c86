"""Reports of exceptions that the host swallows; kept in `exception_records` so that tests can look at them."""

from __future__ import annotations

import sys
import textwrap
import traceback

exception_records: list[dict[str, str]] = []
_LIMIT = 50


def record_exception() -> None:
    _, error, _ = sys.exc_info()
    if error is not None:
        exception_records.append({"exception": str(error), "traceback": traceback.format_exc()})
        del exception_records[:-_LIMIT]


def report(message: str, *, exc_info: bool = False) -> None:
    """Print a message to stderr, with the current traceback if asked for."""
    record_exception()
    for line in message.splitlines():
        print("***", line, file=sys.stderr)  # noqa: T201
    if exc_info:
        print(textwrap.indent(traceback.format_exc(), "    "), "---", sep="\n", file=sys.stderr)  # noqa: T201


def display(error: BaseException, task: str, *, full_traceback: bool = False) -> None:
    record_exception()
    print(f"{task or 'error'}: {type(error).__name__}", file=sys.stderr)  # noqa: T201
    if full_traceback:
        traceback.print_exception(type(error), error, error.__traceback__)


def print_error_explanation(message: str) -> None:
    record_exception()
    print(message, file=sys.stderr)  # noqa: T201
