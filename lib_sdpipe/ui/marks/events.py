"""What is done when somebody marks images: written at once, and the open image's marks are shown as they are then."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import SdPipeError, UsageError
from lib_sdpipe.manifest.marks import MARK_FIELDS, TAG_CHANGES
from lib_sdpipe.manifest.records import ImageLink, Json
from lib_sdpipe.ui.ask import MOST_PICKED, Ask, read_link
from lib_sdpipe.ui.frame import Frame, Noted, Updates
from lib_sdpipe.ui.marks import markup
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.marks import mark_images, read_known_tags, read_mark

_FIELDS = (*MARK_FIELDS, *TAG_CHANGES)


class MarkEvents:
    """The handlers. Each returns updates of: the open image's marks, what was just marked."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def show(self, ask: Ask) -> Updates:
        """The marks of the image that the page has open (`open`)."""
        return show_open(ask.workspace, read_link(ask.data.get("open"))), ""

    def mark(self, ask: Ask) -> Updates | Noted:
        """Change the marks of `images`, or of what is `picked`, as `set` says. Raises UsageError."""
        images, change = _read_images(ask), ask.data.get("set")
        if not isinstance(change, dict) or not change or set(change) - set(_FIELDS):
            raise UsageError(f"a mark has {', '.join(MARK_FIELDS)}, and nothing else was asked to be set")
        if not images:
            raise UsageError("No image with a run is chosen. Images without one cannot be marked: adopt them first, in Repair.")
        marked = mark_images(ask.workspace, images, change)
        opened = show_open(ask.workspace, read_link(ask.data.get("open")))
        done = markup.show_marked(_describe(change, len(marked.marks)), marked.marks)
        without = _count_without_run(ask)
        faults = [self._frame.readable(why) for why in dict.fromkeys(marked.failed.values())]
        if without:
            faults.append(f"{without} of the chosen images have no run and were not marked: adopt them first, in Repair.")
        return Noted(" ".join(faults), (opened, done)) if faults else (opened, done)


def show_open(workspace: Workspace, link: ImageLink | None) -> str:
    """The marks of one image; nothing where none is open, or it cannot be marked."""
    if link is None or not link.run_id or not link.name:
        return markup.show_no_marks()
    try:
        workspace.view_manifest(link.run_id, link.name)
        return markup.show_marks(link.run_id, link.name, read_mark(workspace, link.run_id, link.name), read_known_tags(workspace))
    except (SdPipeError, OSError):
        return markup.show_no_marks()


def _read_images(ask: Ask) -> list[ImageLink]:
    values = ask.data.get("images")
    links = [read_link(value) for value in values[:MOST_PICKED]] if isinstance(values, list) else []
    own = [link for link in links if link is not None and link.name]
    return list({(link.run_id, link.name): link for link in [*own, *ask.picked()]}.values())


def _count_without_run(ask: Ask) -> int:
    picked = ask.data.get("picked")
    return sum(1 for value in picked if isinstance(value, dict) and not value.get("run")) if isinstance(picked, list) else 0


def _describe(change: Json, count: int) -> str:
    images = "1 image" if count == 1 else f"{count:,} images"
    said = [text for text in (_describe_field(field, value) for field, value in change.items()) if text]
    return f"{images}: {', '.join(said)}" if said else images


def _describe_field(field: str, value: Any) -> str:
    if field == "rating":
        return markup.show_stars(value) if isinstance(value, int) else "no rating"
    if field == "favourite":
        return "favourite" if value else "no favourite"
    if field in TAG_CHANGES and isinstance(value, list):
        return ("tag " if field == "add_tags" else "without tag ") + ", ".join(str(tag) for tag in value)
    return field
