"""`missing-image`: a manifest's image is nowhere, or in several places of which none is the recorded one."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase
from lib_sdpipe.reconcile.findings import Finding


def check_missing_image(case: PictureCase) -> Finding | None:
    if case.file is not None or len(case.candidates) == 1:
        return None
    evidence = {"recorded": case.recorded, "candidates": [found.place for found in case.candidates]}
    return Finding("missing-image", case.root, case.path, case.run_id, case.name, evidence, ("mark-lost",))
