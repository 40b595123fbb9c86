"""Values from the disk and from records as SQLite can hold them."""

from __future__ import annotations

from typing import overload


@overload
def sql_text(text: str) -> str: ...


@overload
def sql_text(text: None) -> None: ...


def sql_text(text: str | None) -> str | None:
    """A file name need not be UTF-8, and a record from elsewhere may hold anything; SQLite's texts are UTF-8."""
    if text is None or text.isascii():
        return text
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def sql_integer(value: int | None) -> int | None:
    """SQLite holds 64 bits; a seed beyond that is no seed of a host."""
    return value if value is not None and -(1 << 63) <= value < 1 << 63 else None
