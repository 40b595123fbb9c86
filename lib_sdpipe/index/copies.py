"""Copies that people made of recorded images with the Save button, as the index knows them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def read_copies(index_file: Path, run_id: str, name: str) -> list[str]:
    """Absolute paths of an image's copies. Reading only: no index, or one that cannot be read, is none."""
    if not index_file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{index_file.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            query = "SELECT path FROM copies WHERE run_id = ? AND name = ? ORDER BY path"
            return [path for (path,) in connection.execute(query, (run_id, name))]
    except sqlite3.Error:
        return []  # an older index, or a damaged one: recording makes it anew and says so
