"""Looking at the host's code that called us, where no hook tells what it knows: X/Y/Z plot's cell, the Extras tab's image."""

from __future__ import annotations

import os
import sys
from typing import Any


def find_locals(file: str, function: str) -> dict[str, Any] | None:
    """The local variables of the innermost call of `function` in a file of that name above us; None where there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        code = frame.f_code
        if code.co_name == function and os.path.basename(code.co_filename) == file:
            return dict(frame.f_locals)
        frame = frame.f_back  # type: ignore[assignment]
    return None
