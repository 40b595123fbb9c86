"""The front desk of a library for page and command line: finds, reads and hands over; computes nothing of its own."""

from lib_sdpipe.workspace.library import RunPage, RunSummary, RunView, Workspace
from lib_sdpipe.workspace.resolve import resolve_image_file

__all__ = ["RunPage", "RunSummary", "RunView", "Workspace", "resolve_image_file"]
