"""A plan as a person reads it: each operation with what it changes, before and after."""

from __future__ import annotations

import json

from lib_sdpipe.cli.render import escape_text
from lib_sdpipe.manifest.records import Json

_LONGEST = 100


def build_plan_text(plan: Json) -> list[str]:
    lines: list[str] = []
    for operation in plan["operations"]:
        place = f"{operation['root']}:{operation['path']}" if operation["root"] else operation["path"]
        lines.append(escape_text(f"{operation['id']}  {operation['op']}  {place}  ({operation['code']})"))
        lines += [escape_text(f"    {line}") for line in _iter_changes(operation["writes"], operation["expects"])]
    return lines or ["Nothing to do."]


def _iter_changes(writes: Json, expects: Json | None) -> list[str]:
    lines = []
    if writes.get("quarantine"):
        lines.append("- the file, to the quarantine")
    if writes.get("restore_from"):
        lines += ["- the file as it is, to the quarantine", f"+ a copy of {writes['restore_from']['path']}"]
    if "infotext" in writes:
        lines.append(f"+ text {_short(writes['infotext'])}")
    for edit in writes.get("json", ()):
        lines.append(f"{edit['file']}:")
        if edit.get("quarantine"):
            lines.append("  - the broken file, to the quarantine")
        if "document" in edit:
            lines += [f"  + {key}: {_short(value)}" for key, value in edit["document"].items() if value not in (None, [], {}, "")]
        lines += [f"  + {key}: {_short(value)}" for key, value in edit.get("set", {}).items()]
        lines += [f"  + {key}: one more, {_short(items)}" for key, items in edit.get("append", {}).items()]
        for key, merged in edit.get("merge", {}).items():
            lines += [f"  + {key} of {item[merged['by']]}: {_short(item)}" for item in merged["items"]]
    return lines


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
