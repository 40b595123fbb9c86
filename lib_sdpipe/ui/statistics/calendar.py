"""Days gathered into the bars of a chart: none is left out, also those without images. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from lib_sdpipe.ui.statistics.queries import DAY, MONTH, WEEK, YEAR

# More bars than these are no bars any more; with more years the oldest are told in one sentence.
MOST_BARS = 130
_ORDER = (DAY, WEEK, MONTH, YEAR)
_DAYS = {DAY: 1, WEEK: 7, MONTH: 30.4, YEAR: 365.25}


def choose_span(days: Iterable[date], wanted: str | None = None) -> str:
    """The finest of day, week, month and year that keeps the chart readable; a coarser one where somebody wants it."""
    known = list(days)
    span = (max(known) - min(known)).days + 1 if known else 1
    finest = next((by for by in _ORDER if span / _DAYS[by] <= MOST_BARS), YEAR)
    return wanted if wanted in _ORDER and _ORDER.index(wanted) >= _ORDER.index(finest) else finest


def list_spans(days: Iterable[date]) -> tuple[str, ...]:
    """Those that can be wanted."""
    return _ORDER[_ORDER.index(choose_span(days)):]


def begin_of(day: date, by: str) -> date:
    if by == WEEK:
        return day - timedelta(days=min(day.weekday(), (day - date.min).days))
    return day.replace(day=1) if by == MONTH else day.replace(month=1, day=1) if by == YEAR else day


def iter_begins(first: date, last: date, by: str) -> Iterator[date]:
    """The first day of every bar, from the one with `first` to the one with `last`; of very many the last MOST_BARS."""
    begins, day = [], begin_of(last, by)
    while day >= begin_of(first, by) and len(begins) < MOST_BARS:
        begins.append(day)
        if day <= date.min + timedelta(days=1):
            break
        day = begin_of(day - timedelta(days=1), by)
    return reversed(begins)


def describe_span(begin: date, by: str) -> str:
    """`Thu 25 Dec 2025`, `week of 22 Dec 2025`, `December 2025`, `2025`."""
    if by == DAY:
        return f"{begin:%a} {begin.day} {begin:%b} {begin.year}"
    if by == WEEK:
        return f"week of {begin.day} {begin:%b} {begin.year}"
    return f"{begin:%B} {begin.year}" if by == MONTH else str(begin.year)


def label_span(begin: date, before: date | None, by: str) -> str:
    """Short, for an axis; what is another than at the label before is named."""
    year = before is None or before.year != begin.year
    if by in (DAY, WEEK):
        return f"{begin.day} {begin:%b}" + (f" {begin.year}" if year else "")
    return f"{begin:%b}" + (f" {begin.year}" if year else "") if by == MONTH else str(begin.year)
