"""What the Bin section of one library is at while the page's server runs: previews, what runs, what the last deed did.

Long work runs in the background and leaves what came of it here.
"""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.reconcile.cull import ImageKey
from lib_sdpipe.store.quarantine import Purge
from lib_sdpipe.ui.background import Background, LongWork
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.cull import CullView

LOOK, CULL, RESTORE, COUNT, PURGE = "Looking at the chosen images", "Moving to the bin", "Restoring", "Counting", "Deleting for good"
_MOST_PREVIEWS = 8
_DAY_SECONDS = 86400.0
# What is done by then is shown at once; for the rest the page looks again.
_PATIENCE_SECONDS = 0.4


@dataclass(frozen=True)
class Preview:
    """What would be done, as it was looked at: a cull, or a purge of what was set aside `before` (seconds since 1970)."""

    user: str | None
    cull: CullView | None = None
    purge: Purge | None = None
    before: float = 0.0


@dataclass(frozen=True)
class Outcome:
    """What a deed did. `count` images or files; `failed`: (what, why); `apply_id` of a cull that can be taken back."""

    deed: str
    user: str | None
    count: int = 0
    bytes: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    is_stopped: bool = False
    apply_id: str | None = None


class BinDesk:
    """One library's. `version` grows with each change that a page should show. What one user previews, no other sees."""

    def __init__(self, background: Background, lane: str) -> None:
        self.version = 1
        self.outcome: Outcome | None = None
        self._previews: OrderedDict[str, Preview] = OrderedDict()
        self._background, self._lane = background, lane

    @property
    def work(self) -> LongWork | None:
        return self._background.find(self._lane)

    def find_preview(self, preview_id: str | None, user: str | None) -> Preview | None:
        preview = self._previews.get(preview_id or "")
        return preview if preview is not None and preview.user == user else None

    def drop(self, preview_id: str | None) -> None:
        self._previews.pop(preview_id or "", None)
        self.version += 1

    def close_outcome(self) -> None:
        self.outcome = None
        self.version += 1

    def stop(self) -> None:
        if self.work is not None:
            self.work.stop()

    def preview(self, workspace: Workspace, images: list[ImageKey], runs: list[str], user: str | None) -> str:
        """Look at what would go; the id of the preview that there will be. Raises LockedError."""
        from lib_sdpipe.workspace.cull import look_at_cull

        preview_id = secrets.token_hex(8)

        def work(long_work: LongWork) -> None:
            view = look_at_cull(workspace, images, runs, lambda done, total: long_work.report("looking", done, total))
            self._keep(preview_id, Preview(user, view))

        self._start(LOOK, work, user)
        return preview_id

    def cull(self, workspace: Workspace, preview_id: str, user: str | None) -> None:
        """Do what was shown under this id. Raises UnknownNameError, LockedError."""
        from lib_sdpipe.workspace.cull_deed import cull

        view = self._take(preview_id, user).cull or CullView()

        def work(long_work: LongWork) -> None:
            answer = cull(workspace, view, long_work.note, long_work.should_stop)
            failed = tuple((str(key), reason) for key, reason in answer.failed)
            self.outcome = Outcome(CULL, user, answer.done, 0, failed, answer.is_stopped, answer.apply_id)

        self._start(CULL, work, user, preview_id)

    def restore(self, workspace: Workspace, wanted: dict[str, list[str] | None], user: str | None) -> None:
        """`wanted`: operations by cull, None: all of it. Raises LockedError."""
        from lib_sdpipe.workspace.bin import read_names, restore

        def work(long_work: LongWork) -> None:
            done, failed = 0, list[tuple[str, str]]()
            for apply_id, ops in wanted.items():
                names = read_names(workspace, apply_id)
                answer = restore(workspace, apply_id, ops, long_work.note, long_work.should_stop)
                done += answer.done
                failed += [(names.get(one["id"], one["id"]), one["reason"]) for one in answer.failed]
            self.outcome = Outcome(RESTORE, user, done, 0, tuple(failed), long_work.should_stop())

        self._start(RESTORE, work, user)

    def preview_purge(self, workspace: Workspace, days: float, user: str | None) -> str:
        """Count what would be deleted. Raises LockedError."""
        from lib_sdpipe.workspace.bin import empty_bin

        preview_id, before = secrets.token_hex(8), time.time() - days * _DAY_SECONDS

        def work(long_work: LongWork) -> None:
            found = empty_bin(workspace, before, False, long_work.note, long_work.should_stop)
            self._keep(preview_id, Preview(user, purge=found, before=before))

        self._start(COUNT, work, user)
        return preview_id

    def purge(self, workspace: Workspace, preview_id: str, user: str | None) -> None:
        """Delete what was counted under this id. Raises UnknownNameError, LockedError."""
        from lib_sdpipe.workspace.bin import empty_bin

        before = self._take(preview_id, user).before

        def work(long_work: LongWork) -> None:
            found = empty_bin(workspace, before, True, long_work.note, long_work.should_stop)
            failed = tuple((one["id"], one["reason"]) for one in found.failed)
            self.outcome = Outcome(PURGE, user, found.files, found.bytes, failed, long_work.should_stop())

        self._start(PURGE, work, user, preview_id)

    def _take(self, preview_id: str, user: str | None) -> Preview:
        preview = self.find_preview(preview_id, user)
        if preview is None:
            raise UnknownNameError("this preview is not kept any more; choose again, and look at it before it is done")
        return preview

    def _keep(self, preview_id: str, preview: Preview) -> None:
        self._previews[preview_id] = preview
        while len(self._previews) > _MOST_PREVIEWS:
            self._previews.popitem(last=False)

    def _start(self, name: str, work: Callable[[LongWork], None], user: str | None, done_preview: str | None = None) -> None:
        """Raises LockedError while other work runs."""

        def run(long_work: LongWork) -> None:
            self.outcome = None
            try:
                work(long_work)
            finally:
                self.version += 1

        started = self._background.start(self._lane, name, run, user)
        self._previews.pop(done_preview or "", None)
        self.version += 1
        until = time.monotonic() + _PATIENCE_SECONDS
        while started.is_running and time.monotonic() < until:
            time.sleep(0.01)


class BinDesks:
    """Of all libraries that the page has shown: its runs folder is a setting."""

    def __init__(self, background: Background) -> None:
        self._background = background
        self._of: dict[str, BinDesk] = {}

    def of(self, workspace: Workspace) -> BinDesk:
        runs = str(workspace.layout.runs)
        return self._of.setdefault(runs, BinDesk(self._background, f"bin {runs}"))
