"""What a check finds: one finding for each thing that does not fit, with the evidence and what can be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

ERROR, NOTICE = "error", "notice"


@dataclass(frozen=True)
class Code:
    """`chosen`: the operation that a plan takes by itself; only such as change our own JSON."""

    level: str
    operations: tuple[str, ...] = ()
    chosen: str | None = None


CODES: dict[str, Code] = {
    "missing-image": Code(NOTICE, ("mark-lost",)),
    "moved-image": Code(ERROR, ("relink",), "relink"),
    "modified-image": Code(ERROR, ("accept", "restore")),
    "retagged-image": Code(ERROR, ("accept", "write-infotext")),
    "stripped-image": Code(ERROR, ("accept", "write-infotext")),
    "orphaned-image": Code(NOTICE, ("adopt",)),
    "duplicated-image": Code(NOTICE, ("quarantine",)),
    "unreadable-image": Code(ERROR, ("quarantine", "restore")),
    "unlinked-manifest": Code(ERROR, ("backfill",), "backfill"),
    "conflicting-run-id": Code(ERROR, ("relink",), "relink"),
    "unreadable-manifest": Code(ERROR, ("rebuild-manifest",), "rebuild-manifest"),
    "missing-run-file": Code(ERROR, ("rebuild-run",), "rebuild-run"),
    "unreadable-run-file": Code(ERROR, ("rebuild-run",), "rebuild-run"),
    "incomplete-run": Code(ERROR, ("rebuild-run",), "rebuild-run"),
    "unfinished-run": Code(ERROR, ("close-run",), "close-run"),
    "newer-schema": Code(NOTICE),
    "unavailable-root": Code(NOTICE),
}


@dataclass(frozen=True)
class Finding:
    """`path` in `root` is what the finding is about; `count` images or records (of duplicates, the extra copies).

    `operations` are those that the evidence allows here, of those that the code has.
    """

    code: str
    root: str | None
    path: str | None
    run_id: str | None = None
    name: str | None = None
    evidence: Json = field(default_factory=dict)
    operations: tuple[str, ...] = ()
    count: int = 1

    @property
    def level(self) -> str:
        return CODES[self.code].level

    def to_json(self) -> Json:
        return {
            "code": self.code, "level": self.level, "path": self.path, "root": self.root, "run_id": self.run_id, "name": self.name,
            "evidence": self.evidence, "operations": list(self.operations),
        }
