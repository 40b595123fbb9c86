"""Which part of a query to begin with: the one that the fewest pictures fit, where those are few."""

from __future__ import annotations

import json
import sqlite3

from lib_sdpipe.index.conditions import Sql, compile_lookup, compile_match, compile_prompts
from lib_sdpipe.index.owed import Owed
from lib_sdpipe.index.query import And

# How many prompts, and then pictures, a part of the query may fit to be read from.
_FEW_PROMPTS = 3_000
_FEW_PICTURES = 10_000


class Choosing:
    """Raises sqlite3.Error."""

    def __init__(self, connection: sqlite3.Connection, owed: Owed) -> None:
        self._connection = connection
        self._owed = owed

    def find_few(self, node: And) -> tuple[Sql | None, Sql | None]:
        """(the part of the query that the fewest pictures fit, where they are few; a quick test of prompts for a walk)."""
        lookups = [lookup for lookup in map(compile_lookup, node.nodes) if lookup is not None]
        prompts, test = self._find_prompts(node)
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
