"""The rules at work: cases in, findings out."""

from __future__ import annotations

from typing import Iterator

from lib_sdpipe.reconcile.cases import PictureCase, RunCase
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.rules import PICTURE_RULES, RUN_RULES


def check_run(case: RunCase) -> Iterator[Finding]:
    for rule in RUN_RULES:
        yield from rule(case)


def check_picture(case: PictureCase) -> Finding | None:
    """The one finding that explains it; None where all is well after all."""
    return next((finding for rule in PICTURE_RULES if (finding := rule(case)) is not None), None)
