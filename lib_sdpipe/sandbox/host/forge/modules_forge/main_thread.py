"""Forge's queue of work for one thread. `run_and_wait_result` returns None where the work raised."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

last_exception: BaseException | None = None
_work: queue.Queue[Callable[[], None] | None] = queue.Queue()


def loop() -> None:
    """Work until `stop`; in the sandbox the thread is named MainThread, as hooks see it in Forge."""
    while (item := _work.get()) is not None:
        item()


def stop() -> None:
    _work.put(None)


def run_and_wait_result(func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    done = threading.Event()
    result: list[Any] = [None]

    def work() -> None:
        global last_exception
        try:
            result[0], last_exception = func(*args, **kwargs), None
        except Exception as error:
            last_exception = error
        done.set()

    _work.put(work)
    done.wait()
    return result[0]
