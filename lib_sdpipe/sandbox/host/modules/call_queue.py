"""One generation at a time: the queue lock and the wrappers that the page puts around its handlers."""

from __future__ import annotations

import html
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from modules import errors, fifo_lock, progress, shared

queue_lock = fifo_lock.FIFOLock()


def wrap_queued_call(func: Callable[..., Any]) -> Callable[..., Any]:
    def locked(*args: Any, **kwargs: Any) -> Any:
        with queue_lock:
            return func(*args, **kwargs)

    return locked


def _task_id(args: tuple[Any, ...]) -> str | None:
    first = args[0] if args else None
    return first if isinstance(first, str) and first.startswith("task(") and first.endswith(")") else None


def wrap_gradio_gpu_call(func: Callable[..., Any], extra_outputs: list[Any] | None = None) -> Callable[..., Any]:
    """Queue the call as the task that its first argument names; the last value it returns must be HTML."""
    @wraps(func)
    def queued(*args: Any, **kwargs: Any) -> Any:
        id_task = _task_id(args)
        if id_task is not None:
            progress.add_task_to_queue(id_task)
        with queue_lock:
            shared.state.begin(job=id_task)
            progress.start_task(id_task)
            try:
                res = func(*args, **kwargs)
                progress.record_results(id_task, res)
            finally:
                progress.finish_task(id_task)
            shared.state.end()
        return res

    return wrap_gradio_call(queued, extra_outputs=extra_outputs, add_stats=True)


def wrap_gradio_call(func: Callable[..., Any], extra_outputs: list[Any] | None = None,
                     add_stats: bool = False) -> Callable[..., Any]:
    @wraps(func)
    def resetting(*args: Any, **kwargs: Any) -> Any:
        try:
            return func(*args, **kwargs)
        finally:
            # As in the host this happens after the lock was released, and can wipe the flags of the next job.
            state = shared.state
            state.skipped = state.interrupted = state.stopping_generation = False
            state.job_count, state.job = 0, ""

    return wrap_gradio_call_no_job(resetting, extra_outputs, add_stats)


def wrap_gradio_call_no_job(func: Callable[..., Any], extra_outputs: list[Any] | None = None,
                            add_stats: bool = False) -> Callable[..., Any]:
    @wraps(func)
    def answering(*args: Any, **kwargs: Any) -> tuple[Any, ...]:
        started = time.perf_counter()
        try:
            res = list(func(*args, **kwargs))
        except Exception as error:
            errors.report("Error completing request", exc_info=True)
            message = html.escape(f"{type(error).__name__}: {error}")
            res = [*([None, ""] if extra_outputs is None else extra_outputs), f"<div class='error'>{message}</div>"]
        if add_stats:
            seconds = time.perf_counter() - started
            res[-1] += f"<div class='performance'><p class='time'>Time taken: {seconds:.1f} sec.</p></div>"
        return tuple(res)

    return answering
