"""`stripped-image`: the same pixels, and the text is gone."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.rules.texts import text_operations


def check_stripped_image(case: PictureCase) -> Finding | None:
    file = case.file
    if file is None or not file.is_read or file.sha256 == case.sha256 or not case.has_same_pixels:
        return None
    if file.infotext or not case.infotext:
        return None
    evidence = {"recorded": case.recorded, "found": file.content, **case.silently, "infotext": {"recorded": case.infotext, "found": None}}
    return Finding("stripped-image", case.root, case.path, case.run_id, case.name, evidence, text_operations(case))
