"""What the Runs tab needs to know of where it is shown: a WebUI, or a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from lib_sdpipe.conduct.conductor import Conductor
from lib_sdpipe.pipeline.port import HostFacts
from lib_sdpipe.store.layout import Layout


class TabHost(Protocol):
    def layout(self) -> Layout: ...

    def records(self) -> bool:
        """Whether runs are recorded where the tab is shown: only then can that be paused."""

    def shows_own_runs_only(self) -> bool:
        """Whether whoever is logged in sees own runs only."""

    def fault(self) -> str | None:
        """The last recording fault, for the user; None while all is well."""

    def is_paused(self) -> bool: ...

    def set_paused(self, paused: bool) -> str | None:
        """Switch recording; a sentence where that is not possible."""

    def conductor(self) -> Conductor | None:
        """What works off the queue in this process; None outside a WebUI."""

    def host_facts(self) -> HostFacts | None:
        """The models, samplers, upscalers and scripts there are to choose from; None outside a WebUI. May take some 100 ms."""

    def can_open_folders(self) -> bool:
        """Whether whoever looks at the page sits at the computer whose folders these are, as far as the host can tell."""

    def open_folder(self, folder: Path) -> str | None:
        """Show it in the file manager; a sentence where that is not possible."""

    def send_targets(self) -> tuple[str, ...]:
        """The host's tabs that take an image and its settings; none outside a WebUI."""

    def connect_send_button(self, target: str, button: Any, image: Any, text: Any) -> None:
        """Have a press of `button` send what the components `image` and `text` hold to a tab; None for one that is not sent."""
