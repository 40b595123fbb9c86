"""Letting the host generate first: two Python threads share one interpreter, and what the one does the other waits for."""

from __future__ import annotations

import time
from collections.abc import Callable

# While the host generates: after so much work, rest for so many times as long. What is being written meanwhile must not wait
# for long: a rest has an end.
_WORK_SECONDS = 0.001
_REST_TIMES = 40
_LONGEST_REST_SECONDS = 0.25


class GiveWay:
    """To be called between any two small steps of long work, however often."""

    def __init__(self, is_host_busy: Callable[[], bool], rest: Callable[[float], object] = time.sleep) -> None:
        self._is_host_busy = is_host_busy
        self._rest = rest
        self._rested = time.monotonic()

    def __call__(self) -> None:
        worked = time.monotonic() - self._rested
        if worked < _WORK_SECONDS:
            return
        if self._is_host_busy():
            self._rest(min(worked * _REST_TIMES, _LONGEST_REST_SECONDS))
        self._rested = time.monotonic()
