"""Searches that lead from a chart to its images, in the language of `find` (docs/search.md). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from lib_sdpipe.manifest.records import STAGES

DAY, WEEK, MONTH, YEAR = "day", "week", "month", "year"
UNRECORDED, FINAL = "recorded:no", "role:final"


def narrow(query: str, *terms: str | None) -> str | None:
    """The query with more terms; None where one of them cannot be asked for."""
    if any(term is None for term in terms):
        return None
    return " ".join(part for part in (query.strip(), *terms) if part)


def ask_name(field: str, name: str | None) -> str | None:
    """Images of one checkpoint or sampler, by its whole name. The language has no way to write a quote within quotes."""
    return f'{field}:"={name}"' if name and '"' not in name else None


def ask_stage(stage: str | None) -> str | None:
    """What does not say its stage is left when all stages are left out."""
    if stage is None:
        return " ".join(f"-stage:{known}" for known in STAGES)
    return f"stage:{stage}" if stage in STAGES else None


def ask_roles(roles: Iterable[str]) -> str:
    """Images that were saved for one of these reasons."""
    return " OR ".join(f"role:{role}" for role in roles)


def ask_days(first: date, by: str) -> str:
    """The bucket that begins on a day."""
    if by == DAY:
        return f"date:{first:%Y-%m-%d}"
    if by == WEEK:
        return f"date:{first:%Y-%m-%d}..{first + timedelta(days=6):%Y-%m-%d}"
    return f"date:{first:%Y-%m}" if by == MONTH else f"date:{first:%Y}"


def ask_settings(stage: str | None, width: int | None, height: int | None, steps: int | None) -> str | None:
    """Images of one point: with a size that is known."""
    if not width or not height:
        return None
    return narrow("", ask_stage(stage), f"size:{width}x{height}", f"steps:{steps}" if steps is not None else "")
