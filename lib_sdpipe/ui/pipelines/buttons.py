"""The ways from what is open in Browse to Pipelines."""

from __future__ import annotations

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui.html_text import ask_button

SECTION = "pipelines"


def show_image_buttons(run_id: str, name: str, has_file: bool, is_missing: bool = False) -> str:
    """Of an image: one without a file can only be made again; `is_missing`: it had one."""
    link: Json = {"run": run_id, "name": name}
    again = ask_button("Regenerate" if is_missing else "Make again", "again", {"do": "plan", **link}, SECTION)
    return again + (ask_button("Go on from here", "chain", {"do": "open", **link}, SECTION) if has_file else "")


def show_run_buttons(run_id: str) -> str:
    link: Json = {"run": run_id}
    again = ask_button("Make again", "again", {"do": "plan", **link}, SECTION)
    go_on = ask_button("Go on from here", "chain", {"do": "open", **link}, SECTION)
    return again + go_on + ask_button("As a recipe", "chain", {"do": "from-run", **link}, SECTION)


def show_picked_button() -> str:
    """For the bar of what is picked."""
    return ask_button("Go on from these", "chain", {"do": "take"}, SECTION, send_picked=True)
