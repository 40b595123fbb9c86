"""`unfinished-run`: a run says that it is running, and its process is gone."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import RunCase
from lib_sdpipe.reconcile.findings import Finding


def check_unfinished_run(case: RunCase) -> Iterator[Finding]:
    """Of a process on another machine nothing is known: it may be at work."""
    if case.status == "running" and case.problem is None and case.is_alive is False:
        evidence = {"process": case.process}
        yield Finding("unfinished-run", "runs", f"{case.run_id}/run_metadata.json", case.run_id, None, evidence, ("close-run",))
