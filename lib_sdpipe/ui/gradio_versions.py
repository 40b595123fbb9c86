"""What differs between gradio 3.41 (AUTOMATIC1111), 4.40 (Forge) and 6 (outside a WebUI). Nothing else asks for a version."""

from __future__ import annotations

import inspect
import os
import tempfile
from pathlib import Path
from typing import Any

import gradio as gr

_MAJOR = int(gr.__version__.split(".")[0])


def quiet_event(javascript: str | None = None) -> dict[str, Any]:
    """Arguments of an event that answers at once: not queued behind Generate, no spinner, not in the API's pages."""
    arguments: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    if _MAJOR < 6:
        arguments["api_name"] = False
    else:
        arguments["api_visibility"] = "private"
    if _MAJOR >= 4:
        arguments["trigger_mode"] = "multiple"  # or a press is lost while the one before it is answered
    if javascript:
        arguments["_js" if _MAJOR < 4 else "js"] = javascript
    return arguments


def build_sent_image(**arguments: Any) -> gr.Image:
    """A picture on its way to another tab, as the host's own "Send to" has it."""
    return gr.Image(**_known(gr.Image, {
        **arguments, "type": "pil", "image_mode": "RGBA", "interactive": False, "show_label": False, "show_share_button": False,
        "show_download_button": False, "buttons": [],
    }))


def build_html(value: str, **arguments: Any) -> gr.HTML:
    return gr.HTML(value, **_known(gr.HTML, {**arguments, "padding": False}))


def build_section(label: str, **arguments: Any) -> gr.Tab:
    """One of the tabs within a tab, on the page from the beginning."""
    return gr.Tab(label, **_known(gr.Tab, {**arguments, "render_children": True}))


def servable(file: Path) -> str:
    """The file as a value of a gallery or an image.

    From gradio 5 on only files below allowed folders are taken; a library can lie anywhere, so the file is put into
    gradio's own cache first. Earlier versions do that themselves.
    """
    if _MAJOR < 5:
        return str(file)
    from gradio.processing_utils import save_file_to_cache
    from gradio.utils import get_upload_folder

    return save_file_to_cache(file, get_upload_folder())


def page_arguments(theme: Any) -> dict[str, Any]:
    """What a page of its own gets when it is made."""
    return {"theme": theme} if _MAJOR < 6 else {}


def launch_arguments(theme: Any) -> dict[str, Any]:
    """The same when it is launched; pages that are rendered by a second server are not changed by ours."""
    arguments = {"show_api": False} if _MAJOR < 6 else {"theme": theme, "footer_links": []}
    return {**arguments, "ssr_mode": False} if _MAJOR >= 5 else arguments


def find_uploaded(value: Any) -> Path | None:
    """The file that a person put into a field for files, with its own name; None where there is none.

    gradio 3.41 copies any file of this computer that the page names: only those that the page itself sent are taken.
    """
    name = getattr(value, "name", value)
    if not isinstance(name, str):
        return None
    if _MAJOR < 4:
        sent = getattr(value, "orig_name", "")
        uploads = os.path.realpath(os.environ.get("GRADIO_TEMP_DIR") or os.path.join(tempfile.gettempdir(), "gradio"))
        if os.path.basename(sent) != sent and not os.path.realpath(sent).startswith(uploads + os.sep):
            return None
    return Path(name)


def _known(component: type, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments that this gradio's component has: 3.41 warns of others, 4 and later refuse them."""
    names = set(inspect.signature(component.__init__).parameters)
    return {name: value for name, value in arguments.items() if name in names}
