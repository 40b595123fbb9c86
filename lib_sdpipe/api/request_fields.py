"""The fields of a request's JSON object. Each raises UsageError, naming the field and what it has to be."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.records import Json


def check_fields(document: Json, *known: str) -> None:
    """A field that nobody reads is a mistake: what it asks for would not be done."""
    unknown = [name for name in document if name not in known]
    if unknown:
        there = f"there {'is' if len(known) == 1 else 'are'} {', '.join(known)}" if known else "this takes none"
        raise UsageError(f"there is no field {unknown[0][:60]!r}; {there}")


def read_texts(document: Json, name: str) -> list[str]:
    """A list of texts; an absent or null one is empty."""
    value = document.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise UsageError(f"{name}: a list of texts")
    return value


def read_text(document: Json, name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"{name}: text, or null")
    return value


def read_object(document: Json, name: str) -> dict[str, Any]:
    value = document.get(name)
    if not isinstance(value, dict):
        raise UsageError(f"{name}: a JSON object is needed here")
    return value


def read_list(document: Json, name: str) -> list[Any]:
    """An absent or null one is empty."""
    value = document.get(name)
    if value is not None and not isinstance(value, list):
        raise UsageError(f"{name}: a list")
    return value or []


def read_flag(document: Json, name: str) -> bool:
    """An absent or null one is false."""
    value = document.get(name)
    if value is not None and not isinstance(value, bool):
        raise UsageError(f"{name}: true or false")
    return bool(value)


def read_number(document: Json, name: str) -> float | None:
    value = document.get(name)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e9
    if value is not None and not is_number:
        raise UsageError(f"{name}: a number, or null")
    return value


def read_whole(document: Json, name: str) -> int:
    value = document.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) > 1_000_000:
        raise UsageError(f"{name}: a whole number")
    return value
