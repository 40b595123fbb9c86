"""`queue.json` of a runs folder: read and changed by several processes, one at a time."""

from __future__ import annotations

from typing import Callable

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.pipeline.records import QUEUE_SCHEMA, Queue
from lib_sdpipe.pydantic_v1 import ValidationError
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.document import MADE_ANEW, read_document
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of

# Bytes: a thousand jobs of many prompts each.
_LIMIT = 256 << 20


def read_queue(layout: Layout) -> Queue:
    """An empty one where there is none yet. Raises RecordError, NewerSchemaError."""
    path = layout.queue_file
    document = read_document(path, QUEUE_SCHEMA, _LIMIT, "no queue is")
    if document is None:
        return Queue()
    if document.get("schema") != QUEUE_SCHEMA:
        raise RecordError(f"{path}: no queue of schema {QUEUE_SCHEMA!r}; {MADE_ANEW}")
    try:
        return Queue.parse_obj(document)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{path}: {place}: {first['msg']}; mend it, or {MADE_ANEW}") from fault


def change_queue(layout: Layout, change: Callable[[Queue], Queue]) -> Queue:
    """Read, change and write it while nobody else does; what it is then. Raises RecordError, LockedError, OSError, what `change` raises."""
    place_of(layout).ensure()
    with hold_lock(layout.locks / "queue"):
        before = read_queue(layout)
        after = change(before)
        if after is not before:
            write_atomic(layout.queue_file, format_json(after.to_json()))
    return after
