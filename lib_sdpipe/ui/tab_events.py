"""What the Runs tab does when something is pressed: reads one page or one run and answers with updates. Writes nothing."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Callable, Protocol

import gradio as gr

from lib_sdpipe.errors import SdPipeError, UnknownNameError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.ui import markup
from lib_sdpipe.ui.gradio_versions import servable
from lib_sdpipe.ui.image_facts import present_image
from lib_sdpipe.ui.pictures import Tile, find_shown, find_tiles
from lib_sdpipe.ui.presenter import first_choice, present_run, present_runs
from lib_sdpipe.workspace import RunPage, RunView, Workspace

PAGE_SIZE = 30
# A gallery of thousands of files stops a browser; the others are reached by links until there is a search.
MOST_TILES = 200

Updates = tuple[Any, ...]


class TabHost(Protocol):
    """What the tab needs from where it is shown."""

    def layout(self) -> Layout: ...

    def fault(self) -> str | None:
        """The last recording fault, for the user; None while all is well."""

    def is_paused(self) -> bool: ...

    def set_paused(self, paused: bool) -> str | None:
        """Switch recording; a sentence where that is not possible."""


@dataclass(frozen=True)
class Cursor:
    """Which page of runs is shown: the runs older than `after`; `next` is where the following page begins.

    `paused` is what the box for it was last told: it is told again only what has changed since, so that an answer on
    its way does not undo a press.
    """

    after: str | None = None
    next: str | None = None
    paused: bool | None = None


@dataclass(frozen=True)
class Chosen:
    """What is open. `pinned`: the user chose it, so a newer run does not take its place."""

    run_id: str | None = None
    name: str | None = None
    tiles: tuple[tuple[str, str], ...] = ()
    status: str | None = None
    pinned: bool = False


class TabEvents:
    """The handlers. Each returns the updates of a fixed group of components, the notice first:

    the list: head, pause, runs, newest, older, cursor; the view: run, gallery, image, details, manifest, chosen; the
    image: the last four of these.
    """

    LIST = 6
    VIEW = 6
    IMAGE = 4

    def __init__(self, host: TabHost, hides_folders: bool = False) -> None:
        self._host = host
        self._hides_folders = hides_folders

    def look(self, cursor: Cursor, chosen: Chosen) -> Updates:
        """The page as it is now, and the open run where it may have changed since."""
        return self._answer(self.LIST + self.VIEW, lambda: self._look(cursor, chosen, again=False))

    def refresh(self, cursor: Cursor, chosen: Chosen) -> Updates:
        """The same, and the open run read again in any case."""
        return self._answer(self.LIST + self.VIEW, lambda: self._look(cursor, chosen, again=True))

    def show_newest(self, chosen: Chosen) -> Updates:
        return self._answer(self.LIST, lambda: self._turn_to(Cursor(), chosen.run_id))

    def show_older(self, cursor: Cursor, chosen: Chosen) -> Updates:
        return self._answer(self.LIST, lambda: self._turn_to(Cursor(after=cursor.next), chosen.run_id))

    def open(self, choice: str, chosen: Chosen) -> Updates:
        """Open what a button named: JSON with `run`, and `name` for one image of it; or `tile`, a thumbnail's number."""
        return self._answer(self.VIEW, lambda: self._open_choice(choice, chosen))

    def select(self, chosen: Chosen, event: gr.SelectData) -> Updates:
        """A thumbnail was pressed."""
        return self._answer(self.IMAGE, lambda: self._select(chosen, event.index))

    def pause(self, paused: bool) -> Updates:
        """Switch recording; the checkbox goes back where the host does not allow it."""
        sentence = self._host.set_paused(bool(paused))
        return self._notice(sentence), gr.update(value=self._host.is_paused())

    def _answer(self, count: int, work: Callable[[], Updates]) -> Updates:
        """The updates with a notice before them; a fault becomes that notice and changes nothing else."""
        try:
            return (self._notice(), *work())
        except (SdPipeError, OSError) as fault:
            return (self._notice(self._readable(str(fault))), *_unchanged(count))

    def _look(self, cursor: Cursor, chosen: Chosen, again: bool) -> Updates:
        page = self._read_page(cursor)
        newest = page.runs[0].run_id if page.runs and cursor.after is None else None
        follows = not chosen.pinned and newest not in (None, chosen.run_id)
        if follows:
            chosen = Chosen(newest)
        listed = self._list(page, cursor, chosen.run_id)
        if chosen.run_id is None or not (follows or again or chosen.status == "running"):
            return (*listed, *_unchanged(self.VIEW))
        try:
            return (*listed, *self._open(chosen, None if follows or again else chosen))
        except UnknownNameError as fault:  # the run was deleted since: the list is still right
            return (*listed, *_show_nothing(self._readable(str(fault))), Chosen())

    def _turn_to(self, cursor: Cursor, chosen: str | None) -> Updates:
        return self._list(self._read_page(cursor), cursor, chosen)

    def _read_page(self, cursor: Cursor) -> RunPage:
        layout = self._host.layout()
        # Before the first run there is no folder: that is an empty library, not a fault.
        return Workspace(layout).list_runs(PAGE_SIZE, cursor.after) if layout.runs.exists() else RunPage(0, [], None)

    def _list(self, page: RunPage, cursor: Cursor, chosen: str | None) -> Updates:
        folder, paused = self._host.layout().runs, self._host.is_paused()
        has_pages = cursor.after is not None or page.next is not None
        return (
            markup.show_head(page.total, None if self._hides_folders else str(folder)),
            gr.update() if cursor.paused == paused else gr.update(value=paused),
            markup.show_runs(present_runs(page, datetime.now()), chosen, paused),
            gr.update(interactive=cursor.after is not None, visible=has_pages),
            gr.update(interactive=page.next is not None, visible=has_pages),
            Cursor(cursor.after, page.next, paused),
        )

    def _open_choice(self, choice: str, chosen: Chosen) -> Updates:
        wanted = _parse_choice(choice)
        if isinstance(wanted.get("tile"), int):
            return (*_unchanged(2), *self._select(chosen, wanted["tile"]))
        run_id, name = wanted.get("run"), wanted.get("name")
        if not isinstance(run_id, str):
            return _unchanged(self.VIEW)
        same = chosen if chosen.run_id == run_id else Chosen(run_id)
        return self._open(replace(same, name=str(name) if name else same.name, pinned=True), chosen if same is chosen else None)

    def _open(self, chosen: Chosen, before: Chosen | None) -> Updates:
        """Show a run; what is on the page `before` and would come out the same is not sent again."""
        workspace = Workspace(self._host.layout())
        view = workspace.view_run(chosen.run_id or "")
        tiles = find_tiles(workspace, view.manifests[:MOST_TILES])
        names = tuple((tile.name, tile.caption) for tile in tiles)
        name = chosen.name if any(m.name == chosen.name for m in view.manifests) else first_choice(view.manifests)
        facts = present_run(view)
        problems = [self._readable(text) for text in facts.problems]
        if len(view.manifests) > MOST_TILES:
            problems.append(f"Only the first {MOST_TILES} of {len(view.manifests):,} images are shown here.")
        same_tiles = before is not None and before.tiles == names
        return (
            markup.show_run(replace(facts, problems=problems)),
            gr.update() if same_tiles else _fill_gallery(tiles),
            *(_unchanged(3) if same_tiles and before.name == name else _show(workspace, view, name)),
            replace(chosen, name=name, tiles=names, status=view.run.status if view.run else None),
        )

    def _select(self, chosen: Chosen, index: Any) -> Updates:
        if chosen.run_id is None or not isinstance(index, int) or not 0 <= index < len(chosen.tiles):
            return _unchanged(self.IMAGE)
        workspace = Workspace(self._host.layout())
        name = chosen.tiles[index][0]
        manifest = workspace.view_manifest(chosen.run_id, name)
        return (*_show_manifest(workspace, chosen.run_id, manifest, index), replace(chosen, name=name, pinned=True))

    def _notice(self, sentence: str | None = None) -> str:
        fault = self._host.fault()
        return markup.show_notice([sentence or "", f"A recording fault: {self._readable(fault)}" if fault else ""])

    def _readable(self, sentence: str) -> str:
        """Sentences about files name them from the runs folder on: shorter, and it may have to stay unnamed."""
        folder = str(self._host.layout().runs)
        sentence = sentence.replace(folder + os.sep, "")
        return sentence.replace(folder, "the runs folder") if self._hides_folders else sentence


