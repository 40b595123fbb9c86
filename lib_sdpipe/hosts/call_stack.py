"""Looking at the host's code that called us, where no hook tells what it knows: X/Y/Z plot's cell, the Extras tab's image."""

from __future__ import annotations

import os
import sys
from typing import Any, Container


def find_locals(file: str, function: str) -> dict[str, Any] | None:
    """The local variables of the innermost call of `function` in a file of that name above us; None where there is none."""
    found = find_first_locals({(file, function)})
    return found[1] if found is not None else None


def find_first_locals(places: Container[tuple[str, str]]) -> tuple[tuple[str, str], dict[str, Any]] | None:
    """The innermost call above us of one of these (file, function), and its local variables."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        place = (os.path.basename(code.co_filename), code.co_name)
        if place in places:
            return place, dict(frame.f_locals)
        frame = frame.f_back  # type: ignore[assignment]
    return None
