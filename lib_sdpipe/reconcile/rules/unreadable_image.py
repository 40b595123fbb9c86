"""`unreadable-image`: a recorded image is truncated, or no image any more; so is a file in a root that nobody names."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import FileState, PictureCase
from lib_sdpipe.reconcile.findings import Finding

# How a problem begins that lies with the disk or its permissions: the file is not known to be damaged.
_BLOCKED = "cannot be read"


def check_unreadable_image(case: PictureCase) -> Finding | None:
    if case.file is None or case.file.problem is None:
        return None
    evidence = {"problem": case.file.problem, "bytes": case.file.bytes, "recorded": case.recorded, **case.silently}
    operations = _operations(case.file.problem)
    if case.copy is not None:
        evidence["copy"], operations = case.copy.place, ("restore", *operations)
    return Finding("unreadable-image", case.root, case.path, case.run_id, case.name, evidence, operations)


def check_unreadable_file(file: FileState) -> Finding | None:
    """A file that no manifest names."""
    if file.problem is None:
        return None
    evidence = {"problem": file.problem, "bytes": file.bytes}
    return Finding("unreadable-image", file.root, file.path, None, None, evidence, _operations(file.problem))


def _operations(problem: str) -> tuple[str, ...]:
    return () if problem.startswith(_BLOCKED) else ("quarantine",)
