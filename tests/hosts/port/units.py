"""What the other extension's argument is made of, what it does in the middle of a batch (`calls`), what it was given (`seen`).

`after` is done once, when a pass has ended.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

calls: list[Callable[[Any], None]] = []
after: list[Callable[[Any, Any], None]] = []
seen: list[tuple[Any, ...]] = []


class Mode(enum.Enum):
    BALANCED = "Balanced"
    PROMPT = "My prompt is more important"


@dataclass
class Unit:
    enabled: bool = True
    weight: float = 1.0
    mode: Mode = Mode.BALANCED
    image: Any = None
    extra: dict[str, Any] = field(default_factory=dict)
