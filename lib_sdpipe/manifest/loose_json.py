"""JSON that other programs wrote, and single values in it: bounded, and read tolerantly. What is not as expected is None."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

# Characters. A workflow of a thousand nodes has a tenth of it.
JSON_LIMIT = 2 << 20
# Levels. A workflow has a dozen; what is passed on here can be copied and written again.
_MOST_LEVELS = 64
# No seed of any program is longer; Python turns long digits into a number in quadratic time.
_MOST_DIGITS = 40
_NUMBER = re.compile(r"[-+]?\d{1,40}(\.\d{0,40})?", re.ASCII)


def parse_loose_json(text: str, limit: int = JSON_LIMIT) -> Any:
    """The JSON value in `text`; NaN, Infinity and giant numbers in it are None.

    Raises ValueError, also for what is longer than `limit` characters or nested too deeply.
    """
    if len(text) > limit:
        raise ValueError(f"longer than {limit} characters")
    try:
        value = _DECODER.decode(text)
    except RecursionError as fault:
        raise ValueError("nested too deeply") from fault
    if is_deep(value, _MOST_LEVELS):
        raise ValueError("nested too deeply")
    return value


def parse_object(text: Any) -> dict[str, Any] | None:
    """The JSON object in `text`, or None."""
    if not isinstance(text, str) or not text.lstrip()[:1] == "{":
        return None
    try:
        value = parse_loose_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def text_of(value: Any) -> str | None:
    return value if isinstance(value, str) and value.strip() else None


def integer_of(value: Any) -> int | None:
    """A whole number, also one written as text or with `.0`."""
    found = number_of(value)
    return int(found) if found is not None and float(found).is_integer() else None


def number_of(value: Any) -> int | float | None:
    """A finite number, also one written as text. Never a truth value."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value) if "." in value else int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < 1 << 63 else None  # NaN is not smaller either


def seed_of(value: Any) -> int | None:
    """A seed; -1 stands for a random one, which is none."""
    found = integer_of(value)
    return found if found is not None and found >= 0 else None


def object_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def without_unknown(fields: dict[str, Any]) -> dict[str, Any]:
    """`fields` without those that are None, or an object or list with nothing in it."""
    return {name: value for name, value in fields.items() if value is not None and value != {} and value != []}


def is_deep(value: Any, levels: int) -> bool:
    """Whether objects and lists lie in each other beyond so many levels. Does not recurse."""
    level = [value]
    for _ in range(levels):
        level = [inner for outer in level for inner in _items(outer) if isinstance(inner, (dict, list))]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _parse_integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MOST_DIGITS else None


def _parse_float(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


_DECODER = json.JSONDecoder(parse_constant=lambda name: None, parse_int=_parse_integer, parse_float=_parse_float)
