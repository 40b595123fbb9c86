"""Attaching to a host and letting go: what scripts/sdpipe.py registers."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_sdpipe.conduct.conductor import Conductor
from lib_sdpipe.hosts import folders, sending, settings
from lib_sdpipe.hosts.api_host import WebUIApiHost
from lib_sdpipe.hosts.environment import forget_script_defaults
from lib_sdpipe.hosts.pass_wrapper import PassWrapper
from lib_sdpipe.hosts.pipeline_port import PipelinePort
from lib_sdpipe.hosts.session import Session
from lib_sdpipe.hosts.then_chain import ThenChain
from lib_sdpipe.pipeline.port import HostFacts
from lib_sdpipe.store.layout import Layout, find_layout

_FLUSH_SECONDS = 5.0
_RECOVERY_SECONDS = 60.0


@dataclass
class Process:
    """What outlives Reload UI: a job that runs meanwhile goes on being the same run, and so does the queue."""

    session: Session
    port: PipelinePort
    conductor: Conductor
    then: ThenChain
    is_up: bool = False


_process: Process | None = None


class Extension:
    """What the host calls; made anew at every load of the script."""

    def __init__(self, process: Process) -> None:
        self.session = process.session
        self.port = process.port
        self.tab_host = RunsTabHost(process)
        self.api_host = WebUIApiHost(process.port, process.conductor)
        self.then = process.then
        self._process = process
        self._wrapper = PassWrapper(process.session)

    def start(self, demo: Any, app: Any) -> None:
        """The page is up: open the library, so that what a killed process left is completed now."""
        forget_script_defaults()
        threading.Thread(target=self._open, name="SDPipe library", daemon=True).start()

    def _open(self) -> None:
        """First what a killed process left is completed, then its jobs go on."""
        self.session.open_library()
        self.session.recorder.flush(_RECOVERY_SECONDS)
        self._process.is_up = True
        self._process.conductor.start()

    def detach(self) -> None:
        """Reload UI: finish what is queued and take the wrapper off; a pass that runs keeps the session."""
        self._process.is_up = False
        self.session.recorder.flush(_FLUSH_SECONDS)
        self._wrapper.remove()


class RunsTabHost:
    """What the Runs tab needs to know of the host it is shown in."""

    def __init__(self, process: Process) -> None:
        self._session = process.session
        self._process = process

    def layout(self) -> Layout:
        return _layout()

    def records(self) -> bool:
        return True

    def shows_own_runs_only(self) -> bool:
        return settings.shows_own_runs_only()

    def fault(self) -> str | None:
        return self._session.recorder.fault

    def is_paused(self) -> bool:
        return settings.is_paused()

    def set_paused(self, paused: bool) -> str | None:
        return settings.set_paused(paused)

    def send_targets(self) -> tuple[str, ...]:
        return sending.find_targets()

    def connect_send_button(self, target: str, button: Any, image: Any, text: Any) -> None:
        sending.connect_button(target, button, image, text)

    def conductor(self) -> Conductor | None:
        return self._process.conductor

    def host_facts(self) -> HostFacts | None:
        return self._process.port.facts()

    def can_open_folders(self) -> bool:
        return folders.can_open_folders()

    def open_folder(self, folder: Path) -> str | None:
        return folders.open_folder(folder)


def attach() -> Extension:
    """Called when the script is loaded: what this process has already, with the host's main loop wrapped."""
    global _process
    if _process is None:
        session = Session()
        port = PipelinePort(session)
        _process = process = Process(session, port, Conductor(_layout, port, lambda: process.is_up), ThenChain(session, port))
    return Extension(_process)


def _layout() -> Layout:
    return find_layout(settings.runs_folder(), settings.cache_folder())
