"""What an operation of a plan changes, one thing at a time, for a person to read before it is done."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.reconcile.findings import Json

# What a change is: of the image file itself ...
SET_ASIDE, RESTORE, TEXT = "set-aside", "restore", "text"
# ... or of a record: the broken one set aside, a field as it will be, one more item of a list, fields of one item of a list.
RECORD_ASIDE, FIELD, ITEM, MERGED = "record-aside", "field", "item", "merged"


@dataclass(frozen=True)
class Change:
    """`file` is the record below the runs folder, None for the image file; `value` is what `field` will be.

    Of `RESTORE` it is the place of the copy, of `TEXT` the text; of `MERGED` the fields of the item that `item` names.
    `is_new`: the record has no file yet.
    """

    kind: str
    file: str | None = None
    field: str | None = None
    value: Any = None
    item: str | None = None
    is_new: bool = False


def iter_changes(writes: Json) -> Iterator[Change]:
    """In the order in which they are done, of an operation's `writes`. What a new record leaves empty is left out."""
    if writes.get("quarantine"):
        yield Change(SET_ASIDE)
    if writes.get("restore_from"):
        yield Change(RESTORE, value=writes["restore_from"])
    if "infotext" in writes:
        yield Change(TEXT, value=writes["infotext"])
    for edit in writes.get("json", ()):
        yield from _iter_edit(edit)


def find_field(document: Json | None, change: Change) -> Any:
    """What the record says now where `change` will write; None where that is nothing, or a list that gets one more."""
    if document is None or change.kind == ITEM:
        return None
    found = document.get(change.field or "")
    if change.kind != MERGED:
        return found
    items = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    item = next((item for item in items if change.item in (str(value) for value in item.values())), {})
    return {name: item.get(name) for name in change.value}


def _iter_edit(edit: Json) -> Iterator[Change]:
    file, is_new = edit["file"], edit.get("expects") is None
    if edit.get("quarantine"):
        yield Change(RECORD_ASIDE, file)
    for name, value in edit.get("document", {}).items():
        if value not in (None, [], {}, ""):
            yield Change(FIELD, file, name, value, is_new=is_new)
    for name, value in edit.get("set", {}).items():
        yield Change(FIELD, file, name, value)
    for name, items in edit.get("append", {}).items():
        yield Change(ITEM, file, name, items)
    for name, merged in edit.get("merge", {}).items():
        for item in merged["items"]:
            yield Change(MERGED, file, name, item, str(item[merged["by"]]))
