"""The front desk of a library for page and command line: finds, reads and hands over."""

from __future__ import annotations

from lib_sdpipe.workspace.workspace import RunPage, RunSummary, RunView, Workspace

__all__ = ["RunPage", "RunSummary", "RunView", "Workspace"]
