"""Findings as they come, a million if need be: counted by code, the first of each kept to be shown, all of them spooled."""

from __future__ import annotations

import json
import tempfile
import threading
import weakref
from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import IO

from lib_sdpipe.manifest.codec import format_answer
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.findings import ERROR, Finding

# Findings of one code that a person is shown.
SHOWN = 5
_SPOOLED_BYTES = 8 << 20


def _no_places() -> array[int]:
    return array("Q")


@dataclass
class OfCode:
    """The findings of one code. `count` is of images or records, `findings` of findings, `operations` of those that allow each.

    `places`: where each begins and ends in the spool.
    """

    count: int = 0
    findings: int = 0
    shown: list[Finding] = field(default_factory=list)
    operations: Counter[str] = field(default_factory=Counter)
    places: array[int] = field(default_factory=_no_places)


class Tally:
    """`counts` as `check --json` has them. The spool holds the items of its list of findings."""

    def __init__(self, is_spooled: bool) -> None:
        self.by_code: dict[str, OfCode] = {}
        self.levels: Counter[str] = Counter()
        self.spool: IO[bytes] | None = tempfile.SpooledTemporaryFile(_SPOOLED_BYTES) if is_spooled else None
        self._lock = threading.Lock()
        if self.spool is not None:
            weakref.finalize(self, self.spool.close)

    def add(self, finding: Finding) -> None:
        of_code = self.by_code.setdefault(finding.code, OfCode())
        of_code.count += finding.count
        of_code.findings += 1
        of_code.operations.update(finding.operations)
        if len(of_code.shown) < SHOWN:
            of_code.shown.append(finding)
        self.levels[finding.level] += 1
        if self.spool is not None:
            self.spool.write(b",\n    " if sum(self.levels.values()) > 1 else b"\n    ")
            of_code.places.append(self.spool.tell())
            self.spool.write(format_answer(finding.to_json()).rstrip(b"\n").replace(b"\n", b"\n    "))
            of_code.places.append(self.spool.tell())

    def read(self, code: str, start: int, count: int) -> list[Json]:
        """Some findings of a code as they stand in `check --json`; only once all are spooled."""
        of_code = self.by_code.get(code)
        if of_code is None or self.spool is None:
            return []
        found = []
        with self._lock:
            for number in range(start, min(start + count, of_code.findings)):
                begin, end = of_code.places[2 * number : 2 * number + 2]
                self.spool.seek(begin)
                found.append(json.loads(self.spool.read(end - begin)))
        return found

    def close(self) -> None:
        if self.spool is not None:
            self.spool.close()

    @property
    def counts(self) -> dict[str, int]:
        return {code: of_code.count for code, of_code in self.by_code.items()}

    @property
    def has_errors(self) -> bool:
        return self.levels[ERROR] > 0
