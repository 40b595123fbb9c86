"""What is recorded of one file: by its place, its bytes, its pixels. Reading only, for verbs that must not touch the index."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from lib_sdpipe.index.pictures import Pictures, Recorded


def find_recorded(
    index_file: Path, root: str | None, path: str, sha256: str | None, pixel_sha256: str | None
) -> list[tuple[str, Recorded]]:
    """(how it was found, the record), best first. No index, or one that cannot be read, knows nothing."""
    if not index_file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{index_file.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            pictures = Pictures(connection)
            found = [("path", recorded) for recorded in pictures.find_by_path(root, path)]
            found += [("sha256", recorded) for recorded in (pictures.find_by_file(sha256) if sha256 else [])]
            return found + [("pixel_sha256", recorded) for recorded in (pictures.find_by_pixels(pixel_sha256) if pixel_sha256 else [])]
    except sqlite3.Error:
        return []
