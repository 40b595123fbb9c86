"""`unavailable-root`: a root or a folder is offline: nothing in it is called missing."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import AwayCase
from lib_sdpipe.reconcile.findings import Finding


def check_unavailable_root(case: AwayCase) -> Finding | None:
    """One that nothing was recorded in is not missed."""
    if not case.recorded:
        return None
    evidence = {"reason": case.reason, "recorded": case.recorded}
    return Finding("unavailable-root", case.root, case.path, None, None, evidence)
