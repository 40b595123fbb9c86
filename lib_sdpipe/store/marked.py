"""From marks.json of a run to the index: at a look, and at once where somebody has just marked an image."""

from __future__ import annotations

from lib_sdpipe.errors import LockedError, RecordError, UnknownNameError
from lib_sdpipe.index.index import Index, open_index
from lib_sdpipe.index.records import Stamp
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.marks import read_marks
from lib_sdpipe.store.scan import read_record_stamp


def take_marks(layout: Layout, *run_ids: str) -> bool:
    """Bring the index up to these runs' marks.json as they are now. False where another process is writing: the next look does it.

    Raises SdPipeError for an index that cannot be used.
    """
    try:
        found = [(run_id, read_record_stamp(layout.marks_file(run_id)), read_known_marks(layout, run_id)) for run_id in run_ids]
        with open_index(layout.index_places) as index, index.transaction():
            for run_id, stamp, marks in found:
                index.marks.replace(run_id, stamp, marks)
    except LockedError:
        return False
    return True


def take_scanned_marks(layout: Layout, index: Index, run_id: str, stamp: Stamp | None) -> None:
    """Within a transaction: what a look has found; `stamp` None where there are no marks any more."""
    index.marks.replace(run_id, stamp, read_known_marks(layout, run_id) if stamp is not None else {})


def read_known_marks(layout: Layout, run_id: str) -> dict[str, Json]:
    """A run's marks by manifest name; none where they cannot be read: they say nothing to the search then."""
    try:
        marks: dict[str, Json] = read_marks(layout, run_id)["marks"]
    except (RecordError, UnknownNameError):
        return {}
    return marks
