"""Searching pictures: a page of what a query asks for, newest first (docs/search.md).

What fits is read from the newest on (most queries fill a page at once), else from whichever part of the query fits the
fewest pictures, else from a walk through a narrow index of all. All three give the same answer.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.choosing import Choosing
from lib_sdpipe.index.conditions import Sql, compile_node, compile_times
from lib_sdpipe.index.owed import Owed
from lib_sdpipe.index.query import And, Node, Not, Or, parse_query
from lib_sdpipe.index.query_terms import Dates, IsLost, Lately
from lib_sdpipe.index.sql_values import sql_integer, sql_text
from lib_sdpipe.index.viewer import compile_seen_pictures

# Beyond this many the total is no longer counted.
MOST_COUNTED = 1_000
# How many of the newest pictures are looked at first.
_GLANCE = 3_000
_CURSOR = re.compile(r"(-?\d{1,12}\.\d{3})_(\d{1,18})")
_NEWEST_FIRST, _OLDEST_FIRST = "ORDER BY time DESC, id DESC", "ORDER BY time, id"
_WALKED = (
    "id, time, prompt, negative_prompt, model, sampler, loras, stage, actual_seed, steps, cfg_scale, width, height, file, lost_at, role,"
    " run_id,"
    " name"
)
_FOUND = (
    "SELECT pictures.id, pictures.run_id, pictures.name, root, path, stage, time, prompts.text, actual_seed, names.text, file, role, width,"
    " height, bytes, lost_at IS NOT NULL, path IS NULL AND kept IS NULL, rating, ifnull(is_favourite, 0) FROM pictures"
    " LEFT JOIN prompts ON prompts.id = pictures.prompt LEFT JOIN names ON names.id = pictures.model"
    " LEFT JOIN marks ON marks.run_id = pictures.run_id AND marks.name = pictures.name"
)

_NOT_LOST = (IsLost(False),)

Key = tuple[float, int]


@dataclass(frozen=True)
class Found:
    """One picture of a search; `time` in seconds since 1970, None where unknown. `file` is the index's id of an unrecorded one."""

    run_id: str | None
    name: str | None
    root: str | None
    path: str | None
    stage: str | None
    time: float | None
    prompt: str | None
    actual_seed: int | None
    model: str | None
    file: int | None = None
    role: str | None = None
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    is_lost: bool = False
    is_unsaved: bool = False
    rating: int | None = None
    is_favourite: bool = False


@dataclass(frozen=True)
class FoundPage:
    """Some pictures, newest first. `total` is a lower bound unless `total_is_exact`; `next` is the cursor of the page after.

    `previous` is the cursor to give as `before` for the page of newer ones; None where these are the newest.
    """

    total: int
    total_is_exact: bool
    images: list[Found]
    next: str | None
    previous: str | None = None


