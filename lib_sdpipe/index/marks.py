"""The user's marks as the index knows them: what `marks.json` of each run says. The files are the truth."""

from __future__ import annotations

import sqlite3
from typing import Any

from lib_sdpipe.index.folding import fold_text
from lib_sdpipe.index.records import Stamp
from lib_sdpipe.index.sql_values import sql_text
from lib_sdpipe.index.viewer import compile_seen_pictures
from lib_sdpipe.manifest.marks import HIGHEST_RATING, LONGEST_TAG, MOST_TAGS
from lib_sdpipe.manifest.records import Json

CONTENT = {
    "marks": "SELECT run_id, name, rating, is_favourite, note FROM marks ORDER BY run_id, name",
    "tags": "SELECT run_id, name, tag FROM tags ORDER BY run_id, name, tag",
}


class Marks:
    """The tables `marks_files`, `marks` and `tags`. Changes are made within a transaction of the caller's. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def stamps(self) -> dict[str, Stamp]:
        """Of every marks.json as it was read, by run id."""
        rows = self._connection.execute("SELECT run_id, bytes, mtime_ns FROM marks_files")
        return {run_id: (size, mtime_ns) for run_id, size, mtime_ns in rows}

    def stamp_of(self, run_id: str) -> Stamp | None:
        row = self._connection.execute("SELECT bytes, mtime_ns FROM marks_files WHERE run_id = ?", (sql_text(run_id),)).fetchone()
        return tuple(row) if row is not None else None

    def known_tags(self, limit: int, viewer: str | None = None) -> list[str]:
        """Tags in use, the most used first; of the runs that `viewer` may know."""
        seen = compile_seen_pictures(viewer, "tags")
        query = f"SELECT tag FROM tags WHERE {seen.text} GROUP BY tag ORDER BY count(*) DESC, tag LIMIT ?"
        return [tag for (tag,) in self._connection.execute(query, (*seen.values, limit))]

    def replace(self, run_id: str, stamp: Stamp | None, marks: dict[str, Json]) -> None:
        """Make these a run's marks, by manifest name; `stamp` is that of the file that says so, None without one."""
        run_id = sql_text(run_id)
        for table in ("marks_files", "marks", "tags"):
            self._connection.execute(f"DELETE FROM {table} WHERE run_id = ?", (run_id,))
        if stamp is not None:
            self._connection.execute("INSERT INTO marks_files VALUES (?, ?, ?)", (run_id, *stamp))
        rows = [(run_id, sql_text(name), *_read_mark(mark)) for name, mark in marks.items()]
        self._connection.executemany("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", rows)
        tags = [(run_id, sql_text(name), tag, fold_text(tag)) for name, mark in marks.items() for tag in _read_tags(mark)]
        self._connection.executemany("INSERT OR REPLACE INTO tags VALUES (?, ?, ?, ?)", tags)


def _read_mark(mark: Json) -> tuple[int | None, bool, str | None]:
    """(rating, whether it is a favourite, the note as it is searched); what another program wrote may be anything."""
    rating, note = mark.get("rating"), mark.get("note")
    is_rating = isinstance(rating, int) and not isinstance(rating, bool) and 0 <= rating <= HIGHEST_RATING
    return rating if is_rating else None, mark.get("favourite") is True, sql_text(fold_text(note)) if isinstance(note, str) else None


def _read_tags(mark: Json) -> list[str]:
    tags: Any = mark.get("tags")
    found = (sql_text(tag.strip()[:LONGEST_TAG]) for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else ()
    return list(dict.fromkeys(tag for tag in found if tag))[:MOST_TAGS]
