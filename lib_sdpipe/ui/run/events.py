"""What the open run does when something is pressed: reads one run and answers with updates. Writes nothing."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import gradio as gr

from lib_sdpipe.errors import UnknownNameError
from lib_sdpipe.index.children import read_children, read_lost
from lib_sdpipe.manifest.records import Manifest
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Frame, Noted, Updates, unchanged
from lib_sdpipe.ui.html_text import show_hint
from lib_sdpipe.ui.run import markup
from lib_sdpipe.ui.run.actions import show_file_actions, show_image_actions
from lib_sdpipe.ui.run.about import show_about, show_answer
from lib_sdpipe.ui.run.file_image import read_file_image
from lib_sdpipe.ui.run.folding import MOST_LEVELS, fold_graph
from lib_sdpipe.ui.run.graph import build_graph, image_key
from lib_sdpipe.ui.run.image_facts import FileFacts, present_image
from lib_sdpipe.ui.run.layout import lay_out
from lib_sdpipe.ui.run.lineage_markup import show_lineage
from lib_sdpipe.ui.run.pictures import find_absences, find_folder, read_file_facts
from lib_sdpipe.ui.run.present import first_choice, present_run
from lib_sdpipe.ui.run.reading import RunReader
from lib_sdpipe.ui.run.strip import choose_page, present_strip
from lib_sdpipe.ui.run.strip_markup import show_strip
from lib_sdpipe.workspace import RunView, Workspace
from lib_sdpipe.workspace.page_address import build_picture_address, build_thumbnail_address

_MOST_CHILDREN = 500
# Of so many of the newest runs the first that can be read, and that whoever looks may see, opens by itself.
_LOOKED_AT = 40
# Pixels beyond which a browser is handed the small picture until somebody asks for the whole one.
_HUGE = 60_000_000


@dataclass(frozen=True)
class Chosen:
    """What is open: a run and one of its images, or by root and path a `file` that no run has.

    `pinned`: the user chose it, so a newer run does not take its place. `page` of the thumbnails (None: the one with the chosen
    image), `level` of the lineage, `part` that is open below. `sent` are digests of what the page shows: what comes out the same
    is not sent again, so that nothing flickers and nobody loses their place.
    """

    run_id: str | None = None
    name: str | None = None
    file: tuple[str, str] | None = None
    status: str | None = None
    pinned: bool = False
    page: int | None = None
    level: int = 0
    part: str = ""
    sent: tuple[str, ...] = ()


class RunEvents:
    """The handlers of the open run. Each returns updates of: run, picture, strip, lineage, details, about, chosen."""

    COUNT = 7

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._reader = RunReader()

    def look(self, ask: Ask, chosen: Chosen) -> Updates:
        """The newest run unless another was chosen, and the open run where it may have changed since."""
        newest = None if chosen.pinned else _find_newest(ask.workspace)
        if newest not in (None, chosen.run_id):
            return self._open(ask, Chosen(newest, sent=chosen.sent))
        is_due = chosen.status == "running" and self._reader.is_due(ask, chosen.run_id or "")
        return self._open_again(ask, chosen) if is_due else unchanged(self.COUNT)

    def refresh(self, ask: Ask, chosen: Chosen) -> Updates:
        """The open run read again in any case."""
        self._reader.forget()
        newest = None if chosen.pinned else _find_newest(ask.workspace)
        return self._open_again(ask, replace(chosen, run_id=newest) if newest not in (None, chosen.run_id) else chosen)

    def open(self, ask: Ask, chosen: Chosen) -> Updates:
        """Open what a button named: `run`, and `name` for one image of it; `root` and `path` for an image without a run."""
        link, root, path = ask.link(), ask.text("root"), ask.text("path")
        if root and path:
            return self._open_file(ask, Chosen(file=(root, path), pinned=True, part=chosen.part, sent=chosen.sent))
        if link is None or link.run_id is None:
            return unchanged(self.COUNT)
        if link.run_id != chosen.run_id:
            chosen = Chosen(link.run_id, part=chosen.part, sent=chosen.sent)
        return self._open(ask, replace(chosen, name=link.name or chosen.name, pinned=True, page=None))

    def turn_strip(self, ask: Ask, chosen: Chosen) -> Updates:
        return self._open_again(ask, replace(chosen, page=ask.number("page"), pinned=True))

    def unfold(self, ask: Ask, chosen: Chosen) -> Updates:
        return self._open_again(ask, replace(chosen, level=max(0, min(ask.number("level") or 0, MOST_LEVELS)), pinned=True))

    def about(self, ask: Ask, chosen: Chosen) -> Updates:
        """Open or close a part below the facts."""
        return self._open_again(ask, replace(chosen, part=ask.text("part") or "", pinned=True))

    def open_folder(self, ask: Ask) -> Updates | Noted:
        """Show the folder of a run, or of an image, in the file manager of the computer that this runs on."""
        if not self._frame.host.can_open_folders():
            return Noted("Folders can be opened only on the computer that the WebUI runs on.", ())
        folder = find_folder(ask.workspace, ask.link(), ask.text("root"), ask.text("path"))
        if folder is None:
            return Noted("That folder is not there any more.", ())
        sentence = self._frame.host.open_folder(folder)
        return Noted(sentence, ()) if sentence else ()

    def _open_again(self, ask: Ask, chosen: Chosen) -> Updates:
        if chosen.run_id is None and chosen.file is None:
            return unchanged(self.COUNT)
        try:
            return self._open(ask, chosen) if chosen.file is None else self._open_file(ask, chosen)
        except UnknownNameError as fault:  # the run was deleted since
            return self._send((show_hint(self._frame.readable(str(fault))), "", "", "", "", ""), Chosen(sent=chosen.sent))

    def _open(self, ask: Ask, chosen: Chosen) -> Updates:
        view = self._reader.read(ask, chosen.run_id or "")
        names = [manifest.name for manifest in view.manifests if manifest.name]
        name = chosen.name if chosen.name in names else first_choice(view.manifests)
        chosen = replace(chosen, name=name, status=view.run.status if view.run else None)
        manifest = next((each for each in view.manifests if each.name == name and name), None)
        page, shown = choose_page(view.manifests, name, chosen.page)
        strip = present_strip(len(view.manifests), page, shown, find_absences(ask.workspace, shown), name)
        file = read_file_facts(ask.workspace, view.run_id, manifest) if manifest is not None else FileFacts()
        return self._send((
            self._show_run(view), self._show_picture(view, manifest, file, names), show_strip(strip, view.run_id),
            _show_lineage(ask.workspace, view, name, chosen.level), self._show_details(ask.workspace, view, manifest, file),
            show_about(ask.workspace, view, manifest, chosen.part),
        ), chosen)

    def _open_file(self, ask: Ask, chosen: Chosen) -> Updates:
        root, path = chosen.file or ("", "")
        image = read_file_image(ask.workspace, root, path)
        is_huge = bool(image.width and image.height and image.width * image.height > _HUGE)
        picture = markup.Picture(
            {"root": root, "path": path}, image.view.title, image.full, image.small if is_huge else image.full,
            "not in the index yet: press Refresh", width=image.width, height=image.height,
            can_open_folder=self._frame.host.can_open_folders(),
        )
        view = replace(image.view, inputs=[])
        about = show_answer(image.answer, chosen.part)
        actions = show_file_actions(root, path, image, self._frame.host.send_targets())
        return self._send((
            markup.show_file_head(image.place), markup.show_picture(picture), "", "", markup.show_image(view, "", actions), about,
        ), chosen)

    def _send(self, texts: tuple[str, ...], chosen: Chosen) -> Updates:
        digests = tuple(hashlib.sha256(text.encode("utf-8", "replace")).hexdigest() for text in texts)
        before = chosen.sent if len(chosen.sent) == len(texts) else ("",) * len(texts)
        updates = (gr.update() if same == now else text for text, same, now in zip(texts, before, digests))
        return (*updates, replace(chosen, sent=digests))

    def _show_run(self, view: RunView) -> str:
        facts = present_run(view)
        problems = [self._frame.readable(text) for text in facts.problems]
        return markup.show_run(replace(facts, problems=problems), self._frame.host.can_open_folders())

    def _show_picture(self, view: RunView, manifest: Manifest | None, file: FileFacts, names: list[str]) -> str:
        if manifest is None:
            running = view.run is not None and view.run.status == "running"
            return show_hint("No image yet." if running else "No image of this run was recorded.")
        name = manifest.name or ""
        number, run_id = names.index(name), view.run_id
        image = manifest.image
        width, height = (image.width, image.height) if image else (None, None)
        full = build_picture_address(run_id, name) if not file.short else None
        is_huge = bool(width and height and width * height > _HUGE)
        around = [names[at] if 0 <= at < len(names) else None for at in (number - 1, number + 1)]
        before, after = ({"run": run_id, "name": other} if other else None for other in around)
        return markup.show_picture(markup.Picture(
            {"run": run_id, "name": name}, f"{name}: {(manifest.prompt or '')[:160]}", full,
            build_thumbnail_address(run_id, name) if is_huge and full else full, file.short, f"{number + 1:,} / {len(names):,}",
            before, after, width, height, self._frame.host.can_open_folders(),
        ))

    def _show_details(self, workspace: Workspace, view: RunView, manifest: Manifest | None, file: FileFacts) -> str:
        if manifest is None:
            return ""
        copies = [] if self._frame.hides_folders else file.copies
        image = present_image(manifest, view.run_id, replace(file, copies=copies))
        if self._frame.hides_folders and manifest.root is None:
            image = replace(image, place="")
        inputs = [(name, picture) for name, picture in image.inputs if isinstance(picture, str) or workspace.sees(picture.run_id or "")]
        image = replace(image, inputs=inputs)
        actions = show_image_actions(manifest, view.run_id, not file.absence, self._frame.host.send_targets())
        return markup.show_image(image, view.run_id, actions)


def _find_newest(workspace: Workspace) -> str | None:
    newest = next(workspace.iter_newest(_LOOKED_AT), None) if workspace.layout.runs.exists() else None
    return newest.run_id if newest is not None else None


def _show_lineage(workspace: Workspace, view: RunView, name: str | None, level: int) -> str:
    children = read_children(workspace.layout.index_places, view.run_id, _MOST_CHILDREN, workspace.viewer)
    current = image_key(view.run_id, name) if name else None
    graph = fold_graph(build_graph(view.manifests, view.run_id, children), current, level)
    graph.hide_runs(workspace.sees)
    graph.note_lost(read_lost(workspace.layout.index_places, graph.images_of_others()))
    return show_lineage(lay_out(graph), current, level)
