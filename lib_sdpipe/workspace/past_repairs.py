"""What was repaired in a library, as its journals tell, and what one of them did, for whoever wants it back."""

from __future__ import annotations

import json
import os
import secrets
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.plan import build_plan
from lib_sdpipe.store.journal import JournalHead, is_apply_id, iter_journals, journal_file, read_journal
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.undo import ApplySummary, summarize_apply
from lib_sdpipe.workspace.kept_plan import KeptPlan

# Of a larger plan only the journal is read.
_LARGEST_PLAN = 256 << 20
_LARGEST_COUNTED = 4 << 20


@dataclass(frozen=True)
class PastRepair:
    """`counts` are the operations of its plan by (code, operation); empty where the plan is too large to be read for a list."""

    summary: ApplySummary
    counts: dict[tuple[str, str], int]


class PastRepairs:
    """A list that is read again and again; only journals that have changed since are read."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, int], PastRepair]] = {}

    def list(self, layout: Layout, start: int, count: int) -> tuple[list[PastRepair], bool]:
        """Some of them, newest first, and whether there are older ones. Raises OSError."""
        found, number = [], 0
        for number, (path, head) in enumerate(iter_journals(layout.journal)):
            if number >= start + count:
                return found, True
            if number >= start:
                found.append(self._summarize(path, head))
        return found, False

    def _summarize(self, path: Path, head: JournalHead) -> PastRepair:
        status = os.stat(path)
        stamp = (status.st_size, status.st_mtime_ns)
        known = self._known.get(path)
        if known is None or known[0] != stamp:
            counts = known[1].counts if known is not None else _count_operations(path)
            self._known[path] = known = (stamp, PastRepair(summarize_apply(path, head), counts))
        return known[1]


def read_applied(layout: Layout, apply_id: str) -> tuple[KeptPlan, bool]:
    """The operations of an apply that were not undone, and whether what they were is not known any more.

    Raises UnknownNameError, RecordError for a damaged journal.
    """
    path = next((path for path, head in iter_journals(layout.journal) if head.apply_id == apply_id), None)
    if path is None:
        raise UnknownNameError(f"there is no repair {apply_id} in this library")
    journal = read_journal(path)
    standing = {one.op for one in journal.standing}
    kept = [_as_operation(one) for op, one in read_operations(layout, apply_id).items() if op in standing]
    plan = KeptPlan(build_plan([], f"undo-{secrets.token_hex(4)}", journal.head.at, journal.head.library), kept)
    return plan, bool(standing) and not kept


def read_operations(layout: Layout, apply_id: str) -> dict[str, Json]:
    """The operations of an apply's plan by their ids, as far as it is there. Raises ValueError for what is no id of an apply."""
    if not is_apply_id(apply_id):
        raise ValueError(f"{apply_id!r} is no id of an apply")
    document = _read_plan(journal_file(layout.journal, apply_id), _LARGEST_PLAN) or {}
    return {str(one.get("id")): one for one in document.get("operations", []) if isinstance(one, dict)}


def _as_operation(one: Json) -> Operation:
    names = ("op", "code", "root", "path", "run_id", "name", "expects", "writes")
    return Operation(*(one.get(name) for name in names))  # type: ignore[arg-type]  # it was applied, so it is a plan's


def _count_operations(journal: Path) -> dict[tuple[str, str], int]:
    document = _read_plan(journal, _LARGEST_COUNTED)
    operations = document.get("operations", []) if document is not None else []
    return dict(Counter((str(one.get("code")), str(one.get("op"))) for one in operations if isinstance(one, dict)))


def _read_plan(journal: Path, most_bytes: int) -> Json | None:
    """The plan that lies beside a journal; None where it does not, or is larger."""
    file = journal.with_suffix(".plan.json")
    try:
        if os.path.getsize(file) > most_bytes:
            return None
        document = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) and isinstance(document.get("operations"), list) else None
