"""What must be known of an image before it goes to the bin: who else names its file, what was made from it, what was copied of it."""

from __future__ import annotations

import sqlite3

from lib_sdpipe.index.sql_values import sql_text

# The condition on a row of `runs` that none of its images is left; of a run without images its own record says so.
IS_CULLED_RUN = (
    "(NOT EXISTS (SELECT 1 FROM pictures WHERE pictures.run_id = runs.run_id AND pictures.lost_at IS NULL) AND"
    " (EXISTS (SELECT 1 FROM pictures WHERE pictures.run_id = runs.run_id) OR json_extract(runs.facts, '$.lost_at') IS NOT NULL))"
)


class Culling:
    """Questions over `claims`, `pictures` and `copies`. Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def claims_on(self, root: str | None, path: str) -> list[tuple[str, str, str]]:
        """(run id, manifest name, claim) of the manifests that name this file; `root` None: the path is absolute."""
        folder, _, name = path.rpartition("/")
        query = "SELECT run_id, file, claim FROM claims WHERE root = ? AND folder = ? AND name = ? ORDER BY run_id, file"
        return self._connection.execute(query, (root or "", sql_text(folder), sql_text(name))).fetchall()

    def place_of(self, run_id: str, name: str) -> tuple[str | None, str] | None:
        """Where the index has the image of a manifest: of an older program's the file that its name was found to mean."""
        query = "SELECT root, path FROM pictures WHERE run_id = ? AND name = ? AND path IS NOT NULL"
        row: tuple[str | None, str] | None = self._connection.execute(query, (sql_text(run_id), sql_text(name))).fetchone()
        return row

    def children_of(self, run_id: str, name: str, limit: int) -> list[tuple[str, str]]:
        """(run id, name) of images that were made from this one and are there."""
        query = (
            "SELECT run_id, name FROM pictures WHERE parent_run_id = ? AND parent_name = ? AND run_id IS NOT NULL AND lost_at IS NULL"
            " ORDER BY run_id, name LIMIT ?"
        )
        return self._connection.execute(query, (sql_text(run_id), sql_text(name), limit)).fetchall()

    def copies_of(self, run_id: str, name: str) -> list[str]:
        """Absolute paths of the files that were made of an image with the Save button."""
        query = "SELECT path FROM copies WHERE run_id = ? AND name = ? ORDER BY path"
        return [path for (path,) in self._connection.execute(query, (sql_text(run_id), sql_text(name)))]
