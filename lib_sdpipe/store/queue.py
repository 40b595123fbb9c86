"""`queue.json` of a runs folder: read and changed by several processes, one at a time."""

from __future__ import annotations

from typing import Callable

from lib_sdpipe.errors import NewerSchemaError, RecordError
from lib_sdpipe.manifest.codec import format_json, parse_json_object, version_of
from lib_sdpipe.pipeline.records import QUEUE_SCHEMA, Queue
from lib_sdpipe.pydantic_v1 import ValidationError
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of

# Bytes: a thousand jobs of many prompts each.
_LIMIT = 256 << 20


def read_queue(layout: Layout) -> Queue:
    """An empty one where there is none yet. Raises RecordError, NewerSchemaError."""
    path = layout.queue_file
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return Queue()
    except OSError as fault:
        raise RecordError(f"{path}: {fault}") from fault
    if len(data) > _LIMIT:
        raise RecordError(f"{path}: larger than {_LIMIT >> 20} MB, which no queue is; move it aside and it is made anew")
    document = parse_json_object(data, str(path))
    schema = document.get("schema")
    if version_of(schema, QUEUE_SCHEMA) > version_of(QUEUE_SCHEMA, QUEUE_SCHEMA):
        raise NewerSchemaError(f"{path}: schema is {schema!r}, of a later version of SDPipe; this one reads {QUEUE_SCHEMA!r}")
    if schema != QUEUE_SCHEMA:
        raise RecordError(f"{path}: no queue of schema {QUEUE_SCHEMA!r}; move it aside and it is made anew")
    try:
        return Queue.parse_obj(document)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{path}: {place}: {first['msg']}; mend it, or move it aside and it is made anew") from fault


def change_queue(layout: Layout, change: Callable[[Queue], Queue]) -> Queue:
    """Read, change and write it while nobody else does; what it is then. Raises RecordError, LockedError, OSError, what `change` raises."""
    place_of(layout).ensure()
    with hold_lock(layout.locks / "queue"):
        before = read_queue(layout)
        after = change(before)
        if after is not before:
            write_atomic(layout.queue_file, format_json(after.to_json()))
    return after
