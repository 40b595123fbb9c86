"""The thread that does the work the generating thread must not wait for. Keeps order; ends when there is nothing to do."""

from __future__ import annotations

import collections
import logging
import threading
import time
from typing import Callable

log = logging.getLogger("sdpipe")

_TICK_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 1.0
_MOST_DELAYED = 64


class Writer:
    """Runs tasks one after another on a daemon thread.

    While `yields_to` says that the host is at work a task waits up to a second: two Python threads at once slow each
    other down. `on_idle` is called between tasks and about ten times a second while it returns True; when it returns
    False and nothing is queued the thread ends, and the next task starts a new one.
    """

    def __init__(self, on_idle: Callable[[], bool], report: Callable[[BaseException], None], yields_to: Callable[[], bool]) -> None:
        self._on_idle = on_idle
        self._report = report
        self._yields_to = yields_to
        self._tasks: collections.deque[tuple[float, Callable[[], None]]] = collections.deque()
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._busy = False
        self._hurry = 0

    @property
    def backlog(self) -> int:
        """Tasks not begun."""
        return len(self._tasks)

    def submit(self, task: Callable[[], None], at_once: bool = False) -> None:
        """Queue a task; never waits for work. `at_once`: it does not let the host go first."""
        with self._changed:
            self._tasks.append((0.0 if at_once else time.monotonic(), task))
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="SDPipe writer", daemon=True)
                self._thread.start()

    def flush(self, timeout_seconds: float) -> bool:
        """Wait until everything queued so far is done; False if that takes longer. Not from the writer thread."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            self._hurry += 1
            try:
                while self._tasks or self._busy:
                    remaining = deadline - time.monotonic()
                    if remaining <= 0:
                        return False
                    self._changed.notify_all()
                    self._changed.wait(min(remaining, 0.1))
            finally:
                self._hurry -= 1
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._is_due():
                    self._changed.wait(_TICK_SECONDS)
                task = self._tasks.popleft()[1] if self._is_due() else None
                self._busy = task is not None
            self._attempt(task) if task is not None else None
            del task
            with self._changed:
                self._busy = False
                self._changed.notify_all()
            if not self._wants_more() and self._end():
                return

    def _is_due(self) -> bool:
        if not self._tasks:
            return False
        waited = time.monotonic() - self._tasks[0][0]
        return self._hurry > 0 or waited > _LONGEST_DELAY_SECONDS or len(self._tasks) > _MOST_DELAYED or not self._yields_to()

    def _wants_more(self) -> bool:
        try:
            return self._on_idle()
        except Exception as fault:  # a fault here must not end the thread: it is seen through `report`
            self._report(fault)
            return True

    def _attempt(self, task: Callable[[], None]) -> None:
        try:
            task()
        except Exception as fault:  # one task's fault must not stop the others: it is seen through `report`
            self._report(fault)

    def _end(self) -> bool:
        with self._changed:
            if self._tasks:
                return False
            self._thread = None
            return True
