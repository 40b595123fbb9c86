"""What a host writes beside an image under the same name: a text file, and a smaller JPEG for forums ("export for 4chan")."""

from __future__ import annotations

import os

_ENDINGS = (".txt", ".jpg")
# Written within the same save; an older file of that name belongs to an image that is gone.
_SECONDS_BEFORE = 2.0
_SECONDS_AFTER = 60.0


def find_beside(path: str) -> list[str]:
    """Names of the files in the folder of `path` that were written together with it."""
    stem, own = os.path.splitext(path)
    try:
        written = os.stat(path).st_mtime
    except OSError:
        return []
    found = []
    for ending in _ENDINGS:
        try:
            age = os.stat(stem + ending).st_mtime - written
        except OSError:
            continue
        if ending != own.lower() and -_SECONDS_BEFORE <= age <= _SECONDS_AFTER:
            found.append(os.path.basename(stem + ending))
    return found
