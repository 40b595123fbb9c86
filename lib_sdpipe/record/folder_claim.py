"""Making a run's folder without making the generating thread wait for a disk that is asleep."""

from __future__ import annotations

import threading
from typing import Callable


class FolderClaim:
    """Makes a folder on a thread of its own; one that comes too late is removed again."""

    def __init__(self, make: Callable[[], str], unmake: Callable[[str], None], report: Callable[[BaseException], None]) -> None:
        self._make, self._unmake, self.report = make, unmake, report
        self._lock = threading.Lock()
        self._run_id: str | None = None
        self._given_up = False

    def wait(self, seconds: float) -> str | None:
        thread = threading.Thread(target=self._run, name="SDPipe run folder", daemon=True)
        thread.start()
        thread.join(seconds)
        with self._lock:
            self._given_up = True
            return self._run_id

    def _run(self) -> None:
        try:
            run_id = self._make()
            with self._lock:
                if not self._given_up:
                    self._run_id = run_id
                    return
            self._unmake(run_id)
        except OSError as fault:
            self.report(fault)
