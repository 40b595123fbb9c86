"""Long work beside the page: a thread with a name, progress, a way to stop it, and a result that waits to be looked at.

It belongs to no page: whoever looks sees the same, after a reload too. While the host generates it goes slowly.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from dataclasses import dataclass
from typing import Any, Callable

from lib_sdpipe.errors import LockedError, SdPipeError
from lib_sdpipe.workspace.give_way import GiveWay

log = logging.getLogger("sdpipe")

RUNNING, STOPPING, DONE, STOPPED, FAILED = "running", "stopping", "done", "stopped", "failed"

_STOP_SECONDS = 3.0


class StopWork(Exception):
    """Raised in the work at its next step once somebody has asked it to end. It is no fault."""


@dataclass(frozen=True)
class Progress:
    """How far long work is; `total` is None where nobody knows."""

    phase: str = ""
    done: int = 0
    total: int | None = None


class LongWork:
    """One piece of it. Pages read it at any time; its own thread alone reports."""

    def __init__(self, name: str, user: str | None, is_host_busy: Callable[[], bool]) -> None:
        self.id = secrets.token_hex(8)
        self.name = name
        self.user = user
        self.progress = Progress()
        self.result: Any = None
        self.fault: str | None = None
        self._is_asked_to_stop = threading.Event()
        self._give_way = GiveWay(is_host_busy, self._is_asked_to_stop.wait)
        self._began = time.monotonic()
        self._ended: float | None = None
        self._outcome: str | None = None

    @property
    def state(self) -> str:
        return self._outcome or (STOPPING if self._is_asked_to_stop.is_set() else RUNNING)

    @property
    def is_running(self) -> bool:
        return self._outcome is None

    @property
    def seconds(self) -> float:
        """Since it began, or how long it took."""
        return (self._ended or time.monotonic()) - self._began

    # --- for pages ---

    def stop(self) -> None:
        """Ask it to end at its next step."""
        self._is_asked_to_stop.set()

    # --- for the work itself ---

    def should_stop(self) -> bool:
        """For work that ends by itself between two steps. It lets the host go first as `rest` does."""
        self._give_way()
        return self._is_asked_to_stop.is_set()

    def rest(self) -> None:
        """To be called between any two small steps, however often. Raises StopWork."""
        if self.should_stop():
            raise StopWork

    def report(self, phase: str, done: int, total: int | None = None) -> None:
        """Say how far it is, and `rest`. Raises StopWork."""
        self.note(phase, done, total)
        self.rest()

    def note(self, phase: str, done: int, total: int | None = None) -> None:
        """Say how far it is, no more: for work that asks `should_stop`."""
        self.progress = Progress(phase, done, total)

    def _run(self, work: Callable[[LongWork], Any]) -> None:
        outcome = FAILED
        try:
            self.result = work(self)
            outcome = DONE
        except StopWork:
            outcome = STOPPED
        except (SdPipeError, OSError) as fault:
            self.fault = str(fault)
        except Exception as fault:  # nobody waits for this thread: the page must learn that it ended, and why
            log.exception("%s ended by a fault", self.name)
            self.fault = f"This is a fault of SDPipe itself ({type(fault).__name__}: {fault}). The console has more about it."
        self._ended = time.monotonic()
        self._outcome = outcome


class Background:
    """All long work of one page server. `stop` ends it, on Reload UI."""

    def __init__(self, is_host_busy: Callable[[], bool] = lambda: False) -> None:
        self.is_host_busy = is_host_busy
        self._lock = threading.Lock()
        self._of_lane: dict[str, LongWork] = {}
        self._threads: dict[str, threading.Thread] = {}

    def start(self, lane: str, name: str, work: Callable[[LongWork], Any], user: str | None = None) -> LongWork:
        """Begin `work(long_work)`, whose answer becomes the result. One at a time in a lane, e.g. of one library.

        What ran in the lane before is forgotten. Raises LockedError while something runs there.
        """
        with self._lock:
            before = self._of_lane.get(lane)
            if before is not None and before.is_running:
                by = f" for {before.user}" if before.user and before.user != user else ""
                raise LockedError(f"{before.name} is running{by}; try again when it has ended, or stop it")
            begun = LongWork(name, user, self.is_host_busy)
            thread = threading.Thread(target=begun._run, args=(work,), name=f"SDPipe {name}", daemon=True)
            self._of_lane[lane], self._threads[lane] = begun, thread
            thread.start()
        return begun

    def find(self, lane: str) -> LongWork | None:
        """What runs in the lane, or ran there last."""
        return self._of_lane.get(lane)

    def forget(self, lane: str) -> None:
        """Let go of what has ended in a lane, with its result."""
        with self._lock:
            before = self._of_lane.get(lane)
            if before is not None and not before.is_running:
                del self._of_lane[lane], self._threads[lane]

    def stop(self, wait_seconds: float = _STOP_SECONDS) -> None:
        """Ask all of it to end, and wait a little: what does not hear ends with its next step."""
        with self._lock:
            works, threads = list(self._of_lane.values()), list(self._threads.values())
        for work in works:
            work.stop()
        until = time.monotonic() + wait_seconds
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
