"""Bounds on time that a slow or busy machine keeps and a broken promise does not."""

from __future__ import annotations

import time
from typing import Callable, TypeVar

T = TypeVar("T")

_REFERENCE_SECONDS = 0.020  # of the processor, for `_known_work` on the machine on which the bounds were set
_TRIES = 3


def assert_quick(work: Callable[[], T], seconds: float) -> T:
    """What the work returns. It must do with so many seconds of the processor at one of three tries.

    Waiting for the processor counts for nothing, and where a known piece of work takes longer than it should (a slower machine,
    a core that is shared), this may take longer by as much. What waits for something else is not held by this.
    """
    took = []
    for _ in range(_TRIES):
        slower = _slower()
        started = time.process_time()
        result = work()
        spent = time.process_time() - started
        slower = max(slower, _slower())
        if spent <= seconds * slower:
            return result
        took.append(f"{spent:.2f} s where {seconds * slower:.2f} s are allowed")
    raise AssertionError("it is too slow: " + ", ".join(took))


def _slower() -> float:
    """How many times as long as it should the known piece of work takes now; at least 1."""
    started = time.process_time()
    _known_work()
    return max(1.0, (time.process_time() - started) / _REFERENCE_SECONDS)


def _known_work() -> None:
    """What our code is made of: text cut up, counted and put together."""
    for _ in range(20):
        counts: dict[str, int] = {}
        for number in range(5_000):
            word = f"word{number % 700}"
            counts[word] = counts.get(word, 0) + len(word)
        " ".join(sorted(counts)).split("d")
