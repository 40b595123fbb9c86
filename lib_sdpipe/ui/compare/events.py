"""What the Compare section does when something is pressed: reads two to four images or two runs, answers with HTML. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import ImageLink, Manifest
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.compare import markup
from lib_sdpipe.ui.compare.choice import MOST_IMAGES, MOST_RUNS, Choice, add_choice, format_typed, image_data, parse_typed, read_choice
from lib_sdpipe.ui.compare.markup_runs import show_runs
from lib_sdpipe.ui.compare.pixels import PixelDesk
from lib_sdpipe.ui.compare.present import LETTERS, PictureToCompare, present_images
from lib_sdpipe.ui.compare.present_runs import present_runs
from lib_sdpipe.ui.frame import Frame, Noted, Updates
from lib_sdpipe.ui.run.pictures import find_shown
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.comparison import read_compared_run
from lib_sdpipe.workspace.page_address import build_thumbnail_address

# A browser holds a picture as four bytes a pixel, and a page has four of them.
_MOST_SHOWN_PIXELS = 64_000_000
_OFFERED = 12


class CompareEvents:
    """The handlers of the section. Each but `look_at_pixels` returns updates of: typed text, views, difference, texts, choice."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._desk = PixelDesk()

    def compare(self, ask: Ask, choice: Choice) -> Updates | Noted:
        """What a press names, instead of what was compared before."""
        return self._show(ask.workspace, read_choice(ask))

    def add(self, ask: Ask, choice: Choice) -> Updates | Noted:
        """What a press names beside what was chosen before."""
        return self._show(ask.workspace, add_choice(choice, read_choice(ask)))

    def compare_typed(self, ask: Ask, text: str, choice: Choice) -> Updates | Noted:
        """What somebody typed. Raises UsageError."""
        return self._show(ask.workspace, parse_typed(str(text or "")))

    def look_at_pixels(self, ask: Ask) -> Updates:
        """The difference of two images; as long as it is not ready, a sentence at which the page asks again."""
        from lib_sdpipe.images.difference import IncomparableError  # numpy: the host's start does not wait for it

        links, number = read_choice(ask).images, ask.number("number") or 1
        if len(links) != 2:
            return ("",)
        letters = LETTERS[0], LETTERS[number] if 0 < number < MOST_IMAGES else LETTERS[1]
        files = [_find_file(ask.workspace, link) for link in links]
        missing = [letter for letter, file in zip(letters, files) if file is None]
        if missing:
            return (markup.show_incomparable(f"There is no picture of {' and '.join(missing)} to compare."),)
        try:
            found = self._desk.look(*(file for file in files if file is not None))
        except IncomparableError as fault:
            names = {str(file): letter for file, letter in zip(files, letters)}
            return (markup.show_incomparable(f"{names.get(fault.file or '', 'The two')} {fault.reason}."),)
        return (markup.show_waiting(links, number) if found is None else markup.show_pixels(found, letters),)

    def _show(self, workspace: Workspace, choice: Choice) -> Updates | Noted:
        shown = self._show_runs if choice.runs else self._show_images
        updates = shown(workspace, choice)
        if choice.left_out:
            most = f"{MOST_RUNS} runs" if choice.runs else f"{MOST_IMAGES} images"
            return Noted(f"At most {most} can be compared: the first that were chosen are.", updates)
        return updates

    def _show_images(self, workspace: Workspace, choice: Choice) -> Updates | Noted:
        pictures, faults = self._read_each(choice.images, lambda link: _read_picture(workspace, link))
        choice = Choice(tuple(picture.link for picture in pictures), (), choice.left_out)
        if len(pictures) > 1:
            comparison = present_images(pictures)
            updates = _updates(choice, markup.show_views(comparison), markup.show_texts(comparison))
        elif pictures:
            updates = _updates(choice, _offer_images(workspace, pictures[0]))
        else:
            updates = _updates(choice, markup.show_empty())
        return Noted(" ".join(faults), updates) if faults else updates

    def _show_runs(self, workspace: Workspace, choice: Choice) -> Updates | Noted:
        runs, faults = self._read_each(choice.runs, lambda run_id: read_compared_run(workspace.layout, run_id))
        choice = Choice((), tuple(run.run_id for run in runs), choice.left_out)
        if len(runs) > 1:
            updates = _updates(choice, "", show_runs(present_runs(runs)))
        elif runs:
            updates = _updates(choice, _offer_runs(workspace, runs[0].run_id))
        else:
            updates = _updates(choice, markup.show_empty())
        return Noted(" ".join(faults), updates) if faults else updates

    def _read_each(self, names: tuple[Any, ...], read: Callable[[Any], Any]) -> tuple[list[Any], list[str]]:
        """What can be read, and sentences about what cannot: one that is gone does not hide the others."""
        found, faults = [], []
        for name in names:
            try:
                found.append(read(name))
            except (SdPipeError, OSError) as fault:
                faults.append(self._frame.readable(str(fault)))
        return found, faults


def _updates(choice: Choice, views: str, texts: str = "") -> Updates:
    return gr.update(value=format_typed(choice)), views, "", texts, choice


def _read_picture(workspace: Workspace, link: ImageLink) -> PictureToCompare:
    manifest = workspace.view_manifest(link.run_id or "", link.name or "")
    shown = find_shown(workspace, manifest)
    if shown.file is None:
        return PictureToCompare(link, manifest, None, shown.absence)
    is_large = _count_pixels(manifest) > _MOST_SHOWN_PIXELS
    build = build_thumbnail_address if is_large else _build_address
    return PictureToCompare(link, manifest, build(link.run_id or "", link.name or ""), None, is_large)


def _find_file(workspace: Workspace, link: ImageLink) -> Path | None:
    return find_shown(workspace, workspace.view_manifest(link.run_id or "", link.name or "")).file


def _build_address(run_id: str, name: str) -> str:
    """Where the page finds the image itself."""
    return build_thumbnail_address(run_id, name)


def _count_pixels(manifest: Manifest) -> int:
    image = manifest.image
    return (image.width or 0) * (image.height or 0) if image else 0


def _offer_images(workspace: Workspace, picture: PictureToCompare) -> str:
    """One image, with its parent and those of its run beside it."""
    own, parent = picture.link, picture.manifest.parent
    links: list[tuple[ImageLink, str]] = []
    if parent is not None and parent.run_id and parent.name:
        links.append((ImageLink(run_id=parent.run_id, name=parent.name), "its parent"))
    view = read_compared_run(workspace.layout, own.run_id or "")
    links += [
        (ImageLink(run_id=own.run_id, name=manifest.name), words.format_role(manifest.role)) for manifest in view.manifests
        if manifest.name and manifest.name != own.name
    ]
    return markup.show_one(f"{own.name} · {words.format_label(own.run_id or '')}", [
        (link.name or "", detail, {"images": [image_data(own), image_data(link)]}) for link, detail in links[:_OFFERED]
    ])


def _offer_runs(workspace: Workspace, run_id: str) -> str:
    """One run, with the newest others beside it."""
    runs = [summary for summary in workspace.list_runs(_OFFERED + 1).runs if summary.run_id != run_id][:_OFFERED]
    return markup.show_one(words.format_label(run_id), [
        (summary.label or words.format_label(summary.run_id), words.format_moment(summary.started_at), {"runs": [run_id, summary.run_id]})
        for summary in runs
    ])
