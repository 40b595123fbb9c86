"""The settings of an image's earlier stages, without what is not true of them. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from lib_sdpipe.manifest.records import StageEntry

_FIRST_PASS = "before-highres-fix"
# A request has one size: hires fix makes another of it, and of a parent's hires fix its entry does not tell which.
_OF_FIRST_PASS = ("width", "height")


def clear_sizes(entries: Sequence[StageEntry]) -> list[StageEntry]:
    """An entry that follows its own first pass says nothing of its size, which is not that of the first pass."""
    cleared = []
    for number, entry in enumerate(entries):
        before = entries[number - 1] if number else None
        if before is not None and before.role == _FIRST_PASS and (before.run_id, before.stage) == (entry.run_id, entry.stage):
            settings = {name: value for name, value in entry.settings.items() if name not in _OF_FIRST_PASS}
            entry = entry.copy(update={"settings": settings})
        cleared.append(entry)
    return cleared
