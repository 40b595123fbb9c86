"""A plan as a person reads it: each operation with what it changes, before and after."""

from __future__ import annotations

import json
from collections.abc import Iterator

from lib_sdpipe.cli.render import escape_text
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.changes import ITEM, RECORD_ASIDE, RESTORE, SET_ASIDE, TEXT, Change, iter_changes

_LONGEST = 100


def build_plan_text(plan: Json) -> list[str]:
    lines: list[str] = []
    for operation in plan["operations"]:
        place = f"{operation['root']}:{operation['path']}" if operation["root"] else operation["path"]
        lines.append(escape_text(f"{operation['id']}  {operation['op']}  {place}  ({operation['code']})"))
        lines += [escape_text(f"    {line}") for line in _iter_lines(operation["writes"])]
    return lines or ["Nothing to do."]


def _iter_lines(writes: Json) -> Iterator[str]:
    file = None
    for change in iter_changes(writes):
        if change.file is not None and change.file != file:
            file = change.file
            yield f"{file}:"
        yield from _describe(change)


def _describe(change: Change) -> list[str]:
    value = change.value
    if change.kind == SET_ASIDE:
        return ["- the file, to the quarantine"]
    if change.kind == RESTORE:
        return ["- the file as it is, to the quarantine", f"+ a copy of {value['path']}"]
    if change.kind == TEXT:
        return [f"+ text {_short(value)}"]
    if change.kind == RECORD_ASIDE:
        return ["  - the broken file, to the quarantine"]
    if change.kind == ITEM:
        return [f"  + {change.field}: one more, {_short(value)}"]
    return [f"  + {change.field}{f' of {change.item}' if change.item else ''}: {_short(value)}"]


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
