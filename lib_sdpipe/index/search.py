"""Searching pictures: a page of what a query asks for, newest first (docs/search.md).

What fits is read from the newest on (most queries fill a page at once), else from whichever part of the query fits the
fewest pictures, else from a walk through a narrow index of all. All three give the same answer.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.conditions import Sql, compile_lookup, compile_match, compile_node, compile_prompts, compile_times
from lib_sdpipe.index.owed import Owed
from lib_sdpipe.index.query import And, Node, parse_query
from lib_sdpipe.index.query_terms import Dates
from lib_sdpipe.index.sql_values import sql_text
from lib_sdpipe.index.viewer import compile_seen_pictures

# Beyond this many the total is no longer counted.
MOST_COUNTED = 1_000
# How many of the newest pictures are looked at first.
_GLANCE = 3_000
# How many prompts, and then pictures, a part of the query may fit to be read from.
_FEW_PROMPTS = 3_000
_FEW_PICTURES = 10_000
_CURSOR = re.compile(r"(-?\d{1,12}\.\d{3})_(\d{1,18})")
_NEWEST_FIRST = "ORDER BY time DESC, id DESC"
_WALKED = "id, time, prompt, negative_prompt, model, sampler, loras, stage, actual_seed, steps, cfg_scale, width, height, file, run_id"
_FOUND = (
    "SELECT pictures.id, run_id, name, root, path, stage, time, prompts.text, actual_seed, names.text FROM pictures"
    " LEFT JOIN prompts ON prompts.id = pictures.prompt LEFT JOIN names ON names.id = pictures.model"
)

Key = tuple[float, int]


@dataclass(frozen=True)
class Found:
    """One picture of a search; `time` in seconds since 1970, None where unknown."""

    run_id: str | None
    name: str | None
    root: str | None
    path: str | None
    stage: str | None
    time: float | None
    prompt: str | None
    actual_seed: int | None
    model: str | None


@dataclass(frozen=True)
class FoundPage:
    """Some pictures, newest first. `total` is a lower bound unless `total_is_exact`; `next` is the cursor of the page after."""

    total: int
    total_is_exact: bool
    images: list[Found]
    next: str | None


@dataclass(frozen=True)
class _Plan:
    """A query in SQL: `conditions` is all of it but the `times`, which bound every walk."""

    node: And
    times: Sql
    conditions: Sql
    is_empty: bool


class Search:
    """Raises sqlite3.Error. `complete` first, so that all pictures are there; without it those waiting are not found."""

    def __init__(self, connection: sqlite3.Connection, viewer: str | None = None) -> None:
        """`viewer`: whose runs alone are found; None: everybody's."""
        self._connection, self._viewer = connection, viewer
        self._owed = Owed(connection)

    def complete(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Make what is owed: rows of files that no manifest names, the full-text index. `progress(done, total)`."""
        self._owed.pay(progress)

    def find(self, query: str, limit: int = 50, after: str | None = None) -> FoundPage:
        """The page after the cursor. Raises QueryError, or UsageError for a cursor that is none."""
        self._owed.ensure_indexes()
        plan = _build_plan(parse_query(sql_text(query) or ""), self._viewer)  # half a surrogate pair stands escaped in the index too
        cursor = _parse_cursor(after) if after is not None else None
        limit = max(limit, 1)
        if plan.is_empty:
            total, is_exact, keys = self._count_all(), True, self._glance(plan, cursor, limit + 1)
        else:
            total, is_exact, keys = self._find_keys(plan, cursor, limit + 1)
        images = self._read(keys[:limit])
        return FoundPage(total, is_exact, images, _format_cursor(keys[limit - 1]) if len(keys) > limit else None)

    def _find_keys(self, plan: _Plan, cursor: Key | None, wanted: int) -> tuple[int, bool, list[Key]]:
        """(total, whether it is exact, the first keys after the cursor)."""
        most = max(MOST_COUNTED, wanted) + 1
        newest = self._glance(plan, None, most)
        if len(newest) < most:
            newest, has_all = self._find_all(plan, None, most)
            if has_all:
                return len(newest), True, [key for key in newest if cursor is None or key < cursor][:wanted]
        if cursor is None:
            return most - 1, False, newest[:wanted]
        page = self._glance(plan, cursor, wanted)
        if len(page) < wanted:
            page = self._find_all(plan, cursor, wanted)[0][:wanted]
        return most - 1, False, page

    def _find_all(self, plan: _Plan, cursor: Key | None, most: int) -> tuple[list[Key], bool]:
        """Keys after the cursor, `most` of them or all, and whether these are all."""
        few, prompts = self._find_few(plan)
        if few is not None:
            return self._few_keys(plan, few, cursor), True
        keys = self._walk(plan, prompts, cursor, most)
        return keys, len(keys) < most

    # --- three ways to the same keys ---

    def _glance(self, plan: _Plan, cursor: Key | None, most: int) -> list[Key]:
        """Keys among the first pictures after the cursor; fewer than `most` does not mean that there are no more."""
        bounds = _bounds(plan, cursor)
        looked_at = most if plan.is_empty else _GLANCE
        query = (
            f"SELECT time, id FROM (SELECT {_WALKED} FROM pictures INDEXED BY pictures_walk WHERE {bounds.text} {_NEWEST_FIRST} LIMIT ?)"
            f" AS pictures WHERE {plan.conditions.text} LIMIT ?"
        )
        return self._connection.execute(query, (*bounds.values, looked_at, *plan.conditions.values, most)).fetchall()

    def _walk(self, plan: _Plan, prompts: Sql | None, cursor: Key | None, most: int) -> list[Key]:
        """The first keys after the cursor, however far they are."""
        bounds = _bounds(plan, cursor)
        prompts = prompts or Sql("1")
        query = (
            f"SELECT time, id FROM pictures INDEXED BY pictures_walk WHERE {bounds.text} AND {prompts.text}"
            f" AND {plan.conditions.text} {_NEWEST_FIRST} LIMIT ?"
        )
        values = (*bounds.values, *prompts.values, *plan.conditions.values, most)
        return self._connection.execute(query, values).fetchall()

    def _few_keys(self, plan: _Plan, few: Sql, cursor: Key | None) -> list[Key]:
        """All keys after the cursor, by a part of the query that few pictures fit."""
        bounds = _bounds(plan, cursor)
        query = (  # CROSS JOIN is SQLite's word for this order and no other
            f"SELECT time, id FROM (SELECT id AS few FROM pictures WHERE {few.text}) CROSS JOIN pictures ON id = few"
            f" WHERE {bounds.text} AND {plan.conditions.text} {_NEWEST_FIRST}"
        )
        return self._connection.execute(query, (*few.values, *bounds.values, *plan.conditions.values)).fetchall()

    # --- choosing ---

    def _find_few(self, plan: _Plan) -> tuple[Sql | None, Sql | None]:
        """(the part of the query that the fewest pictures fit, where they are few; a quick test of prompts for a walk)."""
        lookups = [lookup for lookup in map(compile_lookup, plan.node.nodes) if lookup is not None]
        prompts, test = self._find_prompts(plan.node)
        if prompts is not None:
            lookups.append(prompts)
        counted = [(self._count(lookup), number) for number, lookup in enumerate(lookups)]
        count, number = min(counted, default=(_FEW_PICTURES + 1, 0))
        return (lookups[number] if count <= _FEW_PICTURES else None), test

    def _find_prompts(self, node: And) -> tuple[Sql | None, Sql | None]:
        """(pictures of the prompts that may fit, where those are few; else a test that leaves out most others)."""
        condition = compile_prompts(node)
        if condition is None:
            return None, None
        match = compile_match(node) if self._owed.has_grams() else None
        if match is None:
            candidates = Sql(f"SELECT id FROM prompts WHERE is_negative = 0 AND {condition.text}", condition.values)
        else:
            candidates = Sql(
                "SELECT rowid AS id FROM prompt_grams WHERE prompt_grams MATCH ?"
                f" UNION ALL SELECT id FROM prompts WHERE is_waiting = 1 AND {condition.text}", (match, *condition.values),
            )
        found = self._connection.execute(f"SELECT id FROM ({candidates.text}) LIMIT ?", (*candidates.values, _FEW_PROMPTS + 1)).fetchall()
        if len(found) > _FEW_PROMPTS:
            return None, Sql(f"pictures.prompt IN ({candidates.text})", candidates.values)
        ids = json.dumps([prompt for (prompt,) in found])
        return Sql("prompt IS NOT NULL AND prompt IN (SELECT value FROM json_each(?))", (ids,)), None

    def _count(self, lookup: Sql) -> int:
        query = f"SELECT count(*) FROM (SELECT 1 FROM pictures WHERE {lookup.text} LIMIT ?)"
        return int(self._connection.execute(query, (*lookup.values, _FEW_PICTURES + 1)).fetchone()[0])

    def _count_all(self) -> int:
        return int(self._connection.execute("SELECT count(*) FROM pictures").fetchone()[0])

    def _read(self, keys: list[Key]) -> list[Found]:
        ids = json.dumps([picture for _, picture in keys])
        query = f"{_FOUND} WHERE pictures.id IN (SELECT value FROM json_each(?))"
        rows = {row[0]: row[1:] for row in self._connection.execute(query, (ids,))}
        return [_build_found(rows[picture]) for _, picture in keys if picture in rows]


def _build_found(row: tuple) -> Found:
    found = Found(*row)
    return found if found.time else Found(*row[:5], None, *row[6:])


def _build_plan(node: And, viewer: str | None) -> _Plan:
    times = [compile_times(part) for part in node.nodes if isinstance(part, Dates)]
    others: tuple[Node, ...] = tuple(part for part in node.nodes if not isinstance(part, Dates))
    bounds = Sql(" AND ".join(part.text for part in times) or "1", tuple(value for part in times for value in part.values))
    asked, seen = compile_node(And(others)), compile_seen_pictures(viewer)
    conditions = asked if viewer is None else Sql(f"{asked.text} AND {seen.text}", (*asked.values, *seen.values))
    return _Plan(node, bounds, conditions, not node.nodes and viewer is None)


def _bounds(plan: _Plan, cursor: Key | None) -> Sql:
    if cursor is None:
        return plan.times
    time, picture = cursor
    return Sql(f"{plan.times.text} AND time <= ? AND (time < ? OR id < ?)", (*plan.times.values, time, time, picture))


def _format_cursor(key: Key) -> str:
    return f"{key[0]:.3f}_{key[1]}"  # times in the index have milliseconds


def _parse_cursor(text: str) -> Key:
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not a cursor: it is the `next` of the page before")
    return float(match.group(1)), int(match.group(2))
