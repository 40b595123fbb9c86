"""From the tree of a search to SQL over `pictures`. Every value is bound; what a condition says is 1 or 0, never null."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from lib_sdpipe.index.folding import build_match
from lib_sdpipe.index.query import And, Node, Not, Or
from lib_sdpipe.index.query_terms import (
    Choice, Dates, InRun, IsFavourite, IsLost, IsRecorded, Lately, Named, Noted, Numbers, Size, Tagged, Word,
)

_NUMBER_COLUMNS = {"seed": "actual_seed", "steps": "steps", "cfg": "cfg_scale"}
# The kind of a name is also its column.
_NAMES = "SELECT names.id FROM names WHERE names.kind = ? AND "
_IN_NAME = "instr(names.folded, ?) > 0"
# A set of LoRAs is one name of a line each.
_IS_NAME = "instr(char(10) || names.folded || char(10), char(10) || ? || char(10)) > 0"
# The longest integer SQLite holds: what is asked beyond it is no seed of a picture.
_MOST = (1 << 63) - 1
_LAST_CHARACTER = "\U0010ffff"


@dataclass(frozen=True)
class Sql:
    text: str
    values: tuple[Any, ...] = ()


def compile_node(node: Node) -> Sql:
    """The condition that a row of `pictures` fulfils."""
    if isinstance(node, Not):
        inner = compile_node(node.node)
        return Sql(f"NOT {inner.text}", inner.values)
    if isinstance(node, (And, Or)):
        return join_conditions([compile_node(part) for part in _cheap_first(node.nodes)], " AND " if isinstance(node, And) else " OR ")
    if isinstance(node, Word):
        column = "negative_prompt" if node.is_negative else "prompt"
        return Sql(
            f"EXISTS (SELECT 1 FROM prompts WHERE prompts.id = pictures.{column}"
            " AND instr(ifnull(prompts.folded, prompts.text), ?) > 0)", (node.text,),
        )
    if isinstance(node, Named):
        return Sql(f"ifnull(pictures.{node.kind} IN ({_names(node)}), 0)", (node.kind, node.text))
    marks = _compile_marks(node)
    if marks is not None:
        table, condition = marks
        own = f"{table}.run_id = pictures.run_id AND {table}.name = pictures.name"
        found = Sql(f"EXISTS (SELECT 1 FROM {table} WHERE {own} AND {condition.text})", condition.values)
        return Sql(f"NOT {found.text}", found.values) if node == IsFavourite(False) else found
    return _compile_plain(node)


def compile_prompts(node: Node) -> Sql | None:
    """A condition on a row of `prompts` that every picture of the node's has; None where there is none."""
    if isinstance(node, Word):
        return None if node.is_negative else Sql("instr(ifnull(prompts.folded, prompts.text), ?) > 0", (node.text,))
    if isinstance(node, (And, Or)):
        parts = [part for part in map(compile_prompts, node.nodes) if part is not None]
        if parts and (isinstance(node, And) or len(parts) == len(node.nodes)):
            return join_conditions(parts, " AND " if isinstance(node, And) else " OR ")
    return None


def compile_match(node: Node) -> str | None:
    """The same as an FTS5 expression for the grams of a prompt."""
    if isinstance(node, Word):
        return None if node.is_negative else f"({build_match(node.text)})"
    if isinstance(node, (And, Or)):
        parts = [part for part in map(compile_match, node.nodes) if part is not None]
        if parts and (isinstance(node, And) or len(parts) == len(node.nodes)):
            return f"({(' AND ' if isinstance(node, And) else ' OR ').join(parts)})"
    return None


