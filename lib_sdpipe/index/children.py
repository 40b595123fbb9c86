"""What was made from a run's images in later runs. Reading only: a page that shows it must not touch the index."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_sdpipe.index.sql_values import sql_text
from lib_sdpipe.index.viewer import compile_seen_pictures

_CHILDREN = (
    "SELECT run_id, name, stage, role, actual_seed, parent_name FROM pictures"
    " WHERE parent_run_id = ? AND run_id IS NOT NULL AND run_id <> parent_run_id AND {seen} ORDER BY run_id, name LIMIT ?"
)

_LOST = (
    "SELECT run_id, name FROM json_each(?) AS wanted CROSS JOIN pictures"
    " ON run_id = json_extract(wanted.value, '$[0]') AND name = json_extract(wanted.value, '$[1]') WHERE lost_at IS NOT NULL"
)


@dataclass(frozen=True)
class Child:
    """A recorded image of another run that was made from image `parent_name` of this one (None: of the run, nobody knows which)."""

    run_id: str
    name: str
    stage: str | None
    role: str | None
    actual_seed: int | None
    parent_name: str | None


def read_children(places: Iterable[Path], run_id: str, limit: int, viewer: str | None = None) -> list[Child]:
    """The oldest first; for a `viewer` those of runs that he or she may know of. No index, or one that cannot be read, knows none."""
    seen = compile_seen_pictures(viewer)
    return [Child(*row) for row in _read(places, _CHILDREN.format(seen=seen.text), (sql_text(run_id), *seen.values, limit))]


def read_lost(places: Iterable[Path], images: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (run id, name) lie in the bin or are marked as lost, as far as an index knows."""
    return {(run_id, name) for run_id, name in _read(places, _LOST, (json.dumps(list(images)),))}


def _read(places: Iterable[Path], query: str, values: tuple[Any, ...]) -> list[Any]:
    file = next((place for place in places if place.exists()), None)
    if file is None:
        return []
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)) as connection:
            return connection.execute(query, values).fetchall()
    except sqlite3.Error:
        return []  # an older index, or a damaged one: recording makes it anew and says so
