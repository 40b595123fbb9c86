"""Records to JSON bytes and back: UTF-8, two-space indented, keys in schema order, unknown keys last."""

from __future__ import annotations

import json
import math
import re
from functools import partial
from typing import Any, Callable, Type, TypeVar

import orjson

from lib_sdpipe.errors import NewerSchemaError, RecordError
from lib_sdpipe.manifest.fitting import fits
from lib_sdpipe.manifest.loose_json import is_deep
from lib_sdpipe.manifest.records import MANIFEST_SCHEMA, RUN_SCHEMA, Manifest, Record, Run
from lib_sdpipe.manifest.upgrade import upgrade_manifest, upgrade_run
from lib_sdpipe.pydantic_v1 import ValidationError

R = TypeVar("R", bound=Record)
# Deeper JSON could be read, and would end in a RecursionError when it is written.
_DEPTH_LIMIT = 100


def format_json(document: Any) -> bytes:
    """JSON as every file of ours has it.

    A prompt may hold half a surrogate pair (it came in as an escape in somebody's request). UTF-8 cannot carry it,
    so such a document is written in ASCII with escapes rather than lost or changed; so is one with a giant integer.
    Raises TypeError or ValueError for what is no JSON.
    """
    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return (json.dumps(document, ensure_ascii=True, indent=2, allow_nan=False) + "\n").encode("ascii")


def format_answer(document: Any) -> bytes:
    """The same for what is said to a caller: NaN and Infinity, which are no JSON, are said as null."""
    try:
        return format_json(document)
    except ValueError:
        return format_json(_without_nan(document))


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return value


def parse_json_object(data: bytes, what: str) -> dict[str, Any]:
    """The JSON object in `data`; raises RecordError, naming `what`, if it is none.

    NaN and Infinity are no JSON, but Python programs write them: they are read as unknown, and so is a number beyond every float.
    """
    try:
        document = json.loads(data, parse_constant=lambda name: None, parse_float=_parse_fraction)
    except (ValueError, RecursionError) as fault:
        raise RecordError(f"{what}: not readable JSON ({fault})") from fault
    if _is_too_deep(data, document):
        raise RecordError(f"{what}: not readable JSON (nested more than {_DEPTH_LIMIT} levels deep)")
    if not isinstance(document, dict):
        raise RecordError(f"{what}: holds a JSON {type(document).__name__}, not an object")
    return document


def _parse_fraction(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _is_too_deep(data: bytes, document: Any) -> bool:
    return data.count(b"[") + data.count(b"{") > _DEPTH_LIMIT and is_deep(document, _DEPTH_LIMIT)


def parse_run(data: bytes, what: str) -> Run:
    """A run of any version; raises RecordError."""
    return _parse(parse_json_object(data, what), Run, RUN_SCHEMA, upgrade_run, what)


def parse_manifest(data: bytes, what: str, name: str | None = None) -> Manifest:
    """A manifest of any version, StableNew's included; an older one is called `name`, its file's. Raises RecordError."""
    return _parse(parse_json_object(data, what), Manifest, MANIFEST_SCHEMA, partial(upgrade_manifest, name=name), what)


def read_run_document(data: bytes, what: str) -> dict[str, Any]:
    """A run of any version as its JSON document, with the types that a record has; raises RecordError. Quick."""
    return _read_document(data, what, Run, RUN_SCHEMA, parse_run)


def read_manifest_document(data: bytes, what: str) -> dict[str, Any]:
    """The same of a manifest."""
    return _read_document(data, what, Manifest, MANIFEST_SCHEMA, parse_manifest)


def _read_document(data: bytes, what: str, kind: Type[R], schema: str, parse: Callable[[bytes, str], R]) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError:
        document = None  # half a surrogate pair, NaN: the other reader takes it, or says what is wrong
    if isinstance(document, dict) and document.get("schema") == schema and fits(document, kind) and not _is_too_deep(data, document):
        return document
    return parse(data, what).to_json()


def version_of(found: Any, schema: str) -> int:
    """The number in a schema of this kind; 0 where it is none."""
    kind, _, number = found.partition("/") if isinstance(found, str) else ("", "", "")
    return int(number) if kind == schema.partition("/")[0] and re.fullmatch("[0-9]{1,9}", number) else 0


def _parse(document: dict[str, Any], kind: Type[R], schema: str, upgrade: Any, what: str) -> R:
    found = document.get("schema")
    if found is None:
        document = upgrade(document)
    elif found != schema:
        if version_of(found, schema) > version_of(schema, schema):
            raise NewerSchemaError(f"{what}: schema is {found!r}, written by a later version of SDPipe; this one reads {schema!r}")
        raise RecordError(f"{what}: schema is {found!r}, this version reads {schema!r}")
    try:
        return kind.parse_obj(document)
    except OverflowError as fault:  # an integer of hundreds of digits where a fraction belongs
        raise RecordError(f"{what}: {fault}") from fault
    except ValidationError as fault:
        problems = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in fault.errors())
        raise RecordError(f"{what}: {problems}") from fault
