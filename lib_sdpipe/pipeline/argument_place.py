"""Where a script's recorded argument belongs in today's list of its arguments. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def find_place(labels: Sequence[str | None], label: Any, index: Any) -> int | None:
    """By its label where that says it, else by its number; None where it fits nowhere."""
    known_index = index if isinstance(index, int) and not isinstance(index, bool) and 0 <= index < len(labels) else None
    if not label:
        return known_index
    same = [place for place, one in enumerate(labels) if one == label]
    if known_index in same or not same:
        return known_index
    return same[0] if len(same) == 1 else None
