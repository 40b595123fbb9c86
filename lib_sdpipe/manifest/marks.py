"""marks.json: what a person thinks of a run's images. Pure: a document and changes to it in, a document out."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import NewerSchemaError, RecordError, UsageError
from lib_sdpipe.manifest.codec import parse_json_object, version_of
from lib_sdpipe.manifest.names import is_manifest_name
from lib_sdpipe.manifest.records import Json

MARKS_SCHEMA = "sdpipe.marks/1"
HIGHEST_RATING = 5
MOST_TAGS = 100
LONGEST_TAG = 100
LONGEST_NOTE = 10_000
# The fields of a mark that a person sets; `updated_at` is ours.
MARK_FIELDS = ("rating", "favourite", "tags", "note")
# Of a change only: single tags, so that two who add one each do not take away the other's.
TAG_CHANGES = ("add_tags", "remove_tags")


def new_marks() -> Json:
    return {"schema": MARKS_SCHEMA, "marks": {}}


def parse_marks(data: bytes, what: str) -> Json:
    """The document of a marks.json; what a later program added to it is kept. Raises RecordError."""
    document = parse_json_object(data, what)
    schema = document.get("schema")
    if version_of(schema, MARKS_SCHEMA) > version_of(MARKS_SCHEMA, MARKS_SCHEMA):
        raise NewerSchemaError(f"{what}: schema is {schema!r}, of a later version of SDPipe; this one reads {MARKS_SCHEMA!r}")
    marks = document.get("marks")
    if schema != MARKS_SCHEMA or not isinstance(marks, dict) or not all(isinstance(mark, dict) for mark in marks.values()):
        raise RecordError(f"{what}: no marks of schema {MARKS_SCHEMA!r}; move it aside and it is made anew")
    return document


def merge_marks(document: Json, changes: dict[str, Any], now: str) -> Json:
    """`document` with `changes` by manifest name: a field that is null is taken off, one that is not named stays as it was.

    `add_tags` and `remove_tags` change single tags. A name that is null, or is left without any field, loses its mark.
    Raises UsageError for what no mark can be.
    """
    marks = dict(document["marks"])
    for name, change in changes.items():
        if not is_manifest_name(name):
            raise UsageError(f"{name!r} is not a manifest name: they look like txt2img_001")
        mark = _merge_mark(marks.get(name, {}), change, name, now)
        if mark:
            marks[name] = mark
        else:
            marks.pop(name, None)
    return {**document, "marks": marks}


def _merge_mark(known: Json, change: Any, name: str, now: str) -> Json:
    if change is None:
        return {}
    if not isinstance(change, dict):
        raise UsageError(f"{name}: a mark is an object with {', '.join(MARK_FIELDS)}, or null")
    for field, value in change.items():
        if field not in (*MARK_FIELDS, *TAG_CHANGES):
            raise UsageError(f"{name}: a mark has no {field!r}; it has {', '.join(MARK_FIELDS)}")
        if value is not None and (problem := _problem(field, value)):
            raise UsageError(f"{name}: {field} is {problem}, or null")
    merged = {**known, **change}
    if not change.keys().isdisjoint(TAG_CHANGES):
        merged["tags"] = _merge_tags(merged.get("tags"), change) or None
        if merged["tags"] is not None and (problem := _problem("tags", merged["tags"])):
            raise UsageError(f"{name}: tags would no longer be {problem}")
    mark = {field: merged[field] for field in MARK_FIELDS if merged.get(field) is not None}
    rest = {field: value for field, value in known.items() if field not in (*MARK_FIELDS, "updated_at")}
    return {**mark, "updated_at": now, **rest} if mark or rest else {}


def _merge_tags(known: Any, change: Json) -> list[str]:
    """In the order of adding; a tag that is there already, in whatever capitals, is not added again."""
    removed = {tag.strip().casefold() for tag in change.get("remove_tags") or ()}
    tags = [tag for tag in (known if isinstance(known, list) else []) if isinstance(tag, str) and tag.strip().casefold() not in removed]
    there = {tag.strip().casefold() for tag in tags}
    for tag in (tag.strip() for tag in change.get("add_tags") or ()):
        if tag.casefold() not in there:
            tags.append(tag)
            there.add(tag.casefold())
    return tags


def _problem(field: str, value: Any) -> str | None:
    """What a field's value has to be, where it is not."""
    if field == "rating":
        is_rating = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST_RATING
        return None if is_rating else f"a whole number from 0 to {HIGHEST_RATING}"
    if field == "favourite":
        return None if isinstance(value, bool) else "true or false"
    if field == "note":
        return None if isinstance(value, str) and len(value) <= LONGEST_NOTE else f"text of at most {LONGEST_NOTE:,} characters"
    is_list = isinstance(value, list) and len(value) <= MOST_TAGS
    if is_list and all(isinstance(tag, str) and 0 < len(tag.strip()) and len(tag) <= LONGEST_TAG for tag in value):
        return None
    return f"a list of at most {MOST_TAGS} texts of 1 to {LONGEST_TAG} characters"
