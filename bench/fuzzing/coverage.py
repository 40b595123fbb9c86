"""Which lines of lib_sdpipe an input reached for the first time. Needs Python 3.12 (sys.monitoring); before that it says none."""

from __future__ import annotations

import sys
from types import CodeType
from typing import Any

_PACKAGE = "lib_sdpipe"


class Coverage:
    """Each line costs once: it is switched off when it was seen."""

    def __init__(self) -> None:
        self.lines = 0
        self.is_on = hasattr(sys, "monitoring")

    def __enter__(self) -> Coverage:
        if self.is_on:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
            monitoring.use_tool_id(monitoring.COVERAGE_ID, "fuzz")
            monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, self._on_line)
            monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.LINE)
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_on:
            monitoring: Any = sys.monitoring  # type: ignore[attr-defined]
            monitoring.set_events(monitoring.COVERAGE_ID, 0)
            monitoring.free_tool_id(monitoring.COVERAGE_ID)

    def _on_line(self, code: CodeType, line: int) -> Any:
        if _PACKAGE in code.co_filename:
            self.lines += 1
        return sys.monitoring.DISABLE  # type: ignore[attr-defined]
