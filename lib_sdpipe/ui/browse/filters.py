"""What a list can be filtered by, with counts, each as a term that a click writes into the query; searches that were kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lib_sdpipe.index.facets import Facets
from lib_sdpipe.manifest.records import STAGES
from lib_sdpipe.ui import words
from lib_sdpipe.ui.browse.query_text import build_filter, has_term

# Of a kind with more values the others are reached by writing.
_MOST = 40
_LONGEST = 60
_DAYS = {"today": "Today", "yesterday": "Yesterday", "week": "This week", "month": "This month", "year": "This year"}


@dataclass(frozen=True)
class Chip:
    """A filter; `is_on`: the query has it."""

    label: str
    count: int
    term: str
    is_on: bool


@dataclass(frozen=True)
class FilterGroup:
    title: str
    chips: list[Chip]
    more: int = 0


def present_filters(facets: Facets, query: str) -> list[FilterGroup]:
    """The groups that have anything to choose."""
    def group(title: str, field: str, values: Iterable[tuple[str, str, int]], is_whole: bool = False) -> FilterGroup:
        terms = [(label, build_filter(field, value, is_whole), count) for label, value, count in values if count]
        chips = [Chip(label[:_LONGEST], count, term, has_term(query, term)) for label, term, count in terms]
        return FilterGroup(title, [chip for number, chip in enumerate(chips) if number < _MOST or chip.is_on], max(0, len(chips) - _MOST))

    stages = sorted(facets.stages, key=lambda found: STAGES.index(found[0]) if found[0] in STAGES else len(STAGES))
    groups = [
        group("Date", "date", ((_DAYS[word], word, count) for word, count in facets.dates)),
        group("Model", "model", ((name, name, count) for name, count in facets.models), is_whole=True),
        group("Sampler", "sampler", ((name, name, count) for name, count in facets.samplers), is_whole=True),
        group("Stage", "stage", ((words.format_stage(stage), stage, count) for stage, count in stages if stage in STAGES)),
        group("Run", "status", ((words.format_status(status).word, status, count) for status, count in _known(facets.statuses))),
        group("Rating", "rating", (("★" * int(stars) or "0", stars, count) for stars, count in sorted(facets.ratings, reverse=True))),
        group("Favourite", "favourite", [("Favourites", "yes", facets.favourites)]),
        group("Tag", "tag", ((tag, tag, count) for tag, count in facets.tags), is_whole=True),
        group("Record", "recorded", [("With a run", "yes", facets.recorded), ("Without a run", "no", facets.unrecorded)]),
    ]
    return [found for found in groups if found.chips]


def _known(statuses: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Words that the query language has; another program's own cannot be asked for."""
    return [(status, count) for status, count in statuses if words.format_status(status).kind not in ("unknown", "unreadable")]
