"""Values of an infotext that contain its separators are written as JSON strings."""

from __future__ import annotations

import json
from typing import Any


def quote(text: Any) -> Any:
    if not any(x in str(text) for x in ",\n:"):
        return text
    return json.dumps(text, ensure_ascii=False)


def unquote(text: str) -> str:
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    try:
        return json.loads(text)
    except ValueError:
        return text
