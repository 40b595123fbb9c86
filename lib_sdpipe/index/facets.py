"""What there is to filter by, with counts: of the whole library, by its indexes. Some tenths of a second in a million pictures."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.index.conditions import compile_times
from lib_sdpipe.index.query_terms import DATE_WORDS, Lately
from lib_sdpipe.index.viewer import compile_seen_pictures, compile_seen_runs

# The most frequent ones of a kind.
_MOST = 200

Counts = list[tuple[str, int]]
"""A value and how many pictures have it (of `statuses`: how many runs), the most frequent first."""


@dataclass(frozen=True)
class Facets:
    """`dates` are words of the query language; `ratings` numbers as text."""

    models: Counts
    samplers: Counts
    stages: Counts
    statuses: Counts
    dates: Counts
    tags: Counts
    ratings: Counts
    favourites: int
    recorded: int
    unrecorded: int


def count_facets(connection: sqlite3.Connection, viewer: str | None = None) -> Facets:
    """What is lost is not counted; with `viewer` their own, which takes longer. Raises sqlite3.Error without the search's indexes."""
    counter = _Counter(connection, viewer)
    unrecorded = counter.number("SELECT count(*) FROM pictures WHERE file IS NOT NULL") if viewer is None else 0
    return Facets(
        models=counter.names("model"),
        samplers=counter.names("sampler"),
        stages=_sorted(counter.pictures("stage")),
        statuses=_sorted(counter.rows("runs", "status", "status IS NOT NULL")),
        dates=[(word, counter.in_days(word)) for word in DATE_WORDS],
        tags=_sorted(counter.rows("tags", "tag")),
        ratings=_sorted(counter.rows("marks", "rating", "rating IS NOT NULL")),
        favourites=sum(counter.rows("marks", "is_favourite", "is_favourite = 1").values()),
        recorded=counter.recorded(),
        unrecorded=unrecorded,
    )


class _Counter:
    """Counts by value; what is lost is counted by itself, by a narrow index, and taken off."""

    def __init__(self, connection: sqlite3.Connection, viewer: str | None) -> None:
        self._connection, self._viewer = connection, viewer
        self._seen = compile_seen_pictures(viewer)

    def names(self, kind: str) -> Counts:
        counts = sorted(self.pictures(kind).items(), key=lambda found: -found[1])[:_MOST]
        texts = (self._connection.execute("SELECT text FROM names WHERE id = ?", (name,)).fetchone() for name, _ in counts)
        return [(text[0], number) for text, (_, number) in zip(texts, counts) if text is not None]

    def pictures(self, column: str) -> dict[Any, int]:
        index = f" INDEXED BY pictures_{column}" if self._viewer is None else ""
        query = f"SELECT {column}, count(*) FROM pictures%s WHERE {column} IS NOT NULL AND {self._seen.text}%s GROUP BY {column}"
        counts = dict(self._connection.execute(query % (index, ""), self._seen.values))
        for value, number in self._connection.execute(query % (" INDEXED BY pictures_lost", " AND lost_at IS NOT NULL"), self._seen.values):
            counts[value] -= number
        return counts

    def rows(self, table: str, column: str, condition: str = "1") -> dict[Any, int]:
        seen = compile_seen_runs(self._viewer) if table == "runs" else compile_seen_pictures(self._viewer, table)
        query = f"SELECT {column}, count(*) FROM {table} WHERE {condition} AND {seen.text} GROUP BY {column}"
        return dict(self._connection.execute(query, seen.values))

    def in_days(self, word: str) -> int:
        times = compile_times(Lately(word))
        condition = f"{times.text} AND lost_at IS NULL AND {self._seen.text}"
        query = f"SELECT count(*) FROM pictures INDEXED BY pictures_walk WHERE {condition}"
        return self.number(query, (*times.values, *self._seen.values))

    def recorded(self) -> int:
        if self._viewer is not None:
            query = f"SELECT count(*) FROM pictures WHERE run_id IS NOT NULL AND lost_at IS NULL AND {self._seen.text}"
            return self.number(query, self._seen.values)
        less = "WHERE lost_at IS NOT NULL", "WHERE file IS NOT NULL"
        all_, lost, unrecorded = (self.number(f"SELECT count(*) FROM pictures {where}") for where in ("", *less))
        return all_ - lost - unrecorded

    def number(self, query: str, values: tuple[Any, ...] = ()) -> int:
        return int(self._connection.execute(query, values).fetchone()[0])


def _sorted(counts: dict[Any, int]) -> Counts:
    found = sorted(((str(value), number) for value, number in counts.items()), key=lambda each: (-each[1], each[0]))
    return found[:_MOST]
