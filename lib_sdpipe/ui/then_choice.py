"""The choice "Then" in the accordion: the recipe that goes on from the images of a press of Generate."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.ui.frame import open_ask
from lib_sdpipe.ui.gradio_versions import quiet_event
from lib_sdpipe.ui.host import TabHost
from lib_sdpipe.ui.visit import is_from_elsewhere

NOTHING = "none"


def build_then(tab: str, default: str, host: TabHost) -> Any:
    """Its recipes are asked for by javascript/sdpipe_last_run.js when the accordion comes into sight.

    Any text is taken: gradio 4 would refuse a press of Generate with a recipe that was saved after the page was built.
    """
    chosen = default or NOTHING
    then = gr.Dropdown(
        choices=list(dict.fromkeys([NOTHING, chosen])), value=chosen, label="Then", info="a recipe that goes on from the images",
        elem_id=f"sdpipe_{tab}_then", elem_classes=["sdpipe-then"], interactive=True, allow_custom_value=True,
    )
    button = gr.Button("Show the recipes", elem_id=f"sdpipe_{tab}_ask_then", elem_classes=["sdpipe-carrier"])

    def answer(request: gr.Request) -> Any:
        if is_from_elsewhere(request.headers):
            return gr.update()
        return gr.update(choices=read_choices(host, getattr(request, "username", None)))

    button.click(answer, [], [then], **quiet_event())
    return then


def read_choices(host: TabHost, user: str | None) -> list[str]:
    """Nothing, and all recipes by name; of a library that cannot be read, nothing: the Runs tab says why."""
    from lib_sdpipe.workspace.recipes import list_recipes  # the host's start waits for this module

    try:
        return [NOTHING, *list_recipes(open_ask(host, user, {}).workspace)]
    except (SdPipeError, OSError):
        return [NOTHING]
