"""`moved-image`: a manifest's image is elsewhere, with the same content, in exactly one place."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase
from lib_sdpipe.reconcile.findings import Finding


def check_moved_image(case: PictureCase) -> Finding | None:
    if case.file is not None or len(case.candidates) != 1:
        return None
    (found,) = case.candidates
    evidence = {"to": found.place, "by": case.by, "recorded": case.recorded, "found": found.content}
    if found.is_named_oddly:
        evidence["problem"] = "its name is not UTF-8, which no record can hold: rename it and check again"
    operations = () if found.is_named_oddly else ("relink",)
    return Finding("moved-image", case.root, case.path, case.run_id, case.name, evidence, operations)
