"""A plan that makes runs of the images that were there before SDPipe. It does nothing to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from lib_sdpipe.index.index import open_index
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.adopt.adoption import Adoption
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.plan import build_plan
from lib_sdpipe.store.refresh import Progress
from lib_sdpipe.workspace.repairs import Rest, iter_findings, library_id, new_plan_id, no_progress, no_rest
from lib_sdpipe.workspace.workspace import Workspace

Write = Callable[[Json, Iterator[Operation]], None]
"""Takes a plan without its operations, and the operations, which are looked for as they are taken."""


def plan_adoption(
    workspace: Workspace, root: str, path: str, write: Write, takes_all: bool = False, limit: int | None = None,
    progress: Progress = no_progress, rest: Rest = no_rest,
) -> Adoption:
    """Plan runs of what lies in a folder of a root, and tell how many. `takes_all`, `limit`: as `Adoption` has them.

    Raises NoLibraryError, RecordError, LockedError.
    """
    from lib_sdpipe.workspace.orphans import OrphanRecords  # numpy and Pillow: only here

    library, now = workspace.library(), format_utc(time.time())
    with open_index(workspace.layout.index_places) as index:
        findings = iter_findings(workspace, library, index, frozenset({"orphaned-image"}), progress, rest)
        inside = [finding for finding in findings if finding.operations and _is_in(finding, root, path)]
        adoption = Adoption(OrphanRecords(workspace.layout, library, index), takes_all, limit)
        operations = _tell(adoption, adoption.iter_operations(inside), progress, rest)
        write(build_plan([], new_plan_id(now), now, library_id(workspace, library)), operations)
    return adoption


def _is_in(finding: Finding, root: str, path: str) -> bool:
    folder = finding.path or ""
    return finding.root == root and (path == "" or folder == path or folder.startswith(f"{path}/"))


def _tell(adoption: Adoption, operations: Iterator[Operation], progress: Progress, rest: Rest) -> Iterator[Operation]:
    for operation in operations:
        progress("planning", adoption.images)
        rest()
        yield operation
