"""Values from the disk and from records as SQLite can hold them."""

from __future__ import annotations

import re
from typing import overload

# How Python names a byte of a file name that is no UTF-8.
_ESCAPED = re.compile(r"\\u(dc[89a-f][0-9a-f])")


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


def disk_text(text: str) -> str:
    """The file name or path that `sql_text` has written like this, where it was not UTF-8."""
    return _ESCAPED.sub(lambda found: chr(int(found.group(1), 16)), text)
