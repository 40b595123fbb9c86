"""Which task runs, which wait, which are done. `current_task` must be read as an attribute of this module."""

from __future__ import annotations

import random
import string
import time
from collections import OrderedDict
from typing import Any

from modules import shared

current_task: str | None = None
pending_tasks: OrderedDict[str, float] = OrderedDict()
finished_tasks: list[str | None] = []
recorded_results: list[tuple[str | None, Any]] = []
recorded_results_limit = 2


def reset() -> None:
    global current_task
    current_task = None
    pending_tasks.clear()
    finished_tasks.clear()
    recorded_results.clear()


def create_task_id(task_type: str) -> str:
    letters = random.choices(string.ascii_uppercase + string.digits, k=7)
    return f"task({task_type}-{''.join(letters)})"


def add_task_to_queue(id_job: str) -> None:
    pending_tasks[id_job] = time.time()


def start_task(id_task: str | None) -> None:
    global current_task
    current_task = id_task
    pending_tasks.pop(id_task, None)


def finish_task(id_task: str | None) -> None:
    global current_task
    if current_task == id_task:
        current_task = None
    finished_tasks.append(id_task)
    del finished_tasks[:-16]


def record_results(id_task: str | None, res: Any) -> None:
    recorded_results.append((id_task, res))
    del recorded_results[:-recorded_results_limit]


def fraction_done() -> float:
    state = shared.state
    if state.job_count <= 0:
        return 0.0
    steps = state.sampling_step / state.sampling_steps if state.sampling_steps > 0 else 0.0
    return min((state.job_no + steps) / state.job_count, 1.0)


def progress_of(id_task: str | None) -> dict[str, Any]:
    """The answer of /internal/progress."""
    active = id_task == current_task
    return {
        "active": active, "queued": id_task in pending_tasks, "completed": id_task in finished_tasks,
        "progress": fraction_done() if active else None, "eta": None, "live_preview": None, "id_live_preview": -1,
        "textinfo": shared.state.textinfo if active else "Waiting...",
    }
