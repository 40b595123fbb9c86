"""`queue.json` of a runs folder: read and changed by several processes, one at a time."""

from __future__ import annotations

from typing import Callable, NamedTuple

from lib_sdpipe.errors import RecordError
from lib_sdpipe.manifest.codec import format_json, parse_json_object
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.records import QUEUE_SCHEMA, Job, Queue
from lib_sdpipe.pydantic_v1 import ValidationError
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.document import MADE_ANEW, parse_document, read_bounded
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of

# Bytes: a thousand jobs of many prompts each.
_LIMIT = 256 << 20


class _Known(NamedTuple):
    """What some bytes say; `raw` are the jobs as they stand there."""

    data: bytes
    queue: Queue
    raw: list[Json]


# What was read or written last: a page looks every second, and reading hundreds of jobs takes a hundred times as long as their bytes.
_last: _Known | None = None


def read_queue(layout: Layout) -> Queue:
    """An empty one where there is none yet; nobody changes what is in it. Raises RecordError, NewerSchemaError."""
    return _read(layout).queue


def change_queue(layout: Layout, change: Callable[[Queue], Queue]) -> Queue:
    """Read, change and write it while nobody else does; what it is then. Raises RecordError, LockedError, OSError, what `change` raises."""
    global _last
    place_of(layout).ensure()
    with hold_lock(layout.locks / "queue"):
        before = _read(layout)
        after = change(before.queue)
        if after is before.queue:
            return after
        as_read = {id(job): (job, raw) for job, raw in zip(before.queue.jobs, before.raw)}
        pairs = [as_read.get(id(job)) or _read_anew(job) for job in after.jobs]
        jobs, raw = [job for job, _ in pairs], [raw for _, raw in pairs]
        data = format_json({**after.copy(update={"jobs": []}).to_json(), "jobs": raw})
        write_atomic(layout.queue_file, data)
        known = _last = _Known(data, after.copy(update={"jobs": jobs}), raw)
    return known.queue


def _read_anew(job: Job) -> tuple[Job, Json]:
    """As it will be read: what was put into it may be plain JSON where a reader has records."""
    raw = parse_json_object(format_json(job.to_json()), job.id or "job")
    return Job.parse_obj(raw), raw


def _read(layout: Layout) -> _Known:
    global _last
    path = layout.queue_file
    data, last = read_bounded(path, _LIMIT, "no queue is"), _last
    if data is None:
        return _Known(b"", Queue(), [])
    if last is not None and data == last.data:
        return last
    document = parse_document(data, path, QUEUE_SCHEMA)
    if document.get("schema") != QUEUE_SCHEMA:
        raise RecordError(f"{path}: no queue of schema {QUEUE_SCHEMA!r}; {MADE_ANEW}")
    try:
        queue = Queue.parse_obj(document)
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RecordError(f"{path}: {place}: {first['msg']}; mend it, or {MADE_ANEW}") from fault
    known = _last = _Known(data, queue, document.get("jobs") or [])
    return known
