"""Making a run's folder without making the generating thread wait for a disk that is asleep."""

from __future__ import annotations

import secrets
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Callable

from lib_sdpipe.manifest.names import build_run_id

if TYPE_CHECKING:
    from lib_sdpipe.record.desk import Desk

_WAIT_SECONDS = 0.25


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


def claim_run_folder(desk: Desk, label: str, report: Callable[[BaseException], None]) -> tuple[str, bool]:
    """A run id that is ours alone, and whether its folder is there: a disk that does not answer at once gets it later."""

    def unmake(run_id: str) -> None:
        desk.layout.run_folder(run_id).rmdir()
        desk.withdraw(run_id)

    run_id = FolderClaim(lambda: _make_folder(desk, label), unmake, report).wait(_WAIT_SECONDS)
    if run_id is not None:
        return run_id, True
    return f"{build_run_id(datetime.now(), label)}_{secrets.token_hex(4)}", False


def _make_folder(desk: Desk, label: str) -> str:
    now, attempt = datetime.now(), 1
    while True:
        run_id = build_run_id(now, label, attempt)
        if not desk.layout.run_folder(run_id).exists():
            desk.promise({"kind": "claim", "run_id": run_id})
            try:
                if desk.store.create_run_folder(run_id):
                    return run_id
            except BaseException:
                desk.withdraw(run_id)
                raise
            desk.withdraw(run_id)
        attempt += 1