def compile_lookup(node: Node) -> Sql | None:
    """The node as a condition that an index of `pictures` answers by itself; None where none does."""
    if isinstance(node, Named):
        return Sql(f"{node.kind} IS NOT NULL AND {node.kind} IN ({_names(node)})", (node.kind, node.text))
    marks = _compile_marks(node)
    if marks is not None:
        table, condition = marks
        # CROSS JOIN: from the few that are marked to their pictures.
        ids = (
            f"SELECT marked.id FROM {table} CROSS JOIN pictures AS marked ON marked.run_id = {table}.run_id"
            f" AND marked.name = {table}.name WHERE {condition.text}"
        )
        return Sql(f"id IN ({ids})", condition.values) if node != IsFavourite(False) else None
    if isinstance(node, Numbers):
        column = _NUMBER_COLUMNS[node.field]
        bounds = _bounds(column, node)
        return Sql(f"{column} IS NOT NULL AND {bounds.text}", bounds.values)
    if isinstance(node, Size):
        return Sql("width IS NOT NULL AND width = ? AND height = ?", (node.width, node.height))
    if isinstance(node, Word) and node.is_negative:
        return Sql(
            "negative_prompt IS NOT NULL AND negative_prompt IN (SELECT prompts.id FROM prompts WHERE prompts.is_negative = 1"
            " AND instr(ifnull(prompts.folded, prompts.text), ?) > 0)", (node.text,),
        )
    if isinstance(node, InRun) and _is_beginning(node):
        return Sql("run_id IS NOT NULL AND run_id >= ? AND run_id < ?", _run_range(node))
    if isinstance(node, InRun):
        ids = "SELECT id FROM pictures INDEXED BY pictures_name WHERE run_id IS NOT NULL AND instr(lower(run_id), ?) > 0"
        return Sql(f"id IN ({ids})", (_ascii_lower(node.text),))
    if isinstance(node, Choice) and node.field == "stage":
        return Sql("stage IS NOT NULL AND stage = ?", (node.value,))
    if isinstance(node, Choice) and node.field == "status":
        return Sql("run_id IS NOT NULL AND run_id IN (SELECT runs.run_id FROM runs WHERE runs.status = ?)", (node.value,))
    if isinstance(node, IsRecorded) and not node.value:
        return Sql("file IS NOT NULL")
    if isinstance(node, IsLost) and node.value:
        return Sql("lost_at IS NOT NULL")
    return None


def compile_times(node: Dates | Lately) -> Sql:
    """The range of `time`, in this machine's time zone."""
    days = find_days(node)
    start, end = _seconds(days.start), _seconds(days.end)
    bounds = [Sql("time >= ?", (start,))] if start is not None else []
    bounds += [Sql("time < ?", (end,))] if end is not None else []
    return join_conditions(bounds, " AND ")


def compile_run_node(node: Node) -> Sql | None:
    """The condition that a row of `runs` fulfils; None where images must be asked. The day of a run is that of its id."""
    if isinstance(node, Not):
        inner = compile_run_node(node.node)
        return None if inner is None else Sql(f"NOT {inner.text}", inner.values)
    if isinstance(node, (And, Or)):
        parts = [compile_run_node(part) for part in node.nodes]
        known = [part for part in parts if part is not None]
        return join_conditions(known, " AND " if isinstance(node, And) else " OR ") if len(known) == len(parts) else None
    if isinstance(node, Choice) and node.field == "status":
        return Sql("runs.status IS ?", (node.value,))
    if isinstance(node, IsRecorded):  # every image of a run is
        return Sql("1" if node.value else "0")
    if isinstance(node, InRun):
        if _is_beginning(node):
            return Sql("(runs.run_id >= ? AND runs.run_id < ?)", _run_range(node))
        return Sql("instr(lower(runs.run_id), ?) > 0", (_ascii_lower(node.text),))
    if isinstance(node, (Dates, Lately)):
        days = find_days(node)
        bounds = [Sql(f"runs.run_id {sign} ?", (day.isoformat().replace("-", ""),))
                  for sign, day in ((">=", days.start), ("<", days.end)) if day is not None]
        return join_conditions(bounds)
    return None


def find_days(node: Dates | Lately) -> Dates:
    """The days of this machine's calendar that a term means now."""
    if isinstance(node, Dates):
        return node
    today = date.today()
    tomorrow = today + timedelta(days=1)
    starts = {"week": today - timedelta(days=today.weekday()), "month": today.replace(day=1), "year": today.replace(month=1, day=1)}
    if node.word == "yesterday":
        return Dates(today - timedelta(days=1), today)
    return Dates(starts.get(node.word, today), tomorrow)


