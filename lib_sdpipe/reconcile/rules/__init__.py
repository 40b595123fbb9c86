"""The registry of rules: one file for each code, one line here.

Of a recorded picture the first rule that answers explains it; a run may have several findings.
"""

from __future__ import annotations

from typing import Callable, Iterator

from lib_sdpipe.reconcile.cases import PictureCase, RunCase
from lib_sdpipe.reconcile.findings import Finding
from lib_sdpipe.reconcile.rules.conflicting_run_id import check_conflicting_run_id, check_renamed_run
from lib_sdpipe.reconcile.rules.duplicated_image import check_duplicated_image
from lib_sdpipe.reconcile.rules.incomplete_run import check_incomplete_run
from lib_sdpipe.reconcile.rules.missing_image import check_missing_image
from lib_sdpipe.reconcile.rules.missing_run_file import check_missing_run_file
from lib_sdpipe.reconcile.rules.modified_image import check_modified_image
from lib_sdpipe.reconcile.rules.moved_image import check_moved_image
from lib_sdpipe.reconcile.rules.newer_schema import check_newer_schema
from lib_sdpipe.reconcile.rules.orphaned_image import check_orphaned_image
from lib_sdpipe.reconcile.rules.retagged_image import check_retagged_image
from lib_sdpipe.reconcile.rules.stripped_image import check_stripped_image
from lib_sdpipe.reconcile.rules.unavailable_root import check_unavailable_root
from lib_sdpipe.reconcile.rules.unfinished_run import check_unfinished_run
from lib_sdpipe.reconcile.rules.unlinked_manifest import check_unlinked_manifest
from lib_sdpipe.reconcile.rules.unreadable_image import check_unreadable_file, check_unreadable_image
from lib_sdpipe.reconcile.rules.unreadable_manifest import check_unreadable_manifest
from lib_sdpipe.reconcile.rules.unreadable_run_file import check_unreadable_run_file

RUN_RULES: tuple[Callable[[RunCase], Iterator[Finding]], ...] = (
    check_newer_schema, check_unreadable_run_file, check_missing_run_file, check_unreadable_manifest, check_unlinked_manifest,
    check_conflicting_run_id, check_incomplete_run, check_unfinished_run,
)
PICTURE_RULES: tuple[Callable[[PictureCase], Finding | None], ...] = (
    check_moved_image, check_missing_image, check_unreadable_image, check_stripped_image, check_retagged_image, check_modified_image,
)

__all__ = [
    "PICTURE_RULES", "RUN_RULES", "check_duplicated_image", "check_orphaned_image", "check_renamed_run", "check_unavailable_root",
    "check_unreadable_file",
]
