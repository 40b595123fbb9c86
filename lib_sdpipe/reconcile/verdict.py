"""One image held against its record, byte for byte: the words that `verify` answers with."""

from __future__ import annotations

from lib_sdpipe.reconcile.cases import PictureCase
from lib_sdpipe.reconcile.check import check_picture
from lib_sdpipe.reconcile.findings import Json

IDENTICAL = "identical"
VERDICTS = (IDENTICAL, "retagged", "stripped", "modified", "missing", "unreadable", "unrecorded", "not-comparable")

_OF_CODES = {"retagged-image": "retagged", "stripped-image": "stripped", "modified-image": "modified"}


def judge_picture(case: PictureCase) -> tuple[str, Json]:
    """(verdict, evidence) of a recorded picture whose file, where there is one, was read to the last byte."""
    file, evidence = case.file, {"recorded": case.recorded}
    if file is None:
        return "missing", evidence
    evidence["found"] = file.content
    if case.sha256 is not None and file.sha256 == case.sha256:
        return IDENTICAL, evidence
    if file.problem is not None:
        return "unreadable", {"problem": file.problem, **evidence}
    if file.undecodable is not None:
        return "not-comparable", {"problem": file.undecodable, **evidence}
    if case.pixel_sha256 is None:
        why = "its record has no digests" if case.sha256 is None else "its record has no digest of its pixels, and its bytes are others"
        return "not-comparable", {"problem": why, **evidence}
    if case.sha256 is None and case.has_same_pixels:
        return IDENTICAL, {"by": "pixels", **evidence}
    finding = check_picture(case)
    return (_OF_CODES[finding.code], finding.evidence) if finding is not None else ("not-comparable", evidence)