def _compile_marks(node: Node) -> tuple[str, Sql] | None:
    """(the table, its condition) of a term that asks for the user's marks; of `favourite:no` what is to be denied."""
    if isinstance(node, Numbers) and node.field == "rating":
        return "marks", Sql(f"marks.rating IS NOT NULL AND {(bounds := _bounds('marks.rating', node)).text}", bounds.values)
    if isinstance(node, IsFavourite):
        return "marks", Sql("marks.is_favourite = 1")
    if isinstance(node, Noted):
        return "marks", Sql("marks.note IS NOT NULL AND instr(marks.note, ?) > 0", (node.text,))
    if isinstance(node, Tagged):
        return "tags", Sql("tags.folded = ?" if node.is_whole else "instr(tags.folded, ?) > 0", (node.text,))
    return None


def _names(node: Named) -> str:
    return _NAMES + (_IS_NAME if node.is_whole else _IN_NAME)


def _compile_plain(node: Node) -> Sql:
    """Terms that the row itself answers."""
    if isinstance(node, Numbers):
        bounds = _bounds(f"pictures.{_NUMBER_COLUMNS[node.field]}", node)
        return Sql(f"ifnull({bounds.text}, 0)", bounds.values)
    if isinstance(node, Size):
        return Sql("ifnull(pictures.width = ? AND pictures.height = ?, 0)", (node.width, node.height))
    if isinstance(node, (Dates, Lately)):
        return compile_times(node)
    if isinstance(node, IsLost):
        return Sql(f"pictures.lost_at IS {'NOT ' if node.value else ''}NULL")
    if isinstance(node, IsRecorded):
        return Sql("pictures.file IS NULL" if node.value else "pictures.file IS NOT NULL")
    if isinstance(node, InRun):
        if _is_beginning(node):
            return Sql("ifnull(pictures.run_id >= ? AND pictures.run_id < ?, 0)", _run_range(node))
        return Sql("ifnull(instr(lower(pictures.run_id), ?) > 0, 0)", (_ascii_lower(node.text),))
    assert isinstance(node, Choice)
    if node.field == "role":
        return Sql("ifnull(pictures.role, 'final') = ?", (node.value,))
    if node.field == "stage":
        return Sql("pictures.stage IS ?", (node.value,))
    return Sql("EXISTS (SELECT 1 FROM runs WHERE runs.run_id = pictures.run_id AND runs.status = ?)", (node.value,))


def _bounds(column: str, node: Numbers) -> Sql:
    if node.low is not None and node.low == node.high:
        return Sql(f"{column} = ?", (node.low,)) if abs(node.low) <= _MOST else Sql("0")
    parts = []
    if node.low is not None:
        parts.append(Sql(f"{column} {'>=' if node.with_low else '>'} ?", (_within_sql(node.low),)))
    if node.high is not None:
        parts.append(Sql(f"{column} {'<=' if node.with_high else '<'} ?", (_within_sql(node.high),)))
    return join_conditions(parts, " AND ")


def _within_sql(number: float) -> float:
    return max(-_MOST, min(_MOST, number))


def _is_beginning(node: InRun) -> bool:
    """A run id begins with its date; another part of it may stand anywhere."""
    return node.text[:4].isdigit() and node.text[:4].isascii()


def _run_range(node: InRun) -> tuple[str, str]:
    return node.text, node.text + _LAST_CHARACTER


def _ascii_lower(text: str) -> str:
    """As SQLite's `lower` does it."""
    return "".join(c.lower() if c.isascii() else c for c in text)


def _seconds(day: date | None) -> float | None:
    try:
        return None if day is None else datetime(day.year, day.month, day.day).timestamp()
    except (ValueError, OverflowError, OSError):  # before or after what the platform's clock knows: no bound
        return None


def join_conditions(parts: list[Sql], word: str = " AND ") -> Sql:
    """All of them, or with another `word` any; of none everything."""
    if not parts:
        return Sql("1")
    return Sql(f"({word.join(part.text for part in parts)})", tuple(value for part in parts for value in part.values))


def _cheap_first(nodes: tuple[Node, ...]) -> list[Node]:
    """What the row answers before what another table must be asked for; texts last."""
    return sorted(nodes, key=lambda node: 2 if isinstance(node, (Word, Not, Or)) else 1 if isinstance(node, Named) else 0)
