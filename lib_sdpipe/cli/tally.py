"""Findings as they come, a million if need be: counted by code, the first of each kept to be shown, all of them spooled for JSON."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass, field
from typing import IO

from lib_sdpipe.manifest.codec import format_answer
from lib_sdpipe.reconcile.findings import ERROR, Finding

# Findings of one code that a person is shown.
SHOWN = 5
_SPOOLED_BYTES = 8 << 20


@dataclass
class OfCode:
    """The findings of one code. `count` is of images or records, `findings` of findings."""

    count: int = 0
    findings: int = 0
    shown: list[Finding] = field(default_factory=list)
    operations: set[str] = field(default_factory=set)


class Tally:
    """`counts` as `check --json` has them."""

    def __init__(self, is_spooled: bool) -> None:
        self.by_code: dict[str, OfCode] = {}
        self.levels: Counter[str] = Counter()
        self.spool: IO[bytes] | None = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) if is_spooled else None

    def add(self, finding: Finding) -> None:
        of_code = self.by_code.setdefault(finding.code, OfCode())
        of_code.count += finding.count
        of_code.findings += 1
        of_code.operations.update(finding.operations)
        if len(of_code.shown) < SHOWN:
            of_code.shown.append(finding)
        self.levels[finding.level] += 1
        if self.spool is not None:
            separator = b",\n    " if sum(self.levels.values()) > 1 else b"\n    "
            self.spool.write(separator + format_answer(finding.to_json()).rstrip(b"\n").replace(b"\n", b"\n    "))

    def close(self) -> None:
        if self.spool is not None:
            self.spool.close()

    @property
    def counts(self) -> dict[str, int]:
        return {code: of_code.count for code, of_code in self.by_code.items()}

    @property
    def has_errors(self) -> bool:
        return self.levels[ERROR] > 0
