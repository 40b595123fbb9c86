"""marks.json of a run: it lies in the run's folder, so it goes where the run goes."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import RecordError, UnknownNameError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.marks import merge_marks, new_marks, parse_marks
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of

# Bytes: a thousand notes of the greatest length.
_LIMIT = 64 << 20


def read_marks(layout: Layout, run_id: str) -> Json:
    """The document; an empty one where nothing is marked. Raises UnknownNameError without that run, RecordError."""
    path = layout.marks_file(run_id)
    try:
        with open(path, "rb") as file:
            data = file.read(_LIMIT + 1)
    except FileNotFoundError as fault:
        if not path.parent.is_dir():
            raise UnknownNameError(f"there is no run {run_id} in {layout.runs}; the list of runs says which there are") from fault
        return new_marks()
    except OSError as fault:
        raise RecordError(f"{path}: {fault}") from fault
    if len(data) > _LIMIT:
        raise RecordError(f"{path}: larger than {_LIMIT >> 20} MB, which no marks are; move it aside and it is made anew")
    return parse_marks(data, str(path))


def write_marks(layout: Layout, run_id: str, changes: dict[str, Any], now: str) -> Json:
    """Change marks by manifest name (`merge_marks`); the document as it is then.

    Raises UnknownNameError for an image that the run does not have, UsageError, RecordError, LockedError, OSError.
    """
    layout.run_folder(run_id)
    place_of(layout).ensure()
    with hold_lock(layout.locks / "marks", holder="another change of marks"):
        known = read_marks(layout, run_id)
        document = merge_marks(known, changes, now)
        for name in document["marks"].keys() - known["marks"].keys():
            if not layout.manifest_file(run_id, name).is_file():
                raise UnknownNameError(f"run {run_id} has no manifest {name}")
        if document != known:
            write_atomic(layout.marks_file(run_id), format_json(document))
    return document
