"""`searches.json`: searches that somebody has given a name, kept with the library. Everybody who uses the library has the same."""

from __future__ import annotations

from dataclasses import dataclass

from lib_sdpipe.errors import RecordError, UsageError
from lib_sdpipe.index.query import LONGEST_QUERY
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.store.atomic import write_atomic
from lib_sdpipe.store.document import MADE_ANEW, read_document
from lib_sdpipe.store.filelock import hold_lock
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.place import place_of

SEARCHES_SCHEMA = "sdpipe.searches/1"
MOST_SEARCHES = 100
LONGEST_NAME = 60
# Bytes: a hundred queries of the greatest length, and what a later version may add.
_LIMIT = 4 << 20


@dataclass(frozen=True)
class SavedSearch:
    name: str
    query: str


def read_searches(layout: Layout) -> list[SavedSearch]:
    """In the order of their names. Raises RecordError, NewerSchemaError."""
    found = [SavedSearch(entry["name"], entry["query"]) for entry in _read(layout)["searches"] if _is_search(entry)]
    return sorted(found, key=lambda search: search.name.casefold())[:MOST_SEARCHES]


def save_search(layout: Layout, name: str, query: str) -> None:
    """Keep a query under a name; another one of that name gives way. Raises UsageError, RecordError, LockedError, OSError."""
    name, query = " ".join(name.split()), query.strip()
    if not name or len(name) > LONGEST_NAME:
        raise UsageError(f"the name of a search has 1 to {LONGEST_NAME} characters")
    if not query or len(query) > LONGEST_QUERY:
        raise UsageError(f"a search to keep has 1 to {LONGEST_QUERY:,} characters")
    _change(layout, name, query)


def delete_search(layout: Layout, name: str) -> None:
    """Forget a name; one that nobody knows is forgotten already. Raises RecordError, LockedError, OSError."""
    _change(layout, name, None)


def _change(layout: Layout, name: str, query: str | None) -> None:
    place_of(layout).ensure()
    with hold_lock(layout.locks / "searches"):
        document = _read(layout)
        known = next((entry for entry in document["searches"] if _is_search(entry) and entry["name"] == name), None)
        entries = [entry for entry in document["searches"] if entry is not known]
        if query is not None:
            entries.append({**(known or {}), "name": name, "query": query})
        if len(entries) > MOST_SEARCHES:
            raise UsageError(f"{MOST_SEARCHES} searches are kept at most; delete one first")
        if entries != document["searches"]:
            write_atomic(layout.searches_file, format_json({**document, "searches": entries}))


def _read(layout: Layout) -> Json:
    path = layout.searches_file
    document = read_document(path, SEARCHES_SCHEMA, _LIMIT, "no searches are")
    if document is None:
        return {"schema": SEARCHES_SCHEMA, "searches": []}
    if document.get("schema") != SEARCHES_SCHEMA or not isinstance(document.get("searches"), list):
        raise RecordError(f"{path}: no searches of schema {SEARCHES_SCHEMA!r}; {MADE_ANEW}")
    return document


def _is_search(entry: object) -> bool:
    return isinstance(entry, dict) and all(isinstance(entry.get(field), str) and entry[field] for field in ("name", "query"))
