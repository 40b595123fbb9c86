"""The front desk of a library for page and command line: finds, reads and hands over.

What looks at pictures is imported where it is needed: numpy takes longer to load than most verbs to run.
"""

from __future__ import annotations

from lib_sdpipe.workspace.workspace import RunPage, RunSummary, RunView, Workspace

__all__ = ["RunPage", "RunSummary", "RunView", "Workspace"]
