"""Showing a folder in the file manager of the computer that the WebUI runs on, where the host would do so itself."""

from __future__ import annotations

import sys
from pathlib import Path

from modules import shared, util

from lib_sdpipe.hosts import settings

# As the host tells whether others may look at its page (`webui_is_non_local`); older versions have not counted it up.
_OPEN_TO_OTHERS = ("webui_is_non_local", "share", "listen", "ngrok", "server_name")


def can_open_folders() -> bool:
    """Whether whoever looks sits at this computer: nothing says that the page is served to others, and it is no notebook's."""
    if settings.hides_folders() or any(getattr(shared.cmd_opts, name, None) for name in _OPEN_TO_OTHERS):
        return False
    return "google.colab" not in sys.modules and hasattr(util, "open_folder")


def open_folder(folder: Path) -> str | None:
    """By the host's own function; a sentence where that is not possible."""
    if not can_open_folders():
        return "Folders can be opened only on the computer that the WebUI runs on."
    try:
        util.open_folder(str(folder))
    except (OSError, AttributeError) as fault:  # no file manager there; AttributeError: os.startfile, which only Windows has
        return f"The folder could not be opened: {fault}. It is {folder}"
    return None
