"""What a host writes beside an image under the same name: a text file, and a smaller JPEG for forums ("export for 4chan").

With "Add number suffix" A1111 names the text by what it was asked for, not by what it wrote, and numbers the JPEG anew.
"""

from __future__ import annotations

import os
from itertools import takewhile

# Clocks of file systems tick a few times in a hundredth of a second.
_TICK_SECONDS = 0.02
_LONGEST_SAVE_SECONDS = 60.0
_MOST_NUMBERED = 20


def find_beside(path: str, asked: str | None, saved_at: float | None) -> list[str]:
    """Names of the files in the folder of `path` that were written together with it.

    `asked` is the path that the host was asked to write, `saved_at` when it said that it had, in seconds since 1970 (None:
    unknown, after a kill). Both are written between the image and that moment.
    """
    try:
        begun = os.stat(path).st_mtime
    except OSError:
        return []
    ended = saved_at if saved_at is not None else begun + _LONGEST_SAVE_SECONDS
    candidates = _named_alike(path, asked)
    if saved_at is not None and asked is not None and os.path.dirname(asked) == os.path.dirname(path):
        candidates += _numbered(asked)
    return [os.path.basename(c) for c in dict.fromkeys(candidates) if c != path and _is_written_within(c, begun, ended)]


def remove_beside(path: str) -> None:
    """Take away what a host wrote beside a file that it wrote only for us. Raises OSError."""
    for ending in (".txt", ".jpg"):
        candidate = os.path.splitext(path)[0] + ending
        if candidate != path and os.path.exists(candidate):
            os.unlink(candidate)


def _is_written_within(path: str, begun: float, ended: float) -> bool:
    try:
        return begun - _TICK_SECONDS <= os.stat(path).st_mtime <= ended + _TICK_SECONDS
    except OSError:
        return False


def _named_alike(path: str, asked: str | None) -> list[str]:
    files = [path] if asked is None or os.path.dirname(asked) != os.path.dirname(path) else [path, asked]
    return [os.path.splitext(file)[0] + ending for file in files for ending in (".txt", ".jpg")]


def _numbered(asked: str) -> list[str]:
    """The host takes the first number that is free: no later one is there before an earlier one."""
    stem = os.path.splitext(asked)[0]
    names = (f"{stem}-{number}.jpg" for number in range(1, _MOST_NUMBERED))
    return list(takewhile(os.path.exists, names))
