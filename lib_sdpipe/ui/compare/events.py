"""What the Compare section does when something is pressed: reads two to four images or two runs, answers with HTML. Writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.compare import markup
from lib_sdpipe.ui.compare.choice import MOST_IMAGES, MOST_RUNS, Choice, format_typed, image_data, parse_typed, read_choice
from lib_sdpipe.ui.compare.markup_runs import show_runs
from lib_sdpipe.ui.compare.pixels import PixelDesk
from lib_sdpipe.ui.compare.present import LETTERS, PictureToCompare, present_images
from lib_sdpipe.ui.compare.present_runs import present_runs
from lib_sdpipe.ui.frame import Frame, Noted, Updates
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.browsing import address_of_file, find_file_at
from lib_sdpipe.workspace.comparison import ComparedImage, read_compared_image, read_compared_run
from lib_sdpipe.workspace.page_address import build_picture_address, build_thumbnail_address
from lib_sdpipe.workspace.picked import Pick

# A browser holds a picture as four bytes a pixel, and a page has four of them.
_MOST_SHOWN_PIXELS = 64_000_000
_OFFERED = 12


class CompareEvents:
    """The handlers of the section. Each but `look_at_pixels` returns updates of: typed text, views, difference, texts."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._desk = PixelDesk()

    def compare(self, ask: Ask) -> Updates | Noted:
        """What a press names."""
        return self._show(ask.workspace, read_choice(ask))

    def compare_typed(self, ask: Ask, text: str) -> Updates | Noted:
        """What somebody typed. Raises UsageError."""
        return self._show(ask.workspace, parse_typed(str(text or "")))

    def look_at_pixels(self, ask: Ask) -> Updates:
        """The difference of two images; as long as it is not ready, a sentence at which the page asks again."""
        from lib_sdpipe.images.difference import IncomparableError  # numpy: the host's start does not wait for it

        picks, number = read_choice(ask).images, ask.number("number") or 1
        if len(picks) != 2:
            return ("",)
        letters = LETTERS[0], LETTERS[number] if 0 < number < MOST_IMAGES else LETTERS[1]
        files = [read_compared_image(ask.workspace, pick).file for pick in picks]
        missing = [letter for letter, file in zip(letters, files) if file is None]
        if missing:
            return (markup.show_incomparable(f"There is no picture of {' and '.join(missing)} to compare."),)
        try:
            found = self._desk.look(*(file for file in files if file is not None))
        except IncomparableError as fault:
            names = {str(file): letter for file, letter in zip(files, letters)}
            return (markup.show_incomparable(f"{names.get(fault.file or '', 'The two')} {fault.reason}."),)
        return (markup.show_waiting(picks, number) if found is None else markup.show_pixels(found, letters),)

    def _show(self, workspace: Workspace, choice: Choice) -> Updates | Noted:
        shown = self._show_runs if choice.runs else self._show_images
        updates, sentences = shown(workspace, choice)
        if choice.left_out:
            most = f"{MOST_RUNS} runs" if choice.runs else f"{MOST_IMAGES} images"
            sentences = [f"At most {most} can be compared: the first that were chosen are.", *sentences]
        return Noted(" ".join(sentences), updates) if sentences else updates

    def _show_images(self, workspace: Workspace, choice: Choice) -> tuple[Updates, list[str]]:
        images, faults = self._read_each(choice.images, lambda pick: read_compared_image(workspace, pick))
        choice = Choice(tuple(image.pick for image in images))
        if len(images) > 1:
            comparison = present_images([_build_picture(workspace, image) for image in images])
            return _updates(choice, markup.show_views(comparison), markup.show_texts(comparison)), faults
        return _updates(choice, _offer_images(workspace, images[0]) if images else markup.show_empty()), faults

    def _show_runs(self, workspace: Workspace, choice: Choice) -> tuple[Updates, list[str]]:
        runs, faults = self._read_each(choice.runs, lambda run_id: read_compared_run(workspace, run_id))
        choice = Choice(runs=tuple(run.run_id for run in runs))
        if len(runs) > 1:
            return _updates(choice, "", show_runs(present_runs(runs, self._frame.readable))), faults
        return _updates(choice, _offer_runs(workspace, runs[0].run_id) if runs else markup.show_empty()), faults

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
    return gr.update(value=format_typed(choice)), views, "", texts


def _build_picture(workspace: Workspace, image: ComparedImage) -> PictureToCompare:
    is_large = image.pixels > _MOST_SHOWN_PIXELS
    address = _build_address(workspace, image.pick, is_large) if image.file is not None else None
    return PictureToCompare(image.pick, image.manifest, address, is_large)


def _build_address(workspace: Workspace, pick: Pick, is_small: bool) -> str | None:
    if pick.run_id is not None:
        return (build_thumbnail_address if is_small else build_picture_address)(pick.run_id, pick.name or "")
    found = find_file_at(workspace, pick.root or "", pick.path or "")
    return address_of_file(found, is_small) if found is not None else None


def _offer_images(workspace: Workspace, image: ComparedImage) -> str:
    """One image, with its parent and those of its run beside it."""
    own, parent = image.pick, image.manifest.parent
    others: list[tuple[Pick, str]] = []
    if parent is not None and parent.run_id and parent.name:
        others.append((Pick(parent.run_id, parent.name), "its parent"))
    if own.run_id is not None:
        others += [
            (Pick(own.run_id, manifest.name), words.format_role(manifest.role))
            for manifest in read_compared_run(workspace, own.run_id).manifests if manifest.name and manifest.name != own.name
        ]
    return markup.show_one(own.title, [
        markup.Offer(
            pick.name or "", detail, {"images": [image_data(own), image_data(pick)]},
            build_thumbnail_address(pick.run_id or "", pick.name or ""),
        ) for pick, detail in others[:_OFFERED]
    ])


def _offer_runs(workspace: Workspace, run_id: str) -> str:
    """One run, with the newest others beside it."""
    runs = [summary for summary in workspace.list_runs(_OFFERED + 1).runs if summary.run_id != run_id][:_OFFERED]
    return markup.show_one(words.format_label(run_id), [
        markup.Offer(
            summary.label or words.format_label(summary.run_id), words.format_moment(summary.started_at),
            {"runs": [run_id, summary.run_id]},
        ) for summary in runs
    ])