def _show(workspace: Workspace, view: RunView, name: str | None) -> Updates:
    number = next((number for number, m in enumerate(view.manifests) if m.name == name and name), None)
    if number is None:
        running = view.run is not None and view.run.status == "running"
        hint = "No image yet." if running else "No image of this run was recorded."
        return gr.update(value=None, visible=False), markup.show_hint(hint), ""
    return _show_manifest(workspace, view.run_id, view.manifests[number], number)


def _show_nothing(sentence: str) -> Updates:
    """The view without a run."""
    nothing = gr.update(value=None, visible=False)
    return markup.show_hint(sentence), nothing, nothing, "", ""


def _show_manifest(workspace: Workspace, run_id: str, manifest: Manifest, number: int) -> Updates:
    shown = find_shown(workspace, manifest)
    image = present_image(manifest, run_id, shown.absence, workspace.find_copies(run_id, manifest.name or ""))
    picture = gr.update(value=servable(shown.file), visible=True) if shown.file else gr.update(value=None, visible=False)
    return picture, markup.show_image(image, run_id, number), format_json(manifest.to_json()).decode("utf-8")


def _fill_gallery(tiles: list[Tile]) -> Any:
    """Only where the tiles changed: a gallery that is filled again flickers and scrolls back."""
    pictures = [(servable(tile.picture) if isinstance(tile.picture, Path) else tile.picture, tile.caption) for tile in tiles]
    return gr.update(value=pictures, visible=bool(tiles))


def _parse_choice(choice: str) -> Json:
    try:
        wanted = json.loads(choice)
    except (ValueError, TypeError):
        return {}
    return wanted if isinstance(wanted, dict) else {}


def _unchanged(count: int) -> Updates:
    return tuple(gr.update() for _ in range(count))
