"""What the tab and the API are told of the place they are shown in, where that is no WebUI."""

from __future__ import annotations

from typing import Any

from pathlib import Path

from lib_sdpipe.conduct.conductor import Conductor
from lib_sdpipe.pipeline.port import HostFacts
from lib_sdpipe.store.layout import Layout


class StandaloneHost:
    """One library and the users who may see it; nothing records here."""

    def __init__(self, layout: Layout, users: dict[str, str] | None = None) -> None:
        """`users` are names and passwords, None for an open page."""
        self._layout = layout
        self._users = users

    def layout(self) -> Layout:
        return self._layout

    def records(self) -> bool:
        return False

    def fault(self) -> str | None:
        return None

    def is_paused(self) -> bool:
        return False

    def set_paused(self, paused: bool) -> str | None:
        return "Nothing is recorded here: pictures are recorded in a WebUI."

    def credentials(self) -> dict[str, str] | None:
        return self._users

    def asks_at_page(self) -> bool:
        return self._users is not None

    def hides_folders(self) -> bool:
        return False

    def shows_own_runs_only(self) -> bool:
        return False

    def send_targets(self) -> tuple[str, ...]:
        return ()

    def connect_send_button(self, target: str, button: Any, image: Any, text: Any) -> None:
        """There is no tab to send to."""

    def conductor(self) -> Conductor | None:
        """The queue can be looked at and added to; a WebUI that uses this runs folder works it off."""
        return None

    def host_facts(self) -> HostFacts | None:
        return None

    def can_open_folders(self) -> bool:
        """The page may be anybody's who knows its port, also on another computer: nothing is started for it."""
        return False

    def open_folder(self, folder: Path) -> str | None:
        return f"The folder is {folder}"
