"""The bar of what is picked, below all sections."""

from __future__ import annotations

from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.picks.markup import show_bar


def build(more: str = "") -> None:
    """`more`: HTML of further actions, as `show_bar` takes it."""
    build_html(show_bar(more), elem_id="sdpipe_picks")
