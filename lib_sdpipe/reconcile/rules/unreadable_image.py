"""`unreadable-image`: a recorded image is truncated, or no image any more; so is a file in a root that nobody names."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import FileState, PictureCase
from lib_sdpipe.reconcile.findings import Finding


def check_unreadable_image(case: PictureCase) -> Finding | None:
    if case.file is None or case.file.problem is None:
        return None
    evidence = {"problem": case.file.problem, "bytes": case.file.bytes, "recorded": case.recorded}
    operations = ("quarantine",)
    if case.copy is not None:
        evidence["copy"], operations = case.copy.place, ("restore", "quarantine")
    return Finding("unreadable-image", case.root, case.path, case.run_id, case.name, evidence, operations)


def check_unreadable_file(file: FileState) -> Finding | None:
    """A file that no manifest names."""
    if file.problem is None:
        return None
    return Finding("unreadable-image", file.root, file.path, None, None, {"problem": file.problem, "bytes": file.bytes}, ("quarantine",))
