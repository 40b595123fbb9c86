"""What a host writes beside an image under the same name: a text file, and a smaller JPEG for forums ("export for 4chan").

With "Add number suffix" A1111 names the text by what it was asked for, not by what it wrote, and numbers the JPEG anew.
"""

from __future__ import annotations

import os
from typing import Iterator

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
    found = []
    for candidate in dict.fromkeys(_candidates(path, asked, saved_at is not None)):
        try:
            written = os.stat(candidate).st_mtime
        except OSError:
            continue
        if candidate != path and begun - _TICK_SECONDS <= written <= ended + _TICK_SECONDS:
            found.append(os.path.basename(candidate))
    return found


def remove_beside(path: str) -> None:
    """Take away what a host wrote beside a file that it wrote only for us. Raises OSError."""
    for ending in (".txt", ".jpg"):
        candidate = os.path.splitext(path)[0] + ending
        if candidate != path and os.path.exists(candidate):
            os.unlink(candidate)


def _candidates(path: str, asked: str | None, is_exact: bool) -> Iterator[str]:
    stem = os.path.splitext(path)[0]
    yield from (f"{stem}.txt", f"{stem}.jpg")
    if asked is None or os.path.dirname(asked) != os.path.dirname(path):
        return
    stem = os.path.splitext(asked)[0]
    yield from (f"{stem}.txt", f"{stem}.jpg")
    if is_exact:
        yield from (f"{stem}-{number}.jpg" for number in range(1, _MOST_NUMBERED))
