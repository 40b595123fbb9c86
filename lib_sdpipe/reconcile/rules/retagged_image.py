"""`retagged-image`: the same pixels, another text."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.rules.texts import text_operations


def check_retagged_image(case: PictureCase) -> Finding | None:
    """Also where the text is the same and something else in the file is not: a colour profile, another compression."""
    file = case.file
    if file is None or not file.is_read or file.sha256 == case.sha256 or not case.has_same_pixels:
        return None
    evidence = {
        "recorded": case.recorded, "found": file.content, **case.silently, "infotext": {"recorded": case.infotext, "found": file.infotext},
    }
    return Finding("retagged-image", case.root, case.path, case.run_id, case.name, evidence, text_operations(case))
