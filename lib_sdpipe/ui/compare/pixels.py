"""Comparing two files pixel by pixel, away from the handlers: one at a time, the last few results kept."""

from __future__ import annotations

import os
from collections import OrderedDict
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lib_sdpipe.images.difference import PixelDifference

_KEPT = 6
# Most pictures are compared in less: then the page need not ask twice.
_PATIENCE_SECONDS = 0.6

Key = tuple[tuple[str, int, int], ...]


class PixelDesk:
    """The same two files are compared once, as long as they do not change."""

    def __init__(self) -> None:
        self._work = ThreadPoolExecutor(1, thread_name_prefix="sdpipe-compare")
        self._results: OrderedDict[Key, Future[PixelDifference]] = OrderedDict()

    def look(self, one: Path, other: Path) -> PixelDifference | None:
        """The difference; None while it is not ready. Raises OSError or IncomparableError."""
        key = (_state(one), _state(other))
        result = self._results.get(key)
        if result is None:
            result = self._results[key] = self._work.submit(_compare, str(one), str(other))
            while len(self._results) > _KEPT:
                self._results.popitem(last=False)[1].cancel()
        try:
            return result.result(_PATIENCE_SECONDS)
        except (NotYet, CancelledError):  # others were asked for meanwhile: the page asks again
            return None


def _state(file: Path) -> tuple[str, int, int]:
    found = os.stat(file)
    return str(file), found.st_mtime_ns, found.st_size


def _compare(one: str, other: str) -> PixelDifference:
    from lib_sdpipe.images.difference import compare_pixels  # numpy: the host's start does not wait for it

    return compare_pixels(one, other)
