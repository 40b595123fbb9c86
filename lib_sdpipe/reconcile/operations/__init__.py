"""The registry of operations: what each writes. `adopt` looks at all its findings at once: reconcile/adopt has it."""

from __future__ import annotations

from typing import Callable

from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.operations.content import build_accept, build_quarantine, build_restore, build_write_infotext
from lib_sdpipe.reconcile.operations.links import build_backfill, build_mark_lost, build_relink
from lib_sdpipe.reconcile.operations.operation import Operation, Records
from lib_sdpipe.reconcile.operations.records import build_close_run, build_rebuild_manifest, build_rebuild_run

BUILDERS: dict[str, Callable[[Finding, Records, str], list[Operation]]] = {
    "relink": build_relink,
    "backfill": build_backfill,
    "mark-lost": build_mark_lost,
    "accept": build_accept,
    "restore": build_restore,
    "write-infotext": build_write_infotext,
    "quarantine": build_quarantine,
    "rebuild-manifest": build_rebuild_manifest,
    "rebuild-run": build_rebuild_run,
    "close-run": build_close_run,
}
"""Each takes a finding, the records it is about, and the time as text; an empty list where the world has moved on."""
