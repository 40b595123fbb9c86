"""A plan that was shown and waits to be applied: the same bytes for the page, for the file to download, and for `apply`."""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import weakref
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.plan import iter_plan_text

_SPOOLED_BYTES = 8 << 20


class KeptPlan:
    """`counts` are its operations by (code, operation). Any thread reads it; it goes when nobody holds it any more."""

    def __init__(self, plan: Json, operations: Iterable[Operation]) -> None:
        """`plan` as `build_plan` makes it of none."""
        self.plan_id: str = plan["plan_id"]
        self.created_at: str = plan["created_at"]
        self.counts: Counter[tuple[str, str]] = Counter()
        self._places: dict[tuple[str, str], array[int]] = {}
        self._lock = threading.Lock()
        self._file = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES)
        weakref.finalize(self, self._file.close)
        kinds: list[tuple[str, str]] = []
        for piece in iter_plan_text(plan, self._note_kinds(operations, kinds)):
            begin = self._file.tell()
            self._file.write(piece)
            if kinds:  # the head comes before the first operation, the end after the last
                self._places.setdefault(kinds.pop(), array("Q")).extend((begin, self._file.tell()))

    @property
    def operations(self) -> int:
        return sum(self.counts.values())

    def read(self, code: str, op: str, start: int, count: int) -> list[Json]:
        """Some of the operations of one kind, as they stand in the plan."""
        places = self._places.get((code, op), array("Q"))[2 * start : 2 * (start + count)]
        found = []
        with self._lock:
            for begin, end in zip(places[::2], places[1::2]):
                self._file.seek(begin)
                found.append(json.loads(self._file.read(end - begin).lstrip(b",\n ")))
        return found

    def read_document(self) -> Json:
        """The whole plan."""
        with self._lock:
            self._file.seek(0)
            document: Json = json.load(self._file)
        return document

    def write_to(self, path: Path) -> None:
        with self._lock, open(path, "wb") as file:
            self._file.seek(0)
            shutil.copyfileobj(self._file, file)

    def _note_kinds(self, operations: Iterable[Operation], kinds: list[tuple[str, str]]) -> Iterator[Operation]:
        for operation in operations:
            kinds.append((operation.code, operation.op))
            self.counts[operation.code, operation.op] += 1
            yield operation
