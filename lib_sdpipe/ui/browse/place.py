"""Where in the library a list is: runs or images, of which query, from which place on. Pure; it stays through everything else."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from lib_sdpipe.index.query import LONGEST_QUERY
from lib_sdpipe.index.search import build_cursor
from lib_sdpipe.manifest.records import Json

RUNS, IMAGES = "runs", "images"
_LONGEST_CURSOR = 300


@dataclass(frozen=True)
class Place:
    """A page begins after `after`, or ends before `before`; with neither it is the newest one.

    `next` and `previous` are what the page that is shown said of its neighbours.
    """

    view: str = RUNS
    query: str = ""
    after: str | None = None
    before: str | None = None
    next: str | None = None
    previous: str | None = None

    @property
    def is_newest(self) -> bool:
        return self.after is None and self.before is None

    def newest(self) -> Place:
        return Place(self.view, self.query)

    def older(self) -> Place:
        return replace(self.newest(), after=self.next) if self.next is not None else self

    def newer(self) -> Place:
        return replace(self.newest(), before=self.previous) if self.previous is not None else self.newest()

    def search(self, query: str) -> Place:
        return Place(self.view, query.strip())

    def turn(self, view: str | None) -> Place:
        """The same search as runs or as images; from the newest on, since a place in one is none in the other."""
        return Place(view, self.query) if view in (RUNS, IMAGES) and view != self.view else self

    def jump(self, text: str) -> Place:
        """To a day such as 2025-12-25: what is of that day comes first. A text that is no day changes nothing."""
        try:
            day = date.fromisoformat(text)
            following = day + timedelta(days=1)
            seconds = datetime(following.year, following.month, following.day).timestamp()
        except (ValueError, OverflowError, OSError):
            return self
        cursor = f"{following:%Y%m%d}" if self.view == RUNS else build_cursor(seconds)
        return replace(self.newest(), after=cursor)

    def to_json(self) -> Json:
        """What a page keeps of it while it is loaded again."""
        return {"view": self.view, "query": self.query, "after": self.after, "before": self.before}


def read_place(data: Json, known: Place) -> Place:
    """What a page asks for: whatever it does not say stays; what cannot be is passed over."""
    place = known.turn(data.get("view"))
    query = data.get("query")
    if isinstance(query, str):
        place = place.search(query[:LONGEST_QUERY + 1])
    jump = data.get("jump")
    if isinstance(jump, str):
        return place.jump(jump[:20])
    cursors = {name: data[name] for name in ("after", "before") if isinstance(data.get(name), str) and len(data[name]) <= _LONGEST_CURSOR}
    return replace(place.newest(), **cursors) if cursors else place
