"""A lock that serves waiting threads in the order in which they came. Not re-entrant, like the host's."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any


class FIFOLock:
    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, blocking: bool = True) -> bool:
        with self._guard:
            if self._lock.acquire(False):
                return True
            if not blocking:
                return False
            turn = threading.Event()
            self._waiting.append(turn)
        turn.wait()
        return True

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # the lock passes on without becoming free
            else:
                self._lock.release()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: Any) -> None:
        self.release()
