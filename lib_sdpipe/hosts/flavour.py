"""Which of the hosts' two lines this is, where their code differs."""

from __future__ import annotations

import sys

from modules import shared


def is_forge() -> bool:
    """Forge with its own backend; reForge and Classic are closer to A1111."""
    asked = getattr(shared, "is_forge", None)  # the sandbox plays both
    return bool(asked()) if callable(asked) else "backend.memory_management" in sys.modules
