"""A plan as before and after: each operation with what it changes in the records and which files it moves. Looks nothing up."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.changes import FIELD, ITEM, MERGED, RECORD_ASIDE, RESTORE, SET_ASIDE, TEXT, Change, find_field, iter_changes
from lib_sdpipe.ui import words
from lib_sdpipe.ui.repair.present import Slot, format_place
from lib_sdpipe.ui.words import Fact

_LONGEST = 300
_MOST_ROWS = 24
_ADOPTED_SHOWN = 6

ReadRecord = Callable[[str], "Json | None"]
"""Takes a record's file below the runs folder; None where it cannot be read."""


@dataclass(frozen=True)
class Row:
    """One thing that changes; `before` None where nothing was there, or nobody can say what."""

    what: str
    before: str | None
    after: str


@dataclass(frozen=True)
class OperationView:
    """`deeds` are what happens to files, in sentences; `rows` what changes in records, by file; `left` rows are not shown."""

    title: str
    facts: list[Fact]
    deeds: list[str]
    rows: list[tuple[str, list[Row]]]
    slots: list[Slot]
    left: int = 0


def present_operation(
    operation: Json, read_record: ReadRecord, hide: Callable[[str], str] = lambda text: text, undoes: bool = False
) -> OperationView:
    """`hide` takes out of a text what must not be shown: where folders are. `undoes`: it was done and is to be taken back."""
    if operation["op"] == "adopt":
        return _present_adoption(operation, undoes)
    changes = list(iter_changes(operation["writes"]))
    describe = _describe_way_back if undoes else _describe_deed
    deeds = [hide(deed) for change in changes if (deed := describe(change)) is not None]
    rows: dict[str, list[Row]] = {}
    records: dict[str, Json | None] = {}
    for change in changes:
        if change.file is None or change.kind == RECORD_ASIDE:
            continue
        if change.file not in records:
            records[change.file] = None if change.is_new or undoes else read_record(change.file)
        row = _present_back(change) if undoes else _present_change(change, records[change.file])
        if row is not None:
            rows.setdefault(change.file, []).append(row)
    shown, left = _cut(rows)
    place = hide(format_place(operation["root"], operation["path"]))
    return OperationView(place, [], deeds, shown, [] if undoes else _find_slots(operation), left)


def _describe_deed(change: Change) -> str | None:
    if change.kind == SET_ASIDE:
        return "The file is moved into the quarantine."
    if change.kind == RESTORE:
        copy = format_place(change.value.get("root"), change.value.get("path"))
        return f"The file is moved into the quarantine, and a copy of {copy} takes its place."
    if change.kind == TEXT:
        return "The recorded text is written into the file." if change.value else "The text is taken out of the file."
    if change.kind == RECORD_ASIDE:
        return f"The broken {change.file} is moved into the quarantine."
    return None


def _describe_way_back(change: Change) -> str | None:
    if change.kind == SET_ASIDE:
        return "The file comes back from the quarantine to where it was."
    if change.kind == RESTORE:
        return "The copy goes, and the file that it replaced comes back from the quarantine."
    if change.kind == TEXT:
        return "The file gets the text again that it had before."
    if change.kind == RECORD_ASIDE:
        return f"The broken {change.file} comes back from the quarantine."
    return None


def _present_back(change: Change) -> Row:
    what = f"{change.field} of {change.item}" if change.kind == MERGED else str(change.field)
    return Row(what, _short(change.value), "as it was before the repair")


def _present_change(change: Change, record: Json | None) -> Row | None:
    """None for a field that stays as it is."""
    before = find_field(record, change)
    if change.kind == MERGED:
        changed = {name: value for name, value in change.value.items() if not isinstance(before, dict) or before.get(name) != value}
        if not changed:
            return None
        was = {name: before.get(name) for name in changed} if isinstance(before, dict) else None
        return Row(f"{change.field} of {change.item}", _short(was) if was else None, _short(changed))
    if change.kind == ITEM:
        return Row(str(change.field), None, f"one more: {_short(change.value)}")
    if change.kind == FIELD and record is not None and before == change.value:
        return None
    if isinstance(before, dict) and isinstance(change.value, dict):
        names = [name for name in {**before, **change.value} if before.get(name) != change.value.get(name)]
        return Row(str(change.field), _short({n: before.get(n) for n in names}), _short({n: change.value.get(n) for n in names}))
    return Row(str(change.field), None if before is None else _short(before), _short(change.value))


def _present_adoption(operation: Json, undoes: bool) -> OperationView:
    documents = [edit.get("document", {}) for edit in operation["writes"].get("json", ())]
    manifests = [document for document in documents if "stage" in document]
    final = [manifest for manifest in manifests if manifest.get("role") == "final"] or manifests
    stages = Counter(words.format_stage(manifest.get("stage")) for manifest in manifests)
    first = final[0] if final else {}
    facts = [
        Fact("Images", words.format_count(len(manifests), "image")),
        Fact("Stages", ", ".join(f"{stage} {count}" if count > 1 else stage for stage, count in stages.items())),
        Fact("Made", words.format_moment(first.get("timestamp"))),
        Fact("Model", words.format_value(first.get("model"))),
        Fact("Prompt", _cut_text(words.format_value(first.get("prompt")))),
        Fact("Made from", words.format_value((first.get("parent") or {}).get("run_id"))),
    ]
    slots = [Slot(manifest.get("name") or "", manifest.get("root"), manifest.get("path")) for manifest in final[:_ADOPTED_SHOWN]]
    deeds = ["This run and its records go; the image files stay as they are."] if undoes else []
    return OperationView(str(operation["run_id"]), [fact for fact in facts if fact.value], deeds, [], slots)


def _find_slots(operation: Json) -> list[Slot]:
    root, path, writes = operation["root"], operation["path"], operation["writes"]
    if path is None or root == "runs" and path.endswith(".json"):
        return []
    slots = [] if operation["expects"] is None else [Slot("Now", root, path)]
    copy = writes.get("restore_from")
    return [*slots, *([Slot("Afterwards", copy.get("root"), copy.get("path"))] if copy else [])]


def _cut(rows: dict[str, list[Row]]) -> tuple[list[tuple[str, list[Row]]], int]:
    shown: list[tuple[str, list[Row]]] = []
    room = _MOST_ROWS
    for file, found in rows.items():
        if room > 0:
            shown.append((file, found[:room]))
            room -= len(found)
    return shown, max(0, -room)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else "nothing" if value is None else json.dumps(value, ensure_ascii=False)
    return _cut_text(text)


def _cut_text(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
