"""What the Bin section says of images that would go, or that lie in the bin: texts, and nothing of HTML."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from lib_sdpipe.reconcile.cull import CulledFile, CullItem, ImageKey
from lib_sdpipe.ui import words
from lib_sdpipe.workspace.bin import HERE, BinCull, BinItem
from lib_sdpipe.workspace.cull import CullView

TILES = 60
_CHILDREN_NAMED = 3


@dataclass(frozen=True)
class TileView:
    """One image. `key` tells whose picture is to be shown; `op` is its operation where it lies in the bin."""

    key: ImageKey
    title: str
    where: str
    size: str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    op: str = ""
    has_picture: bool = True


@dataclass(frozen=True)
class PreviewView:
    """A cull that waits for a yes. `more`: how many images are not shown; `refused`: what stays, and why."""

    count: int
    empty_runs: int
    size: str
    tiles: tuple[TileView, ...]
    more: int
    refused: tuple[tuple[str, str], ...]
    runs: tuple[str, ...]
    has_children: int


@dataclass(frozen=True)
class CullCard:
    """One cull in the bin."""

    apply_id: str
    when: str
    count: int
    size: str
    tiles: tuple[TileView, ...]
    more: int
    is_stopped: bool


def present_preview(view: CullView, hides_folders: bool) -> PreviewView:
    """`hides_folders`: where a copy lies that is in no root is not told."""
    return PreviewView(
        view.count, len(view.items) - view.count, words.format_bytes(view.bytes),
        tuple(_present_item(item, hides_folders) for item in view.items[:TILES]),
        max(0, len(view.items) - TILES), tuple((name_image(key), reason) for key, reason in view.refused),
        tuple(words.format_label(run_id) for run_id in view.runs), sum(1 for item in view.items if item.children),
    )


def present_cull(cull: BinCull, now: datetime, shows_all: bool, tiles: int) -> CullCard:
    moment = words.to_local(cull.at)
    when = f"{words.format_day(moment, now)}, {moment:%H:%M}" if moment is not None else cull.at
    shown = cull.items if shows_all else cull.items[:tiles]
    return CullCard(
        cull.apply_id, when, len(cull.items), words.format_bytes(cull.bytes), tuple(map(_present_binned, shown)),
        len(cull.items) - len(shown), cull.is_stopped,
    )


def name_image(key: ImageKey) -> str:
    if key.run_id is None:
        return (key.path or "").rpartition("/")[2]
    label = words.format_label(key.run_id)
    return f"{key.name} · {label}" if key.name else label


def _present_item(item: CullItem, hides_folders: bool) -> TileView:
    title, where = _name(item.key)
    notes = [f"goes along: {_name_file(file)}" for file in item.files[1:]]
    notes += [f"stays: {_hide(place) if hides_folders else place}" for place in item.stays]
    if not item.files:
        notes.append("no file is left; its record is marked as lost" if item.key.name else "a run without images; its record is marked")
    named = ", ".join(name_image(child) for child in item.children[:_CHILDREN_NAMED])
    more = len(item.children) - _CHILDREN_NAMED
    children = f"used for {named}" + (f" and {more} more" if more > 0 else "") if named else ""
    return TileView(
        item.key, title, where, words.format_bytes(item.bytes) if item.files else "", tuple(notes), (children,) if children else (),
        has_picture=bool(item.files),
    )


def _present_binned(item: BinItem) -> TileView:
    title, where = _name(item.key)
    further = item.image.files[1:]
    notes = [f"with {words.format_count(len(further), 'further file')}"] if further else []
    if item.state != HERE:
        notes.append("no file went with it")
    size = words.format_bytes(item.bytes) if item.state == HERE else ""
    return TileView(item.key, title, where, size, tuple(notes), op=item.image.op, has_picture=item.state == HERE)


def _name(key: ImageKey) -> tuple[str, str]:
    """(title, where it is of)."""
    if key.run_id is not None:
        return key.name or "Run", words.format_label(key.run_id)
    folder, _, name = (key.path or "").rpartition("/")
    return name, f"{key.root}: {folder}" if folder else key.root or ""


def _name_file(file: CulledFile) -> str:
    name = file.path.rpartition("/")[2]
    return f"{name} (its copy in the run folder)" if file.root == "runs" else name


def _hide(place: str) -> str:
    return place.rpartition("/")[2] if place.startswith("/") or ":" in place[:2] else place
