"""The bin of a library: what was thrown away and can come back, and emptying it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from lib_sdpipe.errors import RefusedError, UnknownNameError
from lib_sdpipe.images.thumbnail import ensure_thumbnail
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.cull import ImageKey
from lib_sdpipe.store.bin import BinnedImage, Cull, find_aside, iter_culls, read_cull
from lib_sdpipe.store.confine import Places
from lib_sdpipe.store.quarantine import Purge, measure_quarantines, purge_before
from lib_sdpipe.store.repair import Progress, RepairAnswer, no_progress
from lib_sdpipe.store.undo import put_in_order, undo
from lib_sdpipe.workspace.index_update import tell_index
from lib_sdpipe.workspace.workspace import Workspace

_LOOKED_AT = 20
HERE, GONE, RECORD = "here", "gone", "record"


@dataclass(frozen=True)
class BinItem:
    """An image in the bin. `state`: `here`; `gone`, it was purged or removed from quarantine; `record`, no file went with it."""

    image: BinnedImage
    state: str
    bytes: int

    @property
    def key(self) -> ImageKey:
        return self.image.key

    def to_json(self) -> Json:
        files = [{"root": file.place.root, "path": file.place.path, "bytes": file.bytes} for file in self.image.files]
        return {"operation": self.image.op, **self.key.to_json(), "state": self.state, "bytes": self.bytes, "files": files}


@dataclass(frozen=True)
class BinCull:
    """One cull with what is left of it."""

    apply_id: str
    at: str
    items: tuple[BinItem, ...]
    is_stopped: bool

    @property
    def bytes(self) -> int:
        return sum(item.bytes for item in self.items)

    def to_json(self) -> Json:
        items = [item.to_json() for item in self.items]
        return {"apply_id": self.apply_id, "at": self.at, "stopped": self.is_stopped, "bytes": self.bytes, "images": items}


@dataclass(frozen=True)
class BinPage:
    """Some culls, newest first; `next` is the cursor of the page that follows, None on the last."""

    culls: list[BinCull]
    next: str | None

    def to_json(self) -> Json:
        return {"culls": [cull.to_json() for cull in self.culls], "next": self.next}


def view_bin(workspace: Workspace, limit: int = 20, after: str | None = None) -> BinPage:
    """Culls of which an image is in the bin. Raises RecordError for a damaged library.json, OSError."""
    places = _places(workspace)
    shown = (cull for one in iter_culls(workspace.layout, after) if (cull := _show(workspace, places, one)).items)
    culls = list(islice(shown, limit + 1))
    return BinPage(culls[:limit], culls[limit - 1].apply_id if len(culls) > limit else None)


def restore(
    workspace: Workspace, apply_id: str, ops: Collection[str] | None = None, progress: Progress = no_progress,
    should_stop: Callable[[], bool] = lambda: False,
) -> RepairAnswer:
    """Put images of a cull back to where they were, with their records; `ops` None: all of it.

    Raises UnknownNameError for no cull of this library, LockedError while another process repairs.
    """
    settle_stopped(workspace, but=apply_id)
    cull = _find_cull(workspace, apply_id)
    visible = {item.image.op for item in cull.items}
    if ops is not None and set(ops) - visible:
        raise UnknownNameError(f"in cull {apply_id} there is no {sorted(set(ops) - visible)[0]!r} that could be restored")
    wanted = visible if ops is None else set(ops)
    # With all of it named as such, an undo from elsewhere finishes this one where it is stopped.
    whole = {image.op for image in _read(workspace, apply_id).images}
    try:
        answer = undo(workspace.layout, apply_id, progress, should_stop, None if wanted == whole else wanted)
    finally:
        _tell(workspace, [item.image for item in cull.items if item.image.op in wanted])
    images = {item.image.op: item.image for item in cull.items}
    answer.failed = [{**one, "reason": _explain(workspace, images.get(one["id"]), one["reason"])} for one in answer.failed]
    return answer


def read_names(workspace: Workspace, apply_id: str) -> dict[str, str]:
    """What the operations of a cull are about, for sentences."""
    cull = read_cull(workspace.layout, apply_id)
    return {image.op: str(image.key) for image in cull.images} if cull is not None else {}


def measure_bin(workspace: Workspace) -> tuple[int, int]:
    """(files, bytes) of all that is set aside in the roots, by culls and by repairs; two names of one file count once."""
    return measure_quarantines(workspace.library())


def settle_stopped(workspace: Workspace, but: str | None = None) -> int:
    """Put in order what killed processes left half done in the last culls: each image is wholly in the bin then, or wholly back.

    How many culls that were. Raises LockedError while another process is at it, and as `restore`.
    """
    stopped = [cull for cull in islice(iter_culls(workspace.layout), _LOOKED_AT) if cull.is_stopped and cull.apply_id != but]
    for cull in stopped:
        try:
            put_in_order(workspace.layout, cull.apply_id)
        finally:
            _tell(workspace, cull.images)
    return len(stopped)


def empty_bin(
    workspace: Workspace, before: float, is_meant: bool, progress: Progress = no_progress, should_stop: Callable[[], bool] = lambda: False,
) -> Purge:
    """Delete for good what was set aside before that moment (seconds since 1970), by culls and by repairs; or only count it.

    Raises NotAllowedError where somebody sees own runs only, and as `purge`.
    """
    workspace.check_sees_all()
    return purge_before(workspace.layout, before, is_meant, progress, should_stop)


def find_bin_thumbnail(workspace: Workspace, apply_id: str, op: str) -> Path | None:
    """A small picture of an image in the bin, made once; None where there is no readable image."""
    cull = read_cull(workspace.layout, apply_id)
    image = next((image for image in cull.images if image.op == op), None) if cull is not None else None
    if image is None or not image.files or not _is_seen(workspace, image.key):
        return None
    source = find_aside(_places(workspace), image.files[0])
    return ensure_thumbnail(source, workspace.layout.thumbnails, image.files[0].sha256) if source is not None else None


def _show(workspace: Workspace, places: Places, cull: Cull) -> BinCull:
    items = [_item(places, image) for image in cull.images if _is_seen(workspace, image.key)]
    left = tuple(item for item in items if item.state != GONE and not (item.state == RECORD and cull.purged_at is not None))
    return BinCull(cull.apply_id, cull.at, left, cull.is_stopped)


def _item(places: Places, image: BinnedImage) -> BinItem:
    """Bytes of two names of one file count once."""
    if not image.files:
        return BinItem(image, RECORD, 0)
    there = [path for path in (find_aside(places, file) for file in image.files) if path is not None]
    sizes = {(found.st_dev, found.st_ino): found.st_size for found in (path.stat() for path in there)}
    return BinItem(image, HERE if there else GONE, sum(sizes.values()))


def _is_seen(workspace: Workspace, key: ImageKey) -> bool:
    return workspace.viewer is None or (key.run_id is not None and workspace.sees(key.run_id))


def _read(workspace: Workspace, apply_id: str) -> Cull:
    cull = read_cull(workspace.layout, apply_id)
    if cull is None:
        raise UnknownNameError(f"there is no cull {apply_id} in {workspace.layout.runs}")
    return cull


def _find_cull(workspace: Workspace, apply_id: str) -> BinCull:
    """With what is gone, too: an undo says why it cannot come back."""
    cull = _read(workspace, apply_id)
    places = _places(workspace)
    items = tuple(_item(places, image) for image in cull.images if _is_seen(workspace, image.key))
    return replace(_show(workspace, places, cull), items=items)


def _tell(workspace: Workspace, images: Collection[BinnedImage]) -> None:
    run_ids = [image.key.run_id for image in images if image.key.run_id is not None]
    tell_index(workspace, run_ids, [(file.place.root, file.place.path) for image in images for file in image.files])


def _explain(workspace: Workspace, image: BinnedImage | None, reason: str) -> str:
    """Of an image whose old place is taken: what to do about it."""
    places = _places(workspace)
    for file in image.files if image is not None else ():
        try:
            is_taken = places.find_writable(file.place).exists()
        except RefusedError:
            continue
        if is_taken and find_aside(places, file) is not None:
            return f"{file.place}: another file has this name now. Move that one away, and restore again; nothing was written over"
    return reason


def _places(workspace: Workspace) -> Places:
    return Places(workspace.layout, workspace.library())
