"""Searching runs: a page of them, newest first, and of a query those that have an image which fits it.

What is asked of the run itself (status, day, run id) is asked of its row, so that a run without images is found by it, too.
A day is that on which the run began.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass

from lib_sdpipe.index.choosing import Choosing
from lib_sdpipe.index.conditions import Sql, compile_node, compile_run_node, join_conditions
from lib_sdpipe.index.culling import IS_CULLED_RUN
from lib_sdpipe.index.owed import Owed
from lib_sdpipe.index.query import And, Node, parse_query
from lib_sdpipe.index.query_terms import IsLost
from lib_sdpipe.index.search import without_lost
from lib_sdpipe.index.sql_values import sql_text
from lib_sdpipe.index.viewer import compile_seen_runs
from lib_sdpipe.manifest.records import STAGES

# How many of the newest runs are looked at first.
_GLANCE = 2_000
# How many pictures of a run are looked at for its thumbnails, stages and models.
_MOST_LOOKED_AT = 500
# Beyond this many the total is no longer counted.
_MOST_COUNTED = 500
_NOT_CULLED = f"NOT {IS_CULLED_RUN}"
_ROW = "run_id, label, status, source, started_at, finished_at, planned, returned, saved, problem"
_PICTURES = (
    "SELECT pictures.name, stage, role, path IS NULL AND kept IS NULL, names.text, lost_at IS NOT NULL FROM pictures"
    " LEFT JOIN names ON names.id = model WHERE run_id = ?"
)


@dataclass(frozen=True)
class FoundRun:
    """A run as a list shows it. `thumbnails` are names of images that stand for it, of a query those that fit.

    `recorded` counts its manifests, `fitting` those that fit the query's words for images, None without such words.
    """

    run_id: str
    label: str | None
    status: str | None
    source: str | None
    started_at: str | None
    finished_at: str | None
    planned: int | None
    returned: int | None
    saved: int | None
    problem: str | None
    recorded: int
    fitting: int | None
    stages: list[str]
    models: list[str]
    thumbnails: list[str]


@dataclass(frozen=True)
class FoundRuns:
    """Some runs, newest first. `total` is a lower bound unless exact; `next` goes into `after`, `previous` into `before`."""

    total: int
    total_is_exact: bool
    runs: list[FoundRun]
    next: str | None
    previous: str | None


@dataclass(frozen=True)
class _Plan:
    """`own` is asked of a run's row, `images` of one image of it; `node` is the latter as a tree, None where nothing is asked."""

    own: Sql
    images: Sql
    node: And | None


