"""What the Bin section does when something is pressed. Deeds go to the background; each was shown before it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import gradio as gr

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.names import is_run_id
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.reconcile.cull import ImageKey
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import MOST_PICKED, Ask, read_link
from lib_sdpipe.ui.bin import markup
from lib_sdpipe.ui.bin.desk import BinDesk, BinDesks, Preview
from lib_sdpipe.ui.bin.present import present_cull, present_preview
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.small_pictures import SmallPictures
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.bin import measure_bin, view_bin
from lib_sdpipe.workspace.page_address import build_bin_thumbnail_address, build_thumbnail_address

CULLS_PER_PAGE = 10
TILES_PER_CULL = 24


@dataclass(frozen=True)
class View:
    """What of the section one page shows. `version` is the desk's as it was shown last; `open` a cull that is shown whole."""

    version: int = 0
    preview: str | None = None
    after: str | None = None
    open: str | None = None


class BinEvents:
    """Each handler returns updates of: what runs, the page, the view."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._desks = BinDesks(frame.background)
        self._deeds: dict[str, Callable[[Ask, BinDesk, View], View]] = {
            "look": lambda ask, desk, view: view, "preview": self._preview, "cull": self._cull, "drop": self._drop,
            "restore": self._restore, "restore-chosen": self._restore_chosen, "purge-preview": self._preview_purge,
            "purge": self._purge, "stop": self._stop, "close": self._close, "turn": self._turn, "open": self._open,
        }

    def do(self, ask: Ask, view: View) -> Updates:
        """Whatever the page asks; what it asks and does not exist changes nothing."""
        desk, asked = self._desks.of(ask.workspace), ask.text("do") or "look"
        deed = self._deeds.get(asked)
        changed = deed(ask, desk, view) if deed is not None else view
        # In this order: a page that is told that the work has ended asks no more, and so shows what came of it.
        work, version = self._show_work(desk), desk.version
        if asked == "look" and ask.data.get("again") is not True and view.version == version:
            return work, gr.update(), view
        return work, self._show(ask, desk, changed), replace(changed, version=version)

    # --- showing ---

    def _show_work(self, desk: BinDesk) -> str:
        work = desk.work
        if work is None:
            return ""
        if not work.is_running:
            return markup.show_fault(self._frame.readable(work.fault) if work.fault else None)
        progress = work.progress
        return markup.show_work(work.name, "", progress.done, progress.total, work.state == "stopping")

    def _show(self, ask: Ask, desk: BinDesk, view: View) -> str:
        workspace, parts = ask.workspace, []
        if not workspace.layout.runs.exists():
            return f'<div class="sdpipe-bin">{markup.show_head(0, "", can_purge=False)}</div>'
        preview = desk.find_preview(view.preview, ask.user)
        if preview is not None and view.preview is not None:
            parts.append(self._show_preview(workspace, preview, view.preview))
        if desk.outcome is not None and desk.outcome.user == ask.user:
            failed = tuple((what, self._frame.readable(why)) for what, why in desk.outcome.failed)
            parts.append(markup.show_outcome(replace(desk.outcome, failed=failed)))
        page = view_bin(workspace, CULLS_PER_PAGE, view.after)
        files, size = measure_bin(workspace) if workspace.viewer is None else _count(page.culls)
        parts.append(markup.show_head(files, words.format_bytes(size), can_purge=workspace.viewer is None))
        cards = [present_cull(cull, datetime.now(), cull.apply_id == view.open, TILES_PER_CULL) for cull in page.culls]
        for card in cards:
            shown = [tile for tile in card.tiles if tile.has_picture]
            addresses = {(card.apply_id, tile.op): build_bin_thumbnail_address(card.apply_id, tile.op) for tile in shown}
            parts.append(markup.show_cull(card, addresses))
        parts.append(markup.show_pager(view.after is None, page.next))
        return f'<div class="sdpipe-bin">{"".join(parts)}</div>'

    def _show_preview(self, workspace: Workspace, preview: Preview, preview_id: str) -> str:
        if preview.purge is not None:
            return markup.show_purge(preview.purge, preview_id)
        assert preview.cull is not None
        shown = present_preview(preview.cull, self._frame.hides_folders)
        refused = tuple((name, self._frame.readable(reason)) for name, reason in shown.refused)
        addresses: dict[tuple[str, str], str | None] = {}
        unrecorded = []
        for number, tile in enumerate(shown.tiles):
            if tile.key.run_id is not None and tile.key.name is not None and tile.has_picture:
                addresses["", str(number)] = build_thumbnail_address(tile.key.run_id, tile.key.name)
            elif tile.key.run_id is None:
                unrecorded.append(number)
        places = [(shown.tiles[number].key.root, shown.tiles[number].key.path) for number in unrecorded]
        for number, picture in zip(unrecorded, SmallPictures(workspace).find_all(places) if places else ()):
            addresses["", str(number)] = picture
        return markup.show_preview(replace(shown, refused=refused), preview_id, addresses)

    # --- deeds ---

    def _preview(self, ask: Ask, desk: BinDesk, view: View) -> View:
        images, runs = read_chosen(ask.data)
        if not images and not runs:
            raise UsageError("No image is chosen: tick images in the lists first.")
        return replace(view, preview=desk.preview(ask.workspace, images, runs, ask.user), after=None)

    def _cull(self, ask: Ask, desk: BinDesk, view: View) -> View:
        desk.cull(ask.workspace, ask.text("preview") or "", ask.user)
        return replace(view, preview=None, after=None)

    def _drop(self, ask: Ask, desk: BinDesk, view: View) -> View:
        desk.drop(ask.text("preview"))
        return replace(view, preview=None)

    def _restore(self, ask: Ask, desk: BinDesk, view: View) -> View:
        """A whole cull, or those operations of it that are named."""
        apply_id, ops = ask.text("cull"), ask.data.get("ops")
        if apply_id is not None:
            chosen = [op for op in ops if isinstance(op, str)] if isinstance(ops, list) else None
            desk.restore(ask.workspace, {apply_id: chosen}, ask.user)
        return view

    def _restore_chosen(self, ask: Ask, desk: BinDesk, view: View) -> View:
        wanted: dict[str, list[str] | None] = {}
        chosen = ask.data.get("chosen")
        for one in chosen[:MOST_PICKED] if isinstance(chosen, list) else ():
            apply_id, op = (one.get("cull"), one.get("op")) if isinstance(one, dict) else (None, None)
            if isinstance(apply_id, str) and isinstance(op, str):
                ops = wanted.setdefault(apply_id, [])
                ops += [op] if ops is not None and op not in ops else []
        if not wanted:
            raise UsageError("No image is chosen: tick images of the bin first.")
        desk.restore(ask.workspace, wanted, ask.user)
        return view

    def _preview_purge(self, ask: Ask, desk: BinDesk, view: View) -> View:
        ask.workspace.check_sees_all()
        days = ask.data.get("days")
        if isinstance(days, bool) or not isinstance(days, (int, float)) or not 0 <= days < 100_000:
            raise UsageError("how many days old what is deleted must be is a number")
        return replace(view, preview=desk.preview_purge(ask.workspace, float(days), ask.user))

    def _purge(self, ask: Ask, desk: BinDesk, view: View) -> View:
        ask.workspace.check_sees_all()
        desk.purge(ask.workspace, ask.text("preview") or "", ask.user)
        return replace(view, preview=None, after=None)

    def _stop(self, ask: Ask, desk: BinDesk, view: View) -> View:
        desk.stop()
        return view

    def _close(self, ask: Ask, desk: BinDesk, view: View) -> View:
        desk.close_outcome()
        return view

    def _turn(self, ask: Ask, desk: BinDesk, view: View) -> View:
        return replace(view, after=ask.text("after"))

    def _open(self, ask: Ask, desk: BinDesk, view: View) -> View:
        return replace(view, open=ask.text("cull"))


def read_chosen(data: Json) -> tuple[list[ImageKey], list[str]]:
    """(images, whole runs) that a press names: `picked` and `images` of the page, `runs`. What is none of them is passed over."""
    found: list[ImageKey] = []
    for name in ("images", "picked"):
        values = data.get(name)
        found += [key for value in (values[:MOST_PICKED] if isinstance(values, list) else ()) if (key := _read_key(value)) is not None]
    runs = data.get("runs")
    run_ids = [run for run in (runs[:MOST_PICKED] if isinstance(runs, list) else ()) if isinstance(run, str) and is_run_id(run)]
    return list(dict.fromkeys(found)), list(dict.fromkeys(run_ids))


def _read_key(value: Any) -> ImageKey | None:
    link = read_link(value)
    if link is not None:
        return ImageKey(link.run_id, link.name) if link.name else None
    root, path = (value.get("root"), value.get("path")) if isinstance(value, dict) else (None, None)
    return ImageKey(root=root, path=path) if isinstance(root, str) and isinstance(path, str) else None


def _count(culls: list[Any]) -> tuple[int, int]:
    """Of what one user sees: that page's."""
    files = sum(len(item.image.files) for cull in culls for item in cull.items)
    return files or sum(len(cull.items) for cull in culls), sum(cull.bytes for cull in culls)
