"""What the list does when something is pressed: reads one page of the index as it is, and answers with updates.

The disk is looked at behind it, by the library's watch. Writes nothing but searches that are to be kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import gradio as gr

from lib_sdpipe.errors import RecordError, UsageError
from lib_sdpipe.index.query import LONGEST_QUERY, QueryError
from lib_sdpipe.store.searches import delete_search, read_searches, save_search
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.browse import markup
from lib_sdpipe.ui.browse.filters import present_filters
from lib_sdpipe.ui.browse.place import RUNS, Place, read_place
from lib_sdpipe.ui.browse.present import present_images, present_looking, present_runs
from lib_sdpipe.ui.browse.query_text import toggle_term
from lib_sdpipe.ui.frame import Frame, Noted, Updates
from lib_sdpipe.workspace.browsing import browse_images, browse_runs
from lib_sdpipe.workspace.watch import Looking, watch_of

RUNS_A_PAGE = 20
IMAGES_A_PAGE = 60
# How long an answer waits for a look that may be done at once: a run that has just begun is then in it.
_PATIENCE_SECONDS = 0.12


@dataclass(frozen=True)
class Listed:
    """Where the list is, and digests of what the page was told last: what is the same is not sent again.

    `paused` is what the box for it was last told: it is told again only what has changed since, so that an answer on
    its way does not undo a press.
    """

    place: Place = Place()
    paused: bool | None = None
    sent: tuple[str, ...] = ()


class BrowseEvents:
    """The handlers of the list. Each returns updates of OUTPUTS, in their order."""

    OUTPUTS = ("head", "pause", "views", "query", "fault", "runs", "newest", "newer", "older", "searches", "filters", "listed")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def look(self, ask: Ask, listed: Listed) -> Updates | Noted:
        """The page as it is now; what is due on the disk is looked at behind it."""
        return self._list(ask, listed, listed.place, self._watch(ask))

    def refresh(self, ask: Ask, listed: Listed) -> Updates | Noted:
        """The same, and all folders are looked at again."""
        return self._list(ask, listed, listed.place, self._watch(ask, again=True))

    def _watch(self, ask: Ask, again: bool = False) -> Looking:
        return watch_of(ask.workspace.layout).ask(again, _PATIENCE_SECONDS, self._frame.background.is_host_busy)

    def search(self, ask: Ask, text: str, listed: Listed) -> Updates | Noted:
        """What was written."""
        return self._turn(ask, listed, listed.place.search(text[:LONGEST_QUERY + 1]))

    def browse(self, ask: Ask, text: str, listed: Listed) -> Updates | Noted:
        """What the page asks for: a view, a query, a term to put in or take out of what is written, a day, a place."""
        place, term = listed.place, ask.text("term")
        if term is not None:
            text = toggle_term(text[:LONGEST_QUERY], term[:LONGEST_QUERY])
        if text.strip() != place.query:  # what is written is what is searched, though nobody has pressed Enter
            place = place.search(text[:LONGEST_QUERY + 1])
        return self._turn(ask, listed, read_place(ask.data, place), is_told=True)

    def show_newest(self, ask: Ask, listed: Listed) -> Updates | Noted:
        return self._turn(ask, listed, listed.place.newest())

    def show_newer(self, ask: Ask, listed: Listed) -> Updates | Noted:
        return self._turn(ask, listed, listed.place.newer())

    def show_older(self, ask: Ask, listed: Listed) -> Updates | Noted:
        return self._turn(ask, listed, listed.place.older())

    def save_search(self, ask: Ask, name: str, text: str) -> Updates:
        """Keep what is written under a name. Updates the list of searches and the name's box."""
        save_search(ask.workspace.layout, name, text)
        return markup.show_searches(read_searches(ask.workspace.layout), text.strip()), ""

    def forget_search(self, ask: Ask, listed: Listed) -> Updates:
        delete_search(ask.workspace.layout, ask.text("name") or "")
        return (markup.show_searches(read_searches(ask.workspace.layout), listed.place.query),)

    def pause(self, ask: Ask, paused: bool) -> Updates | Noted:
        """Switch recording; the checkbox goes back where the host does not allow it."""
        sentence = self._frame.host.set_paused(bool(paused))
        box = (gr.update(value=self._frame.host.is_paused()),)
        return Noted(sentence, box) if sentence else box

    # --- parts ---

    def _turn(self, ask: Ask, listed: Listed, place: Place, is_told: bool = False) -> Updates | Noted:
        """To another place; the page is told its query where it did not write that itself."""
        try:
            return self._list(ask, listed, place, watch_of(ask.workspace.layout).looking(), place.query if is_told else None)
        except QueryError as fault:  # the list stays as it was until the query is mended
            query = gr.update(value=place.query) if is_told else gr.update()
            return _only(self.OUTPUTS, query=query, fault=markup.show_fault(fault))
        except UsageError:  # a cursor that is none: an old page asks
            return self._list(ask, listed, place.newest(), watch_of(ask.workspace.layout).looking())

    def _list(self, ask: Ask, listed: Listed, place: Place, looking: Looking, query: str | None = None) -> Updates | Noted:
        paused = self._frame.host.is_paused()
        total, shown, place = self._read(ask, place, looking, paused)
        folder = None if self._frame.hides_folders else str(ask.workspace.layout.runs)
        looking_text = present_looking(looking)
        texts = (
            markup.show_head(total, folder), markup.show_views(place), markup.show_list(shown, place, looking_text),
            self._searches(ask, place), self._filters(ask, place),
        )
        sent = tuple(map(_digest, texts))
        head, views, runs, searches, filters = (
            gr.update() if number < len(listed.sent) and listed.sent[number] == sent[number] else text
            for number, text in enumerate(texts)
        )
        updates = (
            head,
            gr.update() if listed.paused == paused else gr.update(value=paused),
            views,
            gr.update() if query is None else gr.update(value=query),
            "",
            runs,
            gr.update(interactive=not place.is_newest),
            gr.update(interactive=place.previous is not None),
            gr.update(interactive=place.next is not None),
            searches,
            filters,
            Listed(place, paused, sent),
        )
        return Noted(self._frame.readable(looking.fault), updates) if looking.fault else updates

    def _read(self, ask: Ask, place: Place, looking: Looking, paused: bool) -> tuple[str, str, Place]:
        """(how many, the list as HTML, the place with its neighbours)."""
        browse: Any = browse_runs if place.view == RUNS else browse_images
        size = RUNS_A_PAGE if place.view == RUNS else IMAGES_A_PAGE
        page = browse(ask.workspace, place.query, size, place.after, place.before)
        found = (page.runs if place.view == RUNS else page.images) if page is not None else []
        if place.before is not None and page is not None and page.previous is None:
            place = place.newest()  # also where fewer than a page is newer: then with what follows
            page = browse(ask.workspace, place.query, size)
            found = page.runs if place.view == RUNS else page.images
        if page is None:
            return place.view.capitalize(), markup.PENDING if looking.doing else markup.show_empty(place, paused, looking.has_looked), place
        place = replace(place, next=page.next, previous=page.previous)
        listing = present_runs(page, datetime.now()) if place.view == RUNS else present_images(page, datetime.now())
        shown = markup.show_runs(listing) if place.view == RUNS else markup.show_images(listing)
        return listing.total, shown if found else markup.show_empty(place, paused, looking.has_looked), place

    def _searches(self, ask: Ask, place: Place) -> str:
        try:
            return markup.show_searches(read_searches(ask.workspace.layout), place.query)
        except RecordError as fault:  # the list does not depend on it
            return markup.show_look_fault(self._frame.readable(str(fault)))

    def _filters(self, ask: Ask, place: Place) -> str:
        facets = watch_of(ask.workspace.layout).facets(ask.workspace.viewer)
        return markup.show_filters(present_filters(facets, place.query) if facets is not None else None)


def _only(names: tuple[str, ...], **updates: Any) -> Updates:
    return tuple(updates.get(name, gr.update()) for name in names)


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