class RunSearch:
    """Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, viewer: str | None = None) -> None:
        """`viewer`: whose runs alone are found; None: everybody's."""
        self._connection, self._viewer = connection, viewer
        self._choosing = Choosing(connection, Owed(connection))

    def find(self, query: str, limit: int, after: str | None = None, before: str | None = None, thumbnails: int = 6) -> FoundRuns:
        """The runs older than `after`, a run id or the beginning of one, or the nearest ones newer than `before`. Raises QueryError."""
        plan = _build_plan(without_lost(parse_query(sql_text(query) or "")), self._viewer)
        total, is_exact = self._count(plan)
        is_newer, cursor = before is not None, sql_text(before if before is not None else after)
        found = self._find_ids(plan, _bounds(cursor, is_newer), is_newer, limit + 1)
        has_more, ids = len(found) > limit, found[:limit]
        if is_newer:
            ids = ids[::-1]
            following, previous = ids[-1] if ids else cursor, ids[0] if has_more else None
        else:
            following, previous = ids[-1] if has_more else None, None if cursor is None else ids[0] if ids else cursor
        return FoundRuns(total, is_exact, [self._read(run_id, plan, thumbnails) for run_id in ids], following, previous)

    def running(self) -> list[str]:
        """Runs that were at work when they were last looked at."""
        return [run_id for (run_id,) in self._connection.execute("SELECT run_id FROM runs WHERE status = 'running'")]

    def _count(self, plan: _Plan) -> tuple[int, bool]:
        if plan.node is None and plan.own.text == _NOT_CULLED:
            return self._count_all(), True
        found = len(self._find_ids(plan, Sql("1"), False, _MOST_COUNTED + 1))
        return min(found, _MOST_COUNTED), found <= _MOST_COUNTED

    def _count_all(self) -> int:
        """All but those of which every image is lost; runs that have a lost one are few."""
        culled = (
            "SELECT count(*) FROM (SELECT run_id FROM pictures WHERE lost_at IS NOT NULL AND run_id IS NOT NULL"
            " UNION SELECT run_id FROM runs WHERE json_extract(facts, '$.lost_at') IS NOT NULL)"
            f" CROSS JOIN runs USING (run_id) WHERE {IS_CULLED_RUN}"
        )
        return int(self._connection.execute(f"SELECT (SELECT count(*) FROM runs INDEXED BY runs_walk) - ({culled})").fetchone()[0])

    def _find_ids(self, plan: _Plan, bounds: Sql, is_newer: bool, most: int) -> list[str]:
        """Run ids from the bound on, by the first of three ways that gives enough: a glance, a part that fits few, a walk."""
        order = "run_id" if is_newer else "run_id DESC"
        own = join_conditions([bounds, plan.own])
        if plan.node is None:
            return self._ids(f"SELECT run_id FROM runs INDEXED BY runs_walk WHERE {own.text} ORDER BY {order}", own.values, most)
        test = self._has_fitting(plan.images)
        looked_at = f"SELECT run_id, status FROM runs INDEXED BY runs_walk WHERE {own.text} ORDER BY {order}"
        glanced = f"SELECT run_id FROM ({looked_at} LIMIT {_GLANCE}) AS runs WHERE {test.text}"
        found = self._ids(glanced, (*own.values, *test.values), most)
        if len(found) >= most:
            return found
        few, prompts = self._choosing.find_few(plan.node)
        if few is not None:
            inner = (
                f"SELECT DISTINCT pictures.run_id FROM (SELECT id AS few FROM pictures WHERE {few.text}) CROSS JOIN pictures ON id = few"
                f" WHERE pictures.run_id IS NOT NULL AND {plan.images.text}"
            )
            values = (*few.values, *plan.images.values, *own.values)
            fitting = f"SELECT run_id FROM ({inner}) AS found CROSS JOIN runs USING (run_id)"
            return self._ids(f"{fitting} WHERE {own.text} ORDER BY {order}", values, most)
        test = self._has_fitting(join_conditions([prompts, plan.images]) if prompts is not None else plan.images)
        return self._ids(f"SELECT run_id FROM ({looked_at}) AS runs WHERE {test.text}", (*own.values, *test.values), most)

    def _has_fitting(self, images: Sql) -> Sql:
        own = "pictures.run_id = runs.run_id"
        return Sql(f"EXISTS (SELECT 1 FROM pictures INDEXED BY pictures_name WHERE {own} AND {images.text})", images.values)

    def _ids(self, query: str, values: tuple, most: int) -> list[str]:
        return [run_id for (run_id,) in self._connection.execute(f"{query} LIMIT ?", (*values, most))]

    def _read(self, run_id: str, plan: _Plan, thumbnails: int) -> FoundRun:
        row = self._connection.execute(f"SELECT {_ROW} FROM runs WHERE run_id = ?", (run_id,)).fetchone()
        recorded = int(self._connection.execute("SELECT count(*) FROM pictures WHERE run_id = ?", (run_id,)).fetchone()[0])
        pictures = self._connection.execute(f"{_PICTURES} ORDER BY pictures.name LIMIT ?", (run_id, _MOST_LOOKED_AT)).fetchall()
        fitting, count = pictures, None
        if plan.node is not None:
            condition, values = plan.images.text, plan.images.values
            query = f"{_PICTURES} AND {condition} ORDER BY pictures.name LIMIT ?"
            fitting = self._connection.execute(query, (run_id, *values, _MOST_LOOKED_AT)).fetchall()
            query = f"SELECT count(*) FROM pictures WHERE run_id = ? AND {condition}"
            count = int(self._connection.execute(query, (run_id, *values)).fetchone()[0])
        stages = {stage for _, stage, *_ in pictures}
        models = dict.fromkeys(model for *_, model, _ in pictures if model)
        shown = [name for name, *_ in sorted(fitting, key=_rank)][:thumbnails]
        return FoundRun(*row, recorded, count, [stage for stage in STAGES if stage in stages], list(models), shown)


def _rank(picture: tuple) -> int:
    """Final images stand for a run before its grids, and those before its companions; what was never saved comes last."""
    _, stage, role, is_unsaved, _, is_lost = picture
    return 3 if is_unsaved or is_lost else 2 if role not in (None, "final") else int(stage == "grid")


def _build_plan(node: And, viewer: str | None) -> _Plan:
    """What is lost is asked of each: an image, and a run of which none is left."""
    own: list[Sql] = [compile_seen_runs(viewer)] if viewer is not None else []
    others: list[Node] = []
    lost: list[Node] = []
    for part in node.nodes:
        condition = compile_run_node(part)
        if part == IsLost(False):
            own.append(Sql(_NOT_CULLED))
            lost.append(part)
        elif condition is None:
            others.append(part)
        else:
            own.append(condition)
    images = And((*others, *lost)) if others else And(())
    return _Plan(join_conditions(own), compile_node(images), images if others else None)


def _bounds(cursor: str | None, is_newer: bool) -> Sql:
    return Sql("1") if cursor is None else Sql(f"runs.run_id {'>' if is_newer else '<'} ?", (cursor,))
