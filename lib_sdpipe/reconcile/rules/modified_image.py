"""`modified-image`: the file is where it was recorded and shows something else."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase
from lib_sdpipe.reconcile.findings import Finding


def check_modified_image(case: PictureCase) -> Finding | None:
    file = case.file
    if file is None or not file.is_read or file.sha256 == case.sha256 or case.has_same_pixels or case.pixel_sha256 is None:
        return None
    evidence = {"recorded": case.recorded, "found": file.content, **case.silently}
    operations: tuple[str, ...] = ("accept",)
    if file.undecodable is not None:  # its bytes are others; whether its pixels are nobody can say here
        evidence["undecodable"], operations = file.undecodable, ()
    if case.copy is not None:
        evidence["copy"], operations = case.copy.place, (*operations, "restore")
    return Finding("modified-image", case.root, case.path, case.run_id, case.name, evidence, operations)
