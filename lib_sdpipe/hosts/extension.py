"""Attaching to a host and letting go: what scripts/sdpipe.py registers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from lib_sdpipe.conduct.conductor import Conductor
from lib_sdpipe.hosts import folders, sending, settings
from lib_sdpipe.hosts.api_host import WebUIApiHost
from lib_sdpipe.hosts.environment import forget_script_defaults
from lib_sdpipe.hosts.pass_wrapper import PassWrapper
from lib_sdpipe.hosts.pipeline_port import PipelinePort
from lib_sdpipe.hosts.session import Session
from lib_sdpipe.pipeline.port import HostFacts
from lib_sdpipe.store.layout import Layout, find_layout

# The state that outlives Reload UI: a job that runs meanwhile goes on being the same run.
_session: Session | None = None
_port: PipelinePort | None = None

_FLUSH_SECONDS = 5.0


class Extension:
    """What the host calls; made anew at every load of the script."""

    def __init__(self, session: Session, port: PipelinePort) -> None:
        self.session = session
        self.port = port
        self.tab_host = RunsTabHost(session)
        self.api_host = WebUIApiHost()
        self._wrapper = PassWrapper(session)

    def start(self, demo: Any, app: Any) -> None:
        """The page is up: open the library, so that what a killed process left is completed now."""
        forget_script_defaults()
        threading.Thread(target=self.session.open_library, name="SDPipe library", daemon=True).start()

    def detach(self) -> None:
        """Reload UI: finish what is queued and take the wrapper off; a pass that runs keeps the session."""
        self.session.recorder.flush(_FLUSH_SECONDS)
        self._wrapper.remove()


class RunsTabHost:
    """What the Runs tab needs to know of the host it is shown in."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def layout(self) -> Layout:
        return find_layout(settings.runs_folder(), settings.cache_folder())

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
        return self._session.conductor

    def host_facts(self) -> HostFacts | None:
        return self._session.port.facts() if self._session.port is not None else None

    def can_open_folders(self) -> bool:
        return folders.can_open_folders()

    def open_folder(self, folder: Path) -> str | None:
        return folders.open_folder(folder)


def attach() -> Extension:
    """Called when the script is loaded: the session of this process, with the host's main loop wrapped."""
    global _session, _port
    if _session is None or _port is None:
        _session = Session()
        _port = PipelinePort(_session)
    return Extension(_session, _port)
