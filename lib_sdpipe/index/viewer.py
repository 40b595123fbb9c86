"""Whose runs a query may tell of: with the setting "Each user sees own runs" a person's own, and those that are nobody's.

The one condition for that. A picture without a run, and a run whose run file cannot be read, may be anybody's: both are left out.
"""

from __future__ import annotations

from lib_sdpipe.index.conditions import Sql
from lib_sdpipe.index.sql_values import sql_text

_READABLE = "runs.problem IS NULL AND (runs.user IS NULL OR runs.user = ?)"


def compile_seen_runs(viewer: str | None) -> Sql:
    """The condition that a row of `runs` fulfils; everything for None, who is everybody."""
    return Sql("1") if viewer is None else Sql(f"({_READABLE})", (sql_text(viewer),))


def compile_seen_pictures(viewer: str | None, table: str = "pictures") -> Sql:
    """The condition that a row of `pictures` fulfils, or of another table that names runs."""
    if viewer is None:
        return Sql("1")
    return Sql(f"EXISTS (SELECT 1 FROM runs WHERE runs.run_id = {table}.run_id AND {_READABLE})", (sql_text(viewer),))
