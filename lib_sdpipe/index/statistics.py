"""Counting a library: images and time by day, model, sampler and stage, seconds by size and steps, bytes on the disk.

Each count goes once through the narrow index of the search (`pictures_walk`): together some seconds in a million pictures.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from lib_sdpipe.index.conditions import Sql, compile_node
from lib_sdpipe.index.local_days import build_day_number, day_of
from lib_sdpipe.index.query import parse_query
from lib_sdpipe.index.sql_values import sql_text
from lib_sdpipe.index.viewer import compile_seen_pictures

# So many instructions of SQLite between two looks whether somebody waits for the end: some milliseconds.
_STEP = 200_000
# Images that a person asked for; others were saved on the way to them.
_MADE = "ifnull(pictures.role, 'final') = 'final'"
_TIME = "ifnull(pictures.duration_ms, 0) + ifnull(pictures.earlier_ms, 0)"
_NO_TIME = "pictures.duration_ms IS NULL AND pictures.earlier_ms IS NULL AND pictures.stage IS NOT 'grid'"
_OLDEST = "SELECT time FROM pictures INDEXED BY pictures_walk WHERE time > 0 ORDER BY time LIMIT 1"
_NEWEST = "SELECT time FROM pictures INDEXED BY pictures_walk WHERE time > 0 ORDER BY time DESC LIMIT 1"
_SUMS = f"count(*), sum({_TIME}), sum({_NO_TIME})"


class CountingStopped(Exception):
    """Somebody asked the count to end. It is no fault."""


@dataclass(frozen=True)
class Sums:
    """Images, the milliseconds that are known to have gone into them, and how many of them do not say."""

    images: int = 0
    milliseconds: int = 0
    untimed: int = 0

    def __add__(self, other: Sums) -> Sums:
        return Sums(self.images + other.images, self.milliseconds + other.milliseconds, self.untimed + other.untimed)


@dataclass(frozen=True)
class Timing:
    """Images of one stage, size and number of steps whose duration is known, in milliseconds each."""

    stage: str | None
    width: int | None
    height: int | None
    steps: int | None
    images: int
    mean_ms: float
    least_ms: int
    most_ms: int


@dataclass(frozen=True)
class Disk:
    """Files of a root by what they are. `claim` as in `files`, None for a file that no manifest names."""

    root: str
    claim: str | None
    stage: str | None
    role: str | None
    files: int
    bytes: int


@dataclass(frozen=True)
class Counted:
    """`days` by local day and stage; None is unknown, of models and samplers too. `others`: saved on the way, by role."""

    days: dict[tuple[date | None, str | None], Sums]
    models: dict[str | None, Sums]
    samplers: dict[str | None, Sums]
    timings: list[Timing]
    disk: list[Disk]
    others: dict[str, int]


class Statistics:
    """Raises sqlite3.Error. The indexes of a search must be there: `Search.complete` makes them."""

    def __init__(self, connection: sqlite3.Connection, viewer: str | None = None) -> None:
        """`viewer`: whose runs alone are counted; None: everybody's."""
        self._connection, self._viewer = connection, viewer

    def count(self, query: str = "", should_stop: Callable[[], bool] = lambda: False) -> Counted:
        """Of the pictures that the query fits. Raises QueryError, and CountingStopped once it should stop."""
        node = parse_query(sql_text(query) or "")
        asked, seen = compile_node(node), compile_seen_pictures(self._viewer)
        where = Sql(f"{asked.text} AND {seen.text}", (*asked.values, *seen.values))
        self._connection.set_progress_handler(should_stop, _STEP)
        try:
            models, samplers = self._count_names(where)
            return Counted(
                self._count_days(where), models, samplers, self._count_timings(where),
                self._count_disk(where, is_all=not node.nodes and self._viewer is None), self._count_others(where),
            )
        except sqlite3.OperationalError as fault:
            if should_stop():
                raise CountingStopped from fault
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def _count_days(self, where: Sql) -> dict[tuple[date | None, str | None], Sums]:
        first, last = (self._connection.execute(query).fetchone() or (0.0,) for query in (_OLDEST, _NEWEST))
        day = build_day_number("pictures.time", first[0], last[0])
        query = (
            f"SELECT CASE WHEN pictures.time > 0 THEN {day} END AS day, pictures.stage, {_SUMS}"
            f" FROM pictures INDEXED BY pictures_walk WHERE {_MADE} AND {where.text} GROUP BY day, pictures.stage"
        )
        rows = self._connection.execute(query, where.values)
        found: dict[tuple[date | None, str | None], Sums] = {}
        for number, stage, *sums in rows:
            key = (day_of(number) if number is not None else None, stage)
            found[key] = found.get(key, Sums()) + Sums(*sums)
        return found

    def _count_names(self, where: Sql) -> tuple[dict[str | None, Sums], dict[str | None, Sums]]:
        """By model, and by sampler: there are few pairs of them."""
        query = (
            f"SELECT pictures.model, pictures.sampler, {_SUMS} FROM pictures INDEXED BY pictures_walk"
            f" WHERE {_MADE} AND {where.text} GROUP BY pictures.model, pictures.sampler"
        )
        models: dict[int | None, Sums] = {}
        samplers: dict[int | None, Sums] = {}
        for model, sampler, *sums in self._connection.execute(query, where.values):
            models[model] = models.get(model, Sums()) + Sums(*sums)
            samplers[sampler] = samplers.get(sampler, Sums()) + Sums(*sums)
        return self._named(models), self._named(samplers)

    def _named(self, sums: dict[int | None, Sums]) -> dict[str | None, Sums]:
        texts = {key: self._connection.execute("SELECT text FROM names WHERE id = ?", (key,)).fetchone() for key in sums}
        return {row[0] if (row := texts[key]) is not None else None: found for key, found in sums.items()}

    def _count_timings(self, where: Sql) -> list[Timing]:
        query = (
            "SELECT pictures.stage, pictures.width, pictures.height, pictures.steps, count(*), avg(pictures.duration_ms),"
            " min(pictures.duration_ms), max(pictures.duration_ms) FROM pictures INDEXED BY pictures_walk"
            f" WHERE pictures.duration_ms IS NOT NULL AND {_MADE} AND {where.text} GROUP BY 1, 2, 3, 4"
        )
        return [Timing(*row) for row in self._connection.execute(query, where.values)]

    def _count_others(self, where: Sql) -> dict[str, int]:
        query = (
            "SELECT pictures.role, count(*) FROM pictures INDEXED BY pictures_walk"
            f" WHERE NOT {_MADE} AND {where.text} GROUP BY pictures.role"
        )
        return dict(self._connection.execute(query, where.values).fetchall())

    def _count_disk(self, where: Sql, is_all: bool) -> list[Disk]:
        """Files of the pictures; of the whole library also those that only unreadable manifests name."""
        parts = [
            f"SELECT files.folder, files.claim, pictures.stage, pictures.role, files.bytes FROM files"
            f" CROSS JOIN pictures ON pictures.id = files.picture WHERE files.picture IS NOT NULL AND {where.text}",
            f"SELECT files.folder, files.claim, pictures.stage, pictures.role, files.bytes FROM pictures"
            f" CROSS JOIN files ON files.id = pictures.file WHERE pictures.file IS NOT NULL AND {where.text}",
        ]
        if is_all:
            parts.append("SELECT folder, claim, NULL, NULL, bytes FROM files WHERE picture IS NULL AND claim IS NOT NULL")
        query = (
            "SELECT folders.root, claim, stage, role, sum(number), sum(bytes) FROM (SELECT folder, claim, stage, role, count(*) AS number,"
            f" sum(bytes) AS bytes FROM ({' UNION ALL '.join(parts)}) GROUP BY folder, claim, stage, role)"
            " LEFT JOIN folders ON folders.id = folder GROUP BY 1, 2, 3, 4"
        )
        rows = self._connection.execute(query, where.values * 2)
        return [Disk(root or "", claim, stage, role, files, size) for root, claim, stage, role, files, size in rows]
