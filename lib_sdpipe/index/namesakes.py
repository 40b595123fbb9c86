"""Where a file that is not in its place may be now: unrecorded files of the same name and length, as the last look saw them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from lib_sdpipe.index.sql_values import disk_text, sql_text

_NAMESAKES = (
    "SELECT d.root, d.path, f.name FROM files f JOIN folders d ON d.id = f.folder"
    " WHERE f.name = ? AND f.claim IS NULL AND f.bytes = ? ORDER BY d.root, d.path LIMIT ?"
)


def read_namesakes(places: Iterable[Path], name: str, size: int, limit: int = 3) -> list[str]:
    """`root: path` of each. Reading only: no index, or one that cannot be read, knows none."""
    file = next((place for place in places if place.exists()), None)
    if file is None:
        return []
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            rows = connection.execute(_NAMESAKES, (sql_text(name), size, limit)).fetchall()
    except sqlite3.Error:
        return []
    return [f"{root}: {disk_text('/'.join(filter(None, (folder, file_name))))}" for root, folder, file_name in rows]
