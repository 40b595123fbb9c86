"""Records field by field: nested settings as rows, values compared as what they mean."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.records import Json

# What a record may have at most; a hostile one is cut, and says so by a row of its own.
_DEPTH_LIMIT = 8
MOST_FIELDS = 5_000
CUT = "further fields"
_NUMBER = re.compile(r"[+-]?\d{1,30}(?:\.\d{1,30})?(?:[eE][+-]?\d{1,3})?", re.ASCII)
# No setting is as large; integers of a record have no limit, floats do.
_LARGE = 10**30
# What the items of a list are known by, best first; what else says only where an item stood.
_NAMES = ("name", "title", "label", "index")
_PLACES = ("index", "free_text")
# Instead of a picture (docs/formats.md): one value, not an object.
_PICTURES = ("$input", "$image")

Path = tuple[str, ...]


@dataclass(frozen=True)
class FieldRow:
    """One field of several records; None where a record does not have it. `path` is its names from the outside in."""

    path: Path
    values: tuple[Any, ...]
    is_equal: bool


def compare_fields(records: Sequence[Mapping[Path, Any]]) -> list[FieldRow]:
    """A row for every field that any record has, in the order in which they come."""
    paths = dict.fromkeys(path for record in records for path in record)
    rows = []
    for path in paths:
        values = tuple(record.get(path) for record in records)
        rows.append(FieldRow(path, values, all(is_same_value(values[0], value) for value in values[1:])))
    return rows


def flatten(record: Mapping[str, Any]) -> dict[Path, Any]:
    """Objects in objects as fields with longer paths. A list of named items counts as an object of them.

    What is null or empty is left out: some programs write it, others do not.
    """
    found: dict[Path, Any] = {}
    for path, value in _iter_leaves(record, (), {}):
        if len(found) >= MOST_FIELDS:
            found[(CUT,)] = "not compared"
            break
        found[path] = value
    return found


def is_same_value(one: Any, other: Any) -> bool:
    """Numbers as numbers, also where one of them is text; texts without the blanks around them."""
    first, second = _number(one), _number(other)
    if first is not None and second is not None:
        return first == second or _is_nearly(first, second)
    if isinstance(one, str) and isinstance(other, str):
        return one.strip() == other.strip()
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(is_same_value(a, b) for a, b in zip(one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(is_same_value(one[name], other[name]) for name in one)
    return type(one) is type(other) and bool(one == other)


def _iter_leaves(value: Any, path: Path, seen: dict[Path, int]) -> Iterator[tuple[Path, Any]]:
    items = _items(value) if len(path) < _DEPTH_LIMIT else None
    if items is None:
        if value not in (None, "", [], {}):
            # Two items of one name in a list.
            seen[path] = seen.get(path, 0) + 1
            yield (path if seen[path] == 1 else (*path[:-1], f"{path[-1]} ({seen[path]})")), value
        return
    for name, item in items:
        yield from _iter_leaves(item, (*path, name), seen)


def _items(value: Any) -> list[tuple[str, Any]] | None:
    """The named parts of a value; None for one without."""
    if isinstance(value, Mapping) and value and not any(name in value for name in _PICTURES):
        return [(str(name), item) for name, item in value.items()]
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return [(_name_of(item, number), _without_name(item)) for number, item in enumerate(value, 1)]
    return None


def _name_of(item: Json, number: int) -> str:
    name = next((item[key] for key in _NAMES if isinstance(item.get(key), (str, int))), None)
    return str(number if name is None or name == "" else name)


def _without_name(item: Json) -> Any:
    if "value" in item:
        return item["value"]
    if any(name in item for name in _PICTURES):
        return item
    key = next((key for key in _NAMES if isinstance(item.get(key), (str, int))), None)
    rest = {name: value for name, value in item.items() if name != key and name not in _PLACES and value is not None}
    return rest or True  # it is there: all that is known of it


def _is_nearly(one: float, other: float) -> bool:
    """A sum of fractions that was rounded elsewhere is the same setting; whole numbers are exact, and may be giants."""
    if max(abs(one), abs(other)) > _LARGE or (isinstance(one, int) and isinstance(other, int)):
        return False
    return abs(one - other) <= 1e-9 * max(abs(one), abs(other))


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return float(value) if any(sign in value for sign in ".eE") else int(value)
    return None
