"""`duplicated-image`: further files with the same bytes, that nobody names."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import CopiesCase
from lib_sdpipe.reconcile.findings import Finding


def check_duplicated_image(case: CopiesCase) -> Finding | None:
    if not case.others:
        return None
    evidence = {
        "sha256": case.sha256, "bytes": case.original.bytes, "others": [{**other.place, "bytes": other.bytes} for other in case.others],
    }
    original = case.original
    return Finding(
        "duplicated-image", original.root, original.path, case.run_id, case.name, evidence, ("quarantine",), len(case.others),
    )
