"""Moving to the bin what was looked at before: by a plan with one operation for each image, so that each can come back."""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.manifest.times import format_utc
from lib_sdpipe.reconcile.acts import Place
from lib_sdpipe.reconcile.cull import PLAN_PREFIX, CulledFile, CullItem, ImageKey, build_cull
from lib_sdpipe.reconcile.operations.operation import Operation
from lib_sdpipe.reconcile.plan import build_plan
from lib_sdpipe.store.apply import apply_plan
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.repair import Progress, no_progress
from lib_sdpipe.workspace.bin import settle_stopped
from lib_sdpipe.workspace.cull import CullView
from lib_sdpipe.workspace.index_update import tell_index
from lib_sdpipe.workspace.workspace import Workspace

_PIECE_BYTES = 1 << 20


@dataclass
class CullAnswer:
    """What became of it. `apply_id` names the cull in the bin, None where nothing went; `failed` stay as they are, with a sentence each."""

    apply_id: str | None = None
    done: int = 0
    failed: list[tuple[ImageKey, str]] = field(default_factory=list)
    is_stopped: bool = False
    seconds: float = 0.0

    def to_json(self) -> Json:
        failed = [{**key.to_json(), "reason": reason} for key, reason in self.failed]
        return {"apply_id": self.apply_id, "done": self.done, "failed": failed, "stopped": self.is_stopped, "seconds": self.seconds}


def cull(
    workspace: Workspace, view: CullView, progress: Progress = no_progress, should_stop: Callable[[], bool] = lambda: False,
) -> CullAnswer:
    """Move what `view` found to the bin. A file that is not as it was then stays, and so does all that belongs to it.

    Raises LockedError while another process repairs, RecordError for a damaged library.json, OSError where nothing can be written.
    """
    started, answer = time.monotonic(), CullAnswer(failed=list(view.refused))
    settle_stopped(workspace)
    operations, keys = _plan(workspace, view.items, answer, progress, should_stop)
    if operations and not answer.is_stopped:
        _apply(workspace, operations, keys, answer, progress, should_stop)
    answer.seconds = round(time.monotonic() - started, 3)
    return answer


def _plan(
    workspace: Workspace, items: list[CullItem], answer: CullAnswer, progress: Progress, should_stop: Callable[[], bool],
) -> tuple[list[Operation], list[CullItem]]:
    reading, now = _Reading(workspace), format_utc(time.time())
    operations: list[Operation] = []
    planned: list[CullItem] = []
    for number, item in enumerate(items):
        if should_stop():
            answer.is_stopped = True
            break
        progress("reading", number, len(items))
        try:
            operations.append(build_cull(item, [reading.content(file) for file in item.files], reading.record(item), now))
            planned.append(item)
        except RefusedError as fault:
            answer.failed.append((item.key, str(fault)))
        except OSError as fault:
            answer.failed.append((item.key, fault.strerror or str(fault)))
    return operations, planned


def _apply(
    workspace: Workspace, operations: list[Operation], items: list[CullItem], answer: CullAnswer, progress: Progress,
    should_stop: Callable[[], bool],
) -> None:
    now, layout = format_utc(time.time()), workspace.layout
    library = workspace.library().document.get("id") if layout.library_file.exists() else None
    plan = build_plan(operations, f"{PLAN_PREFIX}{now[:10]}-{secrets.token_hex(4)}", now, library)
    by_id = {operation["id"]: item for operation, item in zip(plan["operations"], items)}
    try:
        done = apply_plan(layout, plan, progress=progress, should_stop=should_stop)
    finally:
        run_ids = [item.key.run_id for item in items if item.key.run_id is not None]
        tell_index(workspace, run_ids, [(file.root, file.path) for item in items for file in item.files])
    answer.apply_id, answer.done, answer.is_stopped = done.apply_id, done.done, done.is_interrupted
    answer.failed += [(by_id[one["id"]].key, one["reason"]) for one in done.failed]


class _Reading:
    """Digests of what goes. A file that was written to or exchanged since it was looked at is refused."""

    def __init__(self, workspace: Workspace) -> None:
        self._runs = workspace.layout.runs
        self._places = Places(workspace.layout, workspace.library())
        self._known: dict[tuple[int, int], str] = {}

    def content(self, file: CulledFile) -> Json:
        path = self._places.find_writable(Place(file.root, file.path))
        try:
            found = os.lstat(path)
        except FileNotFoundError as fault:
            raise RefusedError(f"{path.name}: it is not there any more") from fault
        if (found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino)) != (file.bytes, file.mtime_ns, file.inode):
            raise RefusedError(f"{path.name}: it has changed since it was shown; look at it again")
        sha256 = file.sha256 or self._known.get(file.inode)
        if sha256 is None:
            sha256 = self._known[file.inode] = _digest(path)
        return {"bytes": file.bytes, "sha256": sha256}

    def record(self, item: CullItem) -> Json | None:
        if item.record_file is None:
            return None
        data = (self._runs / item.record_file).read_bytes()
        return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def _digest(path: "os.PathLike[str]") -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while piece := file.read(_PIECE_BYTES):
            digest.update(piece)
    return digest.hexdigest()
