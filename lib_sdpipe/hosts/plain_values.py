"""Values of the host as JSON has them."""

from __future__ import annotations

import os
from typing import Any

from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.privacy import shorten_home


def plain(values: Json) -> Json:
    return {key: plain_value(value) for key, value in values.items()}


def plain_value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    if isinstance(value, float):
        return number(value)
    return value if value is None or isinstance(value, (bool, int, str)) else f"<{type(value).__name__}>"


def hide_home(value: Any) -> Any:
    """`value` with this user's home folder as `~` in every text at any depth."""
    return shorten_home(value, os.path.expanduser("~"))


def parse_number(text: Any) -> float | None:
    try:
        return number(float(text))
    except (TypeError, ValueError):
        return None


def number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and value == value and abs(value) != float("inf") else None
