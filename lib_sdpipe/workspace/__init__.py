"""The front desk of a library for page and command line: finds, reads and hands over; computes nothing of its own.

`resolve`, which looks at pictures, is imported where it is needed: numpy takes longer to load than most verbs to run.
"""

from lib_sdpipe.workspace.library import RunPage, RunSummary, RunView, Workspace

__all__ = ["RunPage", "RunSummary", "RunView", "Workspace"]
