"""What travels beside a line on the living process's queue, because it cannot be written down."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable

from PIL import Image

from lib_sdpipe.record.facts import Json


@dataclass
class Extras:
    """Pictures by key, and the environment, which is worked out on the writer thread."""

    pictures: dict[str, Image.Image] = field(default_factory=dict)
    environment: Callable[[], Json] | None = None
