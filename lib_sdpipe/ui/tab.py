"""The Runs tab: newest runs, their images, one image's lineage and manifest."""

from __future__ import annotations

from typing import Any, Protocol

import gradio as gr

from lib_sdpipe.store.layout import Layout


class TabHost(Protocol):
    """What the tab needs from where it is shown."""

    def layout(self) -> Layout: ...

    def fault(self) -> str | None:
        """The last recording fault, for the user; None while all is well."""

    def is_paused(self) -> bool: ...

    def set_paused(self, paused: bool) -> str | None:
        """Switch recording; a sentence where that is not possible."""


def build_tab(host: TabHost) -> Any:
    with gr.Blocks(analytics_enabled=False) as tab:
        gr.HTML("Runs")
    return tab
