"""What the list does when something is pressed: reads one page and answers with updates. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import gradio as gr

from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Frame, Noted, Updates
from lib_sdpipe.ui.browse import markup
from lib_sdpipe.ui.browse.present import present_runs
from lib_sdpipe.workspace import RunPage

PAGE_SIZE = 30


@dataclass(frozen=True)
class Cursor:
    """Which page of runs is shown: the runs older than `after`; `next` is where the following page begins.

    `paused` is what the box for it was last told: it is told again only what has changed since, so that an answer on
    its way does not undo a press.
    """

    after: str | None = None
    next: str | None = None
    paused: bool | None = None


class BrowseEvents:
    """The handlers of the list. Each returns updates of: head, pause, runs, newest, older, cursor."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def look(self, ask: Ask, cursor: Cursor) -> Updates:
        """The page as it is now."""
        return self._list(ask, cursor)

    def show_newest(self, ask: Ask) -> Updates:
        return self._list(ask, Cursor())

    def show_older(self, ask: Ask, cursor: Cursor) -> Updates:
        return self._list(ask, Cursor(after=cursor.next))

    def pause(self, ask: Ask, paused: bool) -> Updates | Noted:
        """Switch recording; the checkbox goes back where the host does not allow it."""
        sentence = self._frame.host.set_paused(bool(paused))
        box = (gr.update(value=self._frame.host.is_paused()),)
        return Noted(sentence, box) if sentence else box

    def _list(self, ask: Ask, cursor: Cursor) -> Updates:
        page, folder, paused = _read_page(ask, cursor), ask.workspace.layout.runs, self._frame.host.is_paused()
        has_pages = cursor.after is not None or page.next is not None
        return (
            markup.show_head(page.total, None if self._frame.hides_folders else str(folder)),
            gr.update() if cursor.paused == paused else gr.update(value=paused),
            markup.show_runs(present_runs(page, datetime.now()), paused),
            gr.update(interactive=cursor.after is not None, visible=has_pages),
            gr.update(interactive=page.next is not None, visible=has_pages),
            Cursor(cursor.after, page.next, paused),
        )


def _read_page(ask: Ask, cursor: Cursor) -> RunPage:
    # Before the first run there is no folder: that is an empty library, not a fault.
    return ask.workspace.list_runs(PAGE_SIZE, cursor.after) if ask.workspace.layout.runs.exists() else RunPage(0, [], None)
