"""What apply, undo and purge share: one at a time for each library, and the form of their answer."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator

from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.machine import process_mark
from lib_sdpipe.store.place import place_of
from lib_sdpipe.store.way_back import now_text

# (what is being done, how many of it are done, of how many)
Progress = Callable[[str, int, int], None]


def no_progress(phase: str, done: int, total: int) -> None:
    pass


@dataclass
class RepairAnswer:
    """What became of the operations. `apply_id` is None where nothing was journaled."""

    plan_id: str | None
    apply_id: str | None = None
    done: int = 0
    skipped: int = 0
    failed: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    is_interrupted: bool = False
    started: float = field(default_factory=time.monotonic)

    def fail(self, op: str, reason: str) -> None:
        self.failed.append({"id": op, "reason": reason})

    def finished(self) -> "RepairAnswer":
        self.seconds = round(time.monotonic() - self.started, 3)
        return self

    def to_json(self) -> dict[str, Any]:
        return {"plan_id": self.plan_id, "done": self.done, "skipped": self.skipped, "failed": self.failed, "seconds": self.seconds}


@contextmanager
def hold_repairs(layout: Layout, verb: str) -> Iterator[None]:
    """Be the only one who repairs this library. Raises LockedError with who else is at it, UnreachableLibraryError."""
    place_of(layout).ensure(look=True)
    mark = process_mark()
    holder = f"`{verb}`, process {mark.pid} on {mark.machine or 'this computer'}, since {now_text()}"
    with hold_lock(layout.locks / "repair", wait_seconds=0.0, holder=holder):
        yield
