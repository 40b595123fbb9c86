"""A search as a person writes it, read into a small tree (docs/search.md). No SQL, no disk, no clock.

    castle "at night" -fog  model:dream  steps:>30  cat OR dog

Terms are joined by AND; OR joins its two neighbours and binds tighter. `-` before a term excludes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Union

from lib_sdpipe.errors import UsageError
from lib_sdpipe.index.query_terms import FIELDS, Term, build_term

_FIELD = re.compile(r"([A-Za-z_]+):")
LONGEST_QUERY = 2_000
MOST_TERMS = 100


@dataclass(frozen=True)
class Not:
    node: Node


@dataclass(frozen=True)
class And:
    """All of them; none is every picture."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    nodes: tuple[Node, ...]


Node = Union[Term, Not, And, Or]


class QueryError(UsageError):
    """A query that cannot be read: `place` is the character (from 0) of the query where reading ended."""

    def __init__(self, query: str, place: int, reason: str) -> None:
        super().__init__(f"the query cannot be read: {reason}\n  {_on_one_line(query)}\n  {' ' * _columns(query[:place])}^")
        self.query, self.place, self.reason = query, place, reason


@dataclass(frozen=True)
class Token:
    """A piece between blanks, as written: `start` and `end` are its place in the query, `value_start` that of its value."""

    start: int
    value_start: int
    end: int
    is_excluded: bool
    field: str | None
    text: str
    is_quoted: bool

    @property
    def is_or(self) -> bool:
        return self.text == "OR" and not self.is_quoted and not self.is_excluded and self.field is None


def parse_query(query: str) -> And:
    """Raises QueryError."""
    if len(query) > LONGEST_QUERY:
        raise QueryError(query[:60] + "...", 0, f"it has {len(query):,} characters, {LONGEST_QUERY:,} are the most")
    groups: list[list[Node]] = []
    waiting: Token | None = None  # an OR that waits for what follows it
    for number, token in enumerate(iter_tokens(query)):
        if number >= MOST_TERMS:
            raise QueryError(query, token.start, f"it has more than {MOST_TERMS} terms")
        if token.is_or:
            if waiting is not None or not groups:
                raise QueryError(query, token.start, "OR stands between two terms")
            waiting = token
            continue
        node = _build_node(query, token)
        if waiting is not None:
            groups[-1].append(node)
            waiting = None
        else:
            groups.append([node])
    if waiting is not None:
        raise QueryError(query, waiting.start, "OR stands between two terms")
    return And(tuple(group[0] if len(group) == 1 else Or(tuple(group)) for group in groups))


def iter_tokens(query: str) -> Iterator[Token]:
    """The terms and ORs of a query, whatever they say. Raises QueryError for a quote that is not closed."""
    place = 0
    while place < len(query):
        if query[place].isspace():
            place += 1
            continue
        start = place
        is_excluded = query[place] == "-"
        place += is_excluded
        match = _FIELD.match(query, place)
        place = match.end() if match else place
        value_start = place
        is_quoted = query[place:place + 1] == '"'
        if is_quoted:
            end = query.find('"', place + 1)
            if end < 0:
                raise QueryError(query, place, 'this quote is not closed (there is no second ")')
            text, place = query[place + 1:end], end + 1
        else:
            place = next((at for at in range(place, len(query)) if query[at].isspace()), len(query))
            text = query[value_start:place]
        yield Token(start, value_start, place, is_excluded, match.group(1).lower() if match else None, text, is_quoted)


def _build_node(query: str, token: Token) -> Node:
    if token.field is not None and token.field not in FIELDS:
        known = ", ".join(FIELDS)
        raise QueryError(query, token.start, f"there is no field {token.field!r}; put the words in quotes, or use one of {known}")
    try:
        term = build_term(token.field, token.text)
    except ValueError as fault:
        raise QueryError(query, token.value_start, str(fault)) from fault
    return Not(term) if token.is_excluded else term


def _on_one_line(query: str) -> str:
    """A line break or tab is one blank, so that the pointer under the query stands right."""
    return "".join(" " if character.isspace() else character for character in query)


def _columns(text: str) -> int:
    """How wide a terminal shows it."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
