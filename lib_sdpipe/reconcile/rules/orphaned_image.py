"""`orphaned-image`: images in a root that no manifest names, by folder."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import FolderCase
from lib_sdpipe.reconcile.findings import Finding


def check_orphaned_image(case: FolderCase) -> Finding | None:
    if not case.count:
        return None
    # What lies in the runs folder or outside all roots is left to its owner.
    operations = ("adopt",) if case.root not in (None, "runs") else ()
    evidence = {"count": case.count, "bytes": case.bytes, "examples": list(case.examples)}
    return Finding("orphaned-image", case.root, case.path, None, None, evidence, operations, case.count)
