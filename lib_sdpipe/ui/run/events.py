"""What the open run does when something is pressed: reads one run and answers with updates. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.manifest.codec import format_json
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Frame, Updates, unchanged
from lib_sdpipe.ui.gradio_versions import servable
from lib_sdpipe.ui.html_text import show_hint
from lib_sdpipe.ui.run import markup
from lib_sdpipe.ui.run.image_facts import present_image
from lib_sdpipe.ui.run.pictures import Tile, find_shown, find_tiles
from lib_sdpipe.ui.run.present import first_choice, present_run
from lib_sdpipe.workspace import RunView, Workspace

# A gallery of thousands of files stops a browser; the others are reached by links until there is a search.
MOST_TILES = 200


@dataclass(frozen=True)
class Chosen:
    """What is open. `pinned`: the user chose it, so a newer run does not take its place."""

    run_id: str | None = None
    name: str | None = None
    tiles: tuple[tuple[str, str], ...] = ()
    status: str | None = None
    pinned: bool = False


class RunEvents:
    """The handlers of the open run. Each returns updates of: run, gallery, image, details, manifest, chosen."""

    COUNT = 6

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def look(self, ask: Ask, chosen: Chosen) -> Updates:
        """The newest run unless another was chosen, and the open run where it may have changed since."""
        newest = None if chosen.pinned else _find_newest(ask.workspace)
        if newest not in (None, chosen.run_id):
            return self._open(ask.workspace, Chosen(newest), None)
        return self._open_again(ask.workspace, chosen, chosen) if chosen.status == "running" else unchanged(self.COUNT)

    def refresh(self, ask: Ask, chosen: Chosen) -> Updates:
        """The open run read again in any case."""
        newest = None if chosen.pinned else _find_newest(ask.workspace)
        return self._open_again(ask.workspace, Chosen(newest) if newest else chosen, None)

    def open(self, ask: Ask, chosen: Chosen) -> Updates:
        """Open what a button named: `run`, and `name` for one image of it; or `tile`, a thumbnail's number."""
        tile, link = ask.number("tile"), ask.link()
        if tile is not None:
            return (*unchanged(2), *self._select(ask.workspace, chosen, tile))
        if link is None or link.run_id is None:
            return unchanged(self.COUNT)
        same = chosen if chosen.run_id == link.run_id else Chosen(link.run_id)
        wanted = replace(same, name=link.name or same.name, pinned=True)
        return self._open(ask.workspace, wanted, chosen if same is chosen else None)

    def select(self, ask: Ask, chosen: Chosen) -> Updates:
        """A thumbnail was pressed."""
        return self._select(ask.workspace, chosen, ask.number("index"))

    def _open_again(self, workspace: Workspace, chosen: Chosen, before: Chosen | None) -> Updates:
        if chosen.run_id is None:
            return unchanged(self.COUNT)
        try:
            return self._open(workspace, chosen, before)
        except UnknownNameError as fault:  # the run was deleted since
            return (*_show_nothing(self._frame.readable(str(fault))), Chosen())

    def _open(self, workspace: Workspace, chosen: Chosen, before: Chosen | None) -> Updates:
        """Show a run; what is on the page `before` and would come out the same is not sent again."""
        view = workspace.view_run(chosen.run_id or "")
        tiles = find_tiles(workspace, view.manifests[:MOST_TILES])
        names = tuple((tile.name, tile.caption) for tile in tiles)
        name = chosen.name if any(m.name == chosen.name for m in view.manifests) else first_choice(view.manifests)
        facts = present_run(view)
        problems = [self._frame.readable(text) for text in facts.problems]
        if len(view.manifests) > MOST_TILES:
            problems.append(f"Only the first {MOST_TILES} of {len(view.manifests):,} images are shown here.")
        same_tiles = before is not None and before.tiles == names
        return (
            markup.show_run(replace(facts, problems=problems)),
            gr.update() if same_tiles else _fill_gallery(tiles),
            *(unchanged(3) if same_tiles and before.name == name else _show(workspace, view, name)),
            replace(chosen, name=name, tiles=names, status=view.run.status if view.run else None),
        )

    def _select(self, workspace: Workspace, chosen: Chosen, index: Any) -> Updates:
        if chosen.run_id is None or not isinstance(index, int) or not 0 <= index < len(chosen.tiles):
            return unchanged(4)
        name = chosen.tiles[index][0]
        manifest = workspace.view_manifest(chosen.run_id, name)
        return (*_show_manifest(workspace, chosen.run_id, manifest, index), replace(chosen, name=name, pinned=True))


def _find_newest(workspace: Workspace) -> str | None:
    runs = workspace.list_runs(1).runs if workspace.layout.runs.exists() else []
    return runs[0].run_id if runs else None


def _show(workspace: Workspace, view: RunView, name: str | None) -> Updates:
    number = next((number for number, m in enumerate(view.manifests) if m.name == name and name), None)
    if number is None:
        running = view.run is not None and view.run.status == "running"
        hint = "No image yet." if running else "No image of this run was recorded."
        return gr.update(value=None, visible=False), show_hint(hint), ""
    return _show_manifest(workspace, view.run_id, view.manifests[number], number)


def _show_nothing(sentence: str) -> Updates:
    """The view without a run."""
    nothing = gr.update(value=None, visible=False)
    return show_hint(sentence), nothing, nothing, "", ""


def _show_manifest(workspace: Workspace, run_id: str, manifest: Manifest, number: int) -> Updates:
    shown = find_shown(workspace, manifest)
    image = present_image(manifest, run_id, shown.absence, workspace.find_copies(run_id, manifest.name or ""))
    picture = gr.update(value=servable(shown.file), visible=True) if shown.file else gr.update(value=None, visible=False)
    return picture, markup.show_image(image, run_id, number), format_json(manifest.to_json()).decode("utf-8")


def _fill_gallery(tiles: list[Tile]) -> Any:
    """Only where the tiles changed: a gallery that is filled again flickers and scrolls back."""
    pictures = [(servable(tile.picture) if isinstance(tile.picture, Path) else tile.picture, tile.caption) for tile in tiles]
    return gr.update(value=pictures, visible=bool(tiles))
