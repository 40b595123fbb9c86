"""A page of its own for the Runs tab, where no WebUI has one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_sdpipe.ui.gradio_versions import launch_arguments, page_arguments

# What is on the computer: a theme of gradio's own would ask other servers for its fonts.
_FONT = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif"]
_FONT_MONO = ["ui-monospace", "Consolas", "Menlo", "Liberation Mono", "monospace"]


def build_page(build_tab: Callable[[], Any], title: str) -> Any:
    """The Blocks with the tab in them, by itself."""
    tab = build_tab()
    with gr.Blocks(title=title, analytics_enabled=False, **page_arguments(_theme())) as page:
        tab.render()
    return page


def launch_page(page: Any, **arguments: Any) -> tuple[Any, str]:
    """Start the server on a thread of its own; (app, address). Raises OSError for a port that cannot be had."""
    page.queue()
    app, url, _ = page.launch(
        **launch_arguments(_theme()), prevent_thread_lock=True, quiet=True, share=False, inbrowser=False, _frontend=False, **arguments,
    )
    return app, url


def _theme() -> Any:
    return gr.themes.Default(font=_FONT, font_mono=_FONT_MONO)
