"""Values of the host as JSON has them."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.record.facts import Json


def plain(values: Json) -> Json:
    return {key: plain_value(value) for key, value in values.items()}


def plain_value(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [plain_value(item) for item in value]
    if isinstance(value, float):
        return number(value)
    return value if value is None or isinstance(value, (bool, int, str)) else f"<{type(value).__name__}>"


def number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and value == value and abs(value) != float("inf") else None
