"""Our turn at the host: its lock, task and state for one pass, its main thread, its Interrupt, its progress.

The host's lock is not re-entrant: nothing in here may be called by code that holds it, but `on_generating_thread`.
"""

from __future__ import annotations

import random
import string
import sys
import threading
import time
from contextlib import contextmanager
from typing import Any, Callable, Iterator

from modules import call_queue, progress, shared

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts.jobs import is_host_at_work
from lib_sdpipe.pipeline.port import PassProgress

# A request that fails before it begins leaves its task waiting for ever.
_LONGEST_PENDING_SECONDS = 2.0


class HostTurn:
    """One a process. A turn that waits is told from one that goes on: Interrupt must never hit somebody else's job."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._task: str | None = None
        self._goes_on = self._is_cancelled = False

    @contextmanager
    def take(self) -> Iterator[bool]:
        """Wait for the lock and begin a job as the host does; False where it was interrupted while it waited."""
        task = _build_task_id()
        with self._guard:
            self._task, self._is_cancelled = task, False
        progress.add_task_to_queue(task)
        try:
            with call_queue.queue_lock:
                try:
                    yield self._begin(task)
                finally:
                    self._end(task)
        finally:
            progress.pending_tasks.pop(task, None)
            with self._guard:
                self._task = None

    def is_wanted(self) -> bool:
        """Whether somebody generates or waits to; our own pass does not count."""
        with self._guard:
            own, goes_on = self._task, self._goes_on
        now = time.time()
        waiting = [at for task, at in list(progress.pending_tasks.items()) if task != own]
        if goes_on:
            return bool(_who_waits(call_queue.queue_lock)) or any(now - at < _LONGEST_PENDING_SECONDS for at in waiting)
        is_locked = _is_locked(call_queue.queue_lock)
        return is_locked or is_host_at_work() or any(now - at < _LONGEST_PENDING_SECONDS for at in waiting)

    def interrupt(self) -> None:
        """The host's Interrupt button, if it works for us now; a pass that still waits does not begin."""
        with self._guard:
            self._is_cancelled = self._task is not None
            if self._goes_on:
                shared.state.interrupt()

    def progress(self) -> PassProgress:
        with self._guard:
            if not self._goes_on:
                return PassProgress(0.0, "" if self._task is None else "Waiting for the host")
        return read_progress()

    def _begin(self, task: str) -> bool:
        with self._guard:
            shared.state.begin(job=task)
            progress.start_task(task)
            self._goes_on = True
            return not self._is_cancelled

    def _end(self, task: str) -> None:
        with self._guard:
            self._goes_on = False
        progress.finish_task(task)
        shared.state.end()  # it frees the device's memory, as after the host's own jobs
        shared.total_tqdm.clear()


def read_progress() -> PassProgress:
    """As the host's own bar: steps of this batch, batches of this pass; hires fix and ADetailer count as batches."""
    state = shared.state
    count, steps = max(state.job_count or 0, 1), state.sampling_steps or 0
    inside = min((state.sampling_step or 0) / steps, 1.0) if steps > 0 else 0.0
    share = min(((state.job_no or 0) + inside) / count, 1.0)
    text = state.textinfo if isinstance(getattr(state, "textinfo", None), str) else ""
    return PassProgress(share, text or (f"Step {min((state.sampling_step or 0) + 1, steps)} of {steps}" if steps else ""))


def read_cut() -> str | None:
    """Whether somebody has stopped what runs: the whole, this batch, or what was to come after this image."""
    state = shared.state
    if state.interrupted:
        return "interrupted"
    if getattr(state, "stopping_generation", False):
        return "stopped"
    return "skipped" if state.skipped else None


def on_generating_thread(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    """(what `work` returns, what it raised), run where the host generates: Forge, reForge and Classic keep a thread for it.

    Theirs loses the exception, or tells an older one: ours is carried in the result.
    """
    answer: list[tuple[Any, Exception | None]] = []

    def carry() -> None:
        try:
            answer.append((work(), None))
        except Exception as fault:  # whatever a host, a model or an extension raises is the outcome of the pass
            answer.append((None, fault))

    host: Any = sys.modules.get("modules_forge.main_thread")
    if host is None:
        carry()
    else:
        host.run_and_wait_result(carry)
    return answer[0] if answer else (None, SdPipeError("the host's main thread did not run the pass"))


def _build_task_id() -> str:
    return f"task(sdpipe-{''.join(random.choices(string.ascii_lowercase + string.digits, k=9))})"


def _is_locked(lock: Any) -> bool:
    return bool(getattr(lock, "_lock", lock).locked())


def _who_waits(lock: Any) -> Any:
    return getattr(lock, "_pending_threads", None)
