"""What the HTTP API needs to know of the WebUI: its library, its queue, and whom its own API and page let in."""

from __future__ import annotations

from modules import shared

from lib_sdpipe.conduct.conductor import Conductor
from lib_sdpipe.hosts import settings
from lib_sdpipe.pipeline.port import HostFacts, HostPort
from lib_sdpipe.store.layout import Layout, find_layout


class WebUIApiHost:
    def __init__(self, port: HostPort, conductor: Conductor) -> None:
        self._port = port
        self._conductor = conductor

    def layout(self) -> Layout:
        return find_layout(settings.runs_folder(), settings.cache_folder())

    def credentials(self) -> dict[str, str] | None:
        """`--api-auth user:password,...`, taken apart as the hosts do; None without that flag."""
        flag = getattr(shared.cmd_opts, "api_auth", None)
        if not flag:
            return None
        return {user: password for user, colon, password in (pair.partition(":") for pair in flag.split(",")) if colon}

    def asks_at_page(self) -> bool:
        return any(getattr(shared.cmd_opts, name, None) for name in ("gradio_auth", "gradio_auth_path"))

    def hides_folders(self) -> bool:
        return settings.hides_folders()

    def shows_own_runs_only(self) -> bool:
        return settings.shows_own_runs_only()

    def conductor(self) -> Conductor | None:
        return self._conductor

    def host_facts(self) -> HostFacts | None:
        return self._port.facts()
