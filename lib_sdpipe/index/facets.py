"""What there is to filter by, with counts: of the whole library, by its indexes. Some tenths of a second in a million pictures."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lib_sdpipe.index.conditions import compile_times
from lib_sdpipe.index.query_terms import DATE_WORDS, Lately

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


def count_facets(connection: sqlite3.Connection) -> Facets:
    """Raises sqlite3.Error, where the indexes of a search are not there yet among others."""
    unrecorded = _number(connection, "SELECT count(*) FROM pictures WHERE file IS NOT NULL")
    return Facets(
        models=_names(connection, "model"),
        samplers=_names(connection, "sampler"),
        stages=_counts(connection, "SELECT stage, count(*) FROM pictures INDEXED BY pictures_stage WHERE stage IS NOT NULL GROUP BY stage"),
        statuses=_counts(connection, "SELECT status, count(*) FROM runs INDEXED BY runs_status WHERE status IS NOT NULL GROUP BY status"),
        dates=[(word, _in_days(connection, word)) for word in DATE_WORDS],
        tags=_counts(connection, "SELECT tag, count(*) FROM tags INDEXED BY tags_tag GROUP BY tag"),
        ratings=_counts(connection, "SELECT rating, count(*) FROM marks WHERE rating IS NOT NULL GROUP BY rating"),
        favourites=_number(connection, "SELECT count(*) FROM marks WHERE is_favourite = 1"),
        recorded=_number(connection, "SELECT count(*) FROM pictures") - unrecorded,
        unrecorded=unrecorded,
    )


def _names(connection: sqlite3.Connection, kind: str) -> Counts:
    ids = connection.execute(
        f"SELECT {kind}, count(*) AS number FROM pictures INDEXED BY pictures_{kind} WHERE {kind} IS NOT NULL GROUP BY {kind}"
        " ORDER BY number DESC LIMIT ?", (_MOST,),
    ).fetchall()
    texts = (connection.execute("SELECT text FROM names WHERE id = ?", (name,)).fetchone() for name, _ in ids)
    return [(text[0], number) for text, (_, number) in zip(texts, ids) if text is not None]


def _counts(connection: sqlite3.Connection, query: str) -> Counts:
    return [(str(value), number) for value, number in connection.execute(f"{query} ORDER BY 2 DESC, 1 LIMIT ?", (_MOST,))]


def _in_days(connection: sqlite3.Connection, word: str) -> int:
    times = compile_times(Lately(word))
    return _number(connection, f"SELECT count(*) FROM pictures INDEXED BY pictures_walk WHERE {times.text}", times.values)


def _number(connection: sqlite3.Connection, query: str, values: tuple[float, ...] = ()) -> int:
    return int(connection.execute(query, values).fetchone()[0])