@dataclass(frozen=True)
class _Place:
    """Where a page begins: pictures older than the key, or those newer, nearest first."""

    key: Key
    is_newer: bool = False


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
        self._choosing = Choosing(connection, self._owed)

    def complete(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Make what is owed: rows of files that no manifest names, the full-text index. `progress(done, total)`."""
        self._owed.pay(progress)

    def is_prepared(self) -> bool:
        """Whether the indexes that only a search needs are there: to make them takes a while in a large library."""
        return self._owed.has_indexes()

    def prepare(self) -> None:
        self._owed.ensure_indexes()

    def find(
        self, query: str, limit: int = 50, after: str | None = None, before: str | None = None, hides_lost: bool = False
    ) -> FoundPage:
        """The page after a cursor, or the page of newer ones before it; `hides_lost`: without those, unless the query asks for them.

        Raises QueryError, or UsageError for what is no cursor.
        """
        if not self.is_prepared():
            self.prepare()
        node = parse_query(sql_text(query) or "")
        if hides_lost:
            node = without_lost(node)
        plan = _build_plan(node, self._viewer)  # half a surrogate pair stands escaped in the index too
        cursor = _find_place(after, before)
        limit = max(limit, 1)
        if plan.is_empty:
            total, is_exact, keys = self._count_all(plan), True, self._glance(plan, cursor, limit + 1)
            if len(keys) <= limit and plan.conditions.text != "1":
                keys = self._walk(plan, None, cursor, limit + 1)
        else:
            total, is_exact, keys = self._find_keys(plan, cursor, limit + 1)
        has_more, keys = len(keys) > limit, keys[:limit]
        if cursor is not None and cursor.is_newer:
            keys = keys[::-1]
            return FoundPage(total, is_exact, self._read(keys), _format_cursor((keys or [cursor.key])[-1]),
                             _format_cursor(keys[0]) if has_more else None)
        previous = None if cursor is None else _format_cursor(keys[0]) if keys else after
        return FoundPage(total, is_exact, self._read(keys), _format_cursor(keys[-1]) if has_more else None, previous)

    def _find_keys(self, plan: _Plan, cursor: _Place | None, wanted: int) -> tuple[int, bool, list[Key]]:
        """(total, whether it is exact, the first keys after the cursor, or before it)."""
        most = max(MOST_COUNTED, wanted) + 1
        newest = self._glance(plan, None, most)
        if len(newest) < most:
            newest, has_all = self._find_all(plan, None, most)
            if has_all:
                return len(newest), True, _from_place(newest, cursor)[:wanted]
        if cursor is None:
            return most - 1, False, newest[:wanted]
        page = self._glance(plan, cursor, wanted)
        if len(page) < wanted:
            page = self._find_all(plan, cursor, wanted)[0][:wanted]
        return most - 1, False, page

    def _find_all(self, plan: _Plan, cursor: _Place | None, most: int) -> tuple[list[Key], bool]:
        """Keys after the cursor, `most` of them or all, and whether these are all."""
        few, prompts = self._choosing.find_few(plan.node)
        if few is not None:
            return self._few_keys(plan, few, cursor), True
        keys = self._walk(plan, prompts, cursor, most)
        return keys, len(keys) < most

    def find_file(self, file: int) -> Found | None:
        """The picture of an image file that no manifest names, by the index's id."""
        row = self._connection.execute(f"{_FOUND} WHERE pictures.file = ?", (sql_integer(file),)).fetchone()
        return _build_found(row[1:]) if row is not None else None

    def find_file_at(self, root: str, path: str) -> Found | None:
        """The same by its place."""
        query = f"{_FOUND} WHERE pictures.path = ? AND pictures.root = ? AND pictures.file IS NOT NULL"
        row = self._connection.execute(query, (sql_text(path), sql_text(root))).fetchone()
        return _build_found(row[1:]) if row is not None else None

    # --- three ways to the same keys ---

    def _glance(self, plan: _Plan, cursor: _Place | None, most: int) -> list[Key]:
        """Keys among the first pictures after the cursor; fewer than `most` does not mean that there are no more."""
        bounds = _bounds(plan, cursor)
        looked_at = most if plan.conditions.text == "1" else _GLANCE
        query = (
            f"SELECT time, id FROM (SELECT {_WALKED} FROM pictures INDEXED BY pictures_walk WHERE {bounds.text} {_order(cursor)} LIMIT ?)"
            f" AS pictures WHERE {plan.conditions.text} LIMIT ?"
        )
        return self._connection.execute(query, (*bounds.values, looked_at, *plan.conditions.values, most)).fetchall()

    def _walk(self, plan: _Plan, prompts: Sql | None, cursor: _Place | None, most: int) -> list[Key]:
        """The first keys after the cursor, however far they are."""
        bounds = _bounds(plan, cursor)
        prompts = prompts or Sql("1")
        query = (
            f"SELECT time, id FROM pictures INDEXED BY pictures_walk WHERE {bounds.text} AND {prompts.text}"
            f" AND {plan.conditions.text} {_order(cursor)} LIMIT ?"
        )
        values = (*bounds.values, *prompts.values, *plan.conditions.values, most)
        return self._connection.execute(query, values).fetchall()

    def _few_keys(self, plan: _Plan, few: Sql, cursor: _Place | None) -> list[Key]:
        """All keys after the cursor, by a part of the query that few pictures fit."""
        bounds = _bounds(plan, cursor)
        query = (  # CROSS JOIN is SQLite's word for this order and no other
            f"SELECT time, id FROM (SELECT id AS few FROM pictures WHERE {few.text}) CROSS JOIN pictures ON id = few"
            f" WHERE {bounds.text} AND {plan.conditions.text} {_order(cursor)}"
        )
        return self._connection.execute(query, (*few.values, *bounds.values, *plan.conditions.values)).fetchall()

    def _count_all(self, plan: _Plan) -> int:
        lost = "SELECT count(*) FROM pictures WHERE lost_at IS NOT NULL"
        query = "SELECT count(*) FROM pictures" if plan.conditions.text == "1" else f"SELECT (SELECT count(*) FROM pictures) - ({lost})"
        return int(self._connection.execute(query).fetchone()[0])

    def _read(self, keys: list[Key]) -> list[Found]:
        ids = json.dumps([picture for _, picture in keys])
        query = f"{_FOUND} WHERE pictures.id IN (SELECT value FROM json_each(?))"
        rows = {row[0]: row[1:] for row in self._connection.execute(query, (ids,))}
        return [_build_found(rows[picture]) for _, picture in keys if picture in rows]


def _build_found(row: tuple) -> Found:
    *facts, is_lost, is_unsaved, rating, is_favourite = row
    found = Found(*facts, bool(is_lost), bool(is_unsaved), rating, bool(is_favourite))
    return found if found.time else replace(found, time=None)


def _build_plan(node: And, viewer: str | None) -> _Plan:
    times = [compile_times(part) for part in node.nodes if isinstance(part, (Dates, Lately))]
    others: tuple[Node, ...] = tuple(part for part in node.nodes if not isinstance(part, (Dates, Lately)))
    bounds = Sql(" AND ".join(part.text for part in times) or "1", tuple(value for part in times for value in part.values))
    asked, seen = compile_node(And(others)), compile_seen_pictures(viewer)
    conditions = asked if viewer is None else Sql(f"{asked.text} AND {seen.text}", (*asked.values, *seen.values))
    return _Plan(node, bounds, conditions, node.nodes in ((), _NOT_LOST) and viewer is None)


def without_lost(node: And) -> And:
    """The query with what is lost left out, unless it says itself what it wants of that."""
    return node if _asks_for_lost(node) else And((*node.nodes, *_NOT_LOST))


def _asks_for_lost(node: Node) -> bool:
    if isinstance(node, Not):
        return _asks_for_lost(node.node)
    return any(map(_asks_for_lost, node.nodes)) if isinstance(node, (And, Or)) else isinstance(node, IsLost)


def _find_place(after: str | None, before: str | None) -> _Place | None:
    if before is not None:
        return _Place(_parse_cursor(before), is_newer=True)
    return _Place(_parse_cursor(after)) if after is not None else None


def _from_place(keys: list[Key], place: _Place | None) -> list[Key]:
    """Of all keys, newest first, those from the place on."""
    if place is None:
        return keys
    return [key for key in reversed(keys) if key > place.key] if place.is_newer else [key for key in keys if key < place.key]


def _order(place: _Place | None) -> str:
    return _OLDEST_FIRST if place is not None and place.is_newer else _NEWEST_FIRST


def _bounds(plan: _Plan, place: _Place | None) -> Sql:
    if place is None:
        return plan.times
    sign = ">" if place.is_newer else "<"
    time, picture = place.key
    condition = f"{plan.times.text} AND time {sign}= ? AND (time {sign} ? OR id {sign} ?)"
    return Sql(condition, (*plan.times.values, time, time, picture))


def build_cursor(seconds: float) -> str:
    """The cursor of the pictures older than a time; as `before` those of that time and newer."""
    return _format_cursor((seconds, 0))


def _format_cursor(key: Key) -> str:
    return f"{key[0]:.3f}_{key[1]}"  # times in the index have milliseconds


def _parse_cursor(text: str) -> Key:
    match = _CURSOR.fullmatch(text)
    if match is None:
        raise UsageError(f"{text!r} is not a cursor: it is the `next` of the page before")
    return float(match.group(1)), int(match.group(2))
