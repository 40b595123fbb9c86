"""What the host is doing now: job, progress and the three ways to stop."""

from __future__ import annotations

import datetime
import threading
import time
from typing import Any

from modules import devices


class State:
    """One object for the process; `begin` does not nest and clears every flag."""

    def __init__(self) -> None:
        self._command_given = threading.Event()
        self.reset()

    def reset(self) -> None:
        self.server_start = time.time()
        self.time_start: float | None = None
        self.job_timestamp = "0"
        self.job: str | None = ""
        self.job_no = self.job_count = 0
        self._server_command: str | None = None
        self._command_given.clear()
        self._clear_progress()

    def _clear_progress(self) -> None:
        self.skipped = self.interrupted = self.stopping_generation = False
        self.processing_has_refined_job_count = False
        self.sampling_step = self.sampling_steps = 0
        self.current_latent = self.current_image = None
        self.current_image_sampling_step = self.id_live_preview = 0
        self.textinfo: str | None = None

    def begin(self, job: str | None = "(unknown)") -> None:
        devices.torch_gc()
        self._clear_progress()
        self.time_start = time.time()
        self.job_count, self.job_no = -1, 0
        self.job_timestamp = datetime.datetime.now().strftime("%Y%m%d%H%M%S")
        self.job = job

    def end(self) -> None:
        self.job, self.job_count = "", 0
        devices.torch_gc()

    def nextjob(self) -> None:
        self.job_no += 1
        self.sampling_step = self.current_image_sampling_step = 0

    def skip(self) -> None:
        self.skipped = True

    def interrupt(self) -> None:
        self.interrupted = True

    def stop_generating(self) -> None:
        self.stopping_generation = True

    @property
    def server_command(self) -> str | None:
        return self._server_command

    @server_command.setter
    def server_command(self, value: str | None) -> None:
        self._server_command = value
        self._command_given.set()

    @property
    def need_restart(self) -> bool:
        return self.server_command == "restart"

    @need_restart.setter
    def need_restart(self, value: bool) -> None:
        if value:
            self.server_command = "restart"

    def wait_for_server_command(self, timeout: float | None = None) -> str | None:
        if not self._command_given.wait(timeout):
            return None
        self._command_given.clear()
        command, self._server_command = self._server_command, None
        return command

    def request_restart(self) -> None:
        """Reload UI. A running job only gets its flag set; nobody waits for it."""
        self.interrupt()
        self.server_command = "restart"

    def dict(self) -> dict[str, Any]:
        names = ("skipped", "interrupted", "stopping_generation", "job", "job_count", "job_timestamp", "job_no",
                 "sampling_step", "sampling_steps")
        return {name: getattr(self, name) for name in names}

    def set_current_image(self) -> None:
        pass

    def assign_current_image(self, image: Any) -> None:
        self.current_image = image
        self.id_live_preview += 1
