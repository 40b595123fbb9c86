"""One thing that is not today as it was when a recorded image was made, before it is made again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.likely_causes import CAUSES

_LONGEST_SHOWN = 60


@dataclass(frozen=True)
class Difference:
    """`weight`: the higher, the likelier it makes other pixels. `is_blocking`: what is needed is not there.

    `way_back` is what a request would say to have it as it was, see `set_back`; None where a request cannot.
    """

    field: str
    then: Any
    now: Any
    weight: int
    sentence: str
    is_blocking: bool = False
    way_back: Json | None = None

    @property
    def can_set_back(self) -> bool:
        return self.way_back is not None

    def to_json(self) -> Json:
        return {
            "field": self.field, "then": self.then, "now": self.now, "weight": self.weight, "can_set_back": self.can_set_back,
            "blocking": self.is_blocking, "sentence": self.sentence,
        }


def weight_of(cause: str) -> int:
    """As the verdict ranks it (`likely_causes`)."""
    return len(CAUSES) - 1 - CAUSES.index(cause)


def show(value: Any) -> str:
    """A value in a sentence."""
    if isinstance(value, bool):
        return "on" if value else "off"
    text = "nothing" if value in (None, "", []) else ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"
