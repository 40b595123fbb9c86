"""The new bytes of one JSON file of ours. What a later version wrote is never touched; unknown fields and key order are kept."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from lib_sdpipe.errors import RecordError, RefusedError
from lib_sdpipe.manifest.codec import format_json, parse_json_object
from lib_sdpipe.reconcile.acts import Act, Content, Place, Stamp, pack_bytes
from lib_sdpipe.reconcile.plan_document import Edit, Merged
from lib_sdpipe.store.acts import PreparedAct

_FIRST_KEY = re.compile(rb'\s*\{(\s*)"')
_LATER_SCHEMA = re.compile(r"sdpipe\.[a-z]+/(?!1\Z)\d+")


def build_record(edit: Edit, old: bytes | None, what: str) -> bytes | None:
    """None where the file is only set aside. Raises RefusedError, RecordError, or what `format_json` raises."""
    found = _parse(old, what) if old is not None else None
    if found is not None and isinstance(schema := found.get("schema"), str) and _LATER_SCHEMA.fullmatch(schema):
        raise RefusedError(f"{what}: written by a later version ({schema})")
    if edit.is_whole:
        return format_json(edit.document) if edit.document is not None else None
    document = parse_json_object(old or b"", what)
    if not (edit.append or edit.merge or edit.set.keys() & document.keys()):
        added = _add_fields(old or b"", edit.set, what)
        if added is not None:
            return added
    document.update(edit.set)
    for name, items in edit.append.items():
        present = document.get(name)
        if present is not None and not isinstance(present, list):
            raise RefusedError(f"{what}: its {name} is no list")
        document[name] = [*(present or []), *items]
    for name, merged in edit.merge.items():
        if not isinstance(document.get(name), list):
            raise RefusedError(f"{what}: its {name} is no list")
        document[name] = [_merge(entry, merged) for entry in document[name]]
    return format_json(document)


def _add_fields(old: bytes, fields: dict[str, Any], what: str) -> bytes | None:
    """New fields at the end, every byte before them as another program wrote it; None where it cannot be done so simply."""
    begin, inside = _FIRST_KEY.match(old), old.rstrip().removesuffix(b"}").rstrip()
    if begin is None or not all(value is None or isinstance(value, (str, int)) for value in fields.values()):
        return None
    pairs = b"".join(b"," + begin.group(1) + f"{json.dumps(name)}: {json.dumps(value)}".encode("ascii") for name, value in fields.items())
    new = inside + pairs + old[len(inside):]
    expected = {**(_parse(old, what) or {}), **fields}
    return new if _parse(new, what) == expected else None


def is_edited(edit: Edit, data: bytes | None, what: str) -> bool:
    """Whether a file that is not as the plan expects it has what the edit would give it."""
    document = _parse(data, what) if data is not None else None
    if document is None or (edit.quarantine and edit.document is None):
        return False
    if edit.document is not None:
        return document == edit.document
    missing: Any = object()
    is_set = all(document.get(name, missing) == value for name, value in edit.set.items())
    lists = [(document.get(name), items) for name, items in edit.append.items()]
    is_appended = all(isinstance(present, list) and all(item in present for item in items) for present, items in lists)
    merges = [(document.get(name), merged) for name, merged in edit.merge.items()]
    return is_set and is_appended and all(
        isinstance(present, list) and all(_merge(entry, merged) == entry for entry in present) for present, merged in merges
    )


def _merge(entry: Any, merged: Merged) -> Any:
    for item in merged.items:
        if isinstance(entry, dict) and merged.by in entry and entry[merged.by] == item[merged.by]:
            entry = {**entry, **item}
    return entry


def write_act(place: Place, old: bytes | None, new: bytes, stamp: Stamp | None) -> PreparedAct:
    before = _content(old) if old is not None else None
    return PreparedAct(Act("write", place, before, _content(new), stamp, pack_bytes(old) if old is not None else None), new)


def _content(data: bytes) -> Content:
    return Content(len(data), hashlib.sha256(data).hexdigest())


def _parse(data: bytes, what: str) -> dict[str, Any] | None:
    try:
        return parse_json_object(data, what)
    except RecordError:
        return None
