"""Asking a disk without waiting for one that is asleep: the work is done on another thread, the asker's patience is bounded."""

from __future__ import annotations

import errno
import queue
import threading
from typing import Callable, Generic, TypeVar

T = TypeVar("T")


class Request(Generic[T]):
    """One piece of work and its outcome."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        # A bare lock: the quickest way for one thread to wait for another, and this is waited for at every save.
        self._done = threading.Lock()
        self._done.acquire()
        self.fault: BaseException | None = None
        self._outcome: list[T] = []

    def do(self) -> None:
        try:
            self._outcome.append(self._work())
        except BaseException as fault:  # it belongs to the asker, who raises it
            self.fault = fault
        self._done.release()

    def wait(self, seconds: float) -> bool:
        """Whether it is done within that time; the outcome may be waited for again and again."""
        if not self._done.acquire(timeout=max(0.0, seconds)):
            return False
        self._done.release()
        return True

    def outcome(self) -> T:
        """Of work that is done. Raises what it raised."""
        if self.fault is not None:
            raise self.fault
        return self._outcome[0]


class DiskThread:
    """Does requests in order on a daemon thread, which begins with the first and ends with `stop`."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._requests: queue.SimpleQueue[Request[None] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._late: Request[None] | None = None

    def ask(self, work: Callable[[], None], seconds: float) -> None:
        """Have it done. Raises what it raises, or TimeoutError if that takes longer: then it is done later.

        While an earlier request is late nobody waits: a disk that sleeps costs one wait, not one a request.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        request = Request(work)
        self._requests.put(request)
        if self._late is not None and self._late.wait(0.0):
            self._late = None
        if self._late is not None or not request.wait(seconds):
            self._late = self._late or request
            raise TimeoutError(errno.ETIMEDOUT, f"the disk has not answered for {seconds:g} s")
        request.outcome()

    def stop(self) -> None:
        """End the thread once what was asked for so far is done."""
        if self._thread is not None:
            self._requests.put(None)
            self._thread = None

    def _run(self) -> None:
        while (request := self._requests.get()) is not None:
            request.do()


def ask_briefly(work: Callable[[], T], seconds: float, otherwise: T) -> T:
    """The outcome, or `otherwise` where the disk does not answer in time or answers with an error."""
    request = Request(work)
    threading.Thread(target=request.do, name="SDPipe disk", daemon=True).start()
    if not request.wait(seconds) or isinstance(request.fault, OSError):
        return otherwise
    return request.outcome()
