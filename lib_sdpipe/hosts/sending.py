"""Sending an image with its settings to another tab, by the host's own paste buttons (modules/infotext_utils.py)."""

from __future__ import annotations

from typing import Any

from modules import infotext_utils

_TARGETS = ("txt2img", "img2img", "inpaint", "extras")


def find_targets() -> tuple[str, ...]:
    """Tabs that take something. While extensions' tabs are built the host's own are there already; one it lacks breaks its page."""
    return tuple(target for target in _TARGETS if target in infotext_utils.paste_fields)


def connect_button(target: str, button: Any, image: Any, text: Any) -> None:
    """A press of `button` sends what `image` and `text` (components, or None) hold by then, and turns to the tab."""
    infotext_utils.register_paste_params_button(infotext_utils.ParamBinding(
        paste_button=button, tabname=target, source_image_component=image, source_text_component=text,
    ))
