"""What happens at the actions: a download is prepared, an image and its text are laid out for the host's own button. Writes nothing."""

from __future__ import annotations

import itertools
from typing import Any

import gradio as gr

from lib_sdpipe.errors import UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.actions import markup
from lib_sdpipe.ui.actions.markup import Ready
from lib_sdpipe.ui.ask import MOST_PICKED, Ask
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.gradio_versions import servable
from lib_sdpipe.workspace.downloads import keep_download

_MOST_NOTES = 3
_numbers = itertools.count(1)


class ActionEvents:
    """`zip`, `share` and `close` update the card; `send` text, image and the mark that they are there."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def zip(self, ask: Ask) -> Updates:
        """A run (`run` alone), one image, or those that are picked."""
        from lib_sdpipe.workspace.packing import pack_picked, pack_run  # numpy comes with it

        link = ask.link()
        if "picked" not in ask.data and link is not None and link.run_id and not link.name:
            return (self._show(pack_run(ask.workspace, link.run_id)),)
        return (self._show(pack_picked(ask.workspace, _read_picks(ask.data))),)

    def share(self, ask: Ask) -> Updates:
        """One image, or those that are picked."""
        from lib_sdpipe.workspace.packing import pack_shared

        return (self._show(pack_shared(ask.workspace, _read_picks(ask.data))),)

    def close(self, ask: Ask) -> Updates:
        return ("",)

    def send(self, ask: Ask) -> Updates:
        """Fill what the host's button for `to` sends. Without settings the image goes alone: an empty text would paste the last job's."""
        from lib_sdpipe.workspace.picked import find_pick, read_infotext_of

        target, picks = ask.text("to"), _read_picks(ask.data)
        if target not in self._frame.host.send_targets() or len(picks) != 1:
            raise UsageError("this cannot be sent there")
        found = find_pick(ask.workspace, picks[0])
        text = read_infotext_of(found)
        takes_image = target != "txt2img"
        if takes_image and found.file is None:
            raise UnknownNameError(f"{found.pick.title}: {found.absence}; there is no image to send")
        if not takes_image and not text:
            raise UnknownNameError(f"{found.pick.title}: nothing is known of how it was made; there are no settings to send")
        button = f"sdpipe_send_to_{target}" if text else f"sdpipe_send_image_to_{target}"
        image = gr.update(value=servable(found.file)) if takes_image and found.file is not None else gr.update()
        return text or "", image, markup.show_ready_mark(button, next(_numbers))

    def _show(self, parcel: Any) -> str:
        is_zip = parcel.media_type == "application/zip"
        files = len(parcel.pieces) or len(parcel.shared)
        notes = [parcel.notice] if parcel.notice else []
        if parcel.missing and not parcel.shared:
            notes.append("What is not there is named in missing.txt, in the zip:")
        notes += [self._frame.readable(text) for text in parcel.missing[:_MOST_NOTES]]
        if len(parcel.missing) > _MOST_NOTES:
            notes.append(f"and {len(parcel.missing) - _MOST_NOTES:,} more")
        return markup.show_download(Ready(
            keep_download(parcel), parcel.file_name, words.format_count(files, "file") if is_zip else "",
            markup.format_size(parcel.bytes, bool(parcel.shared) and is_zip), notes,
        ))


def _read_picks(data: Json) -> list[Any]:
    from lib_sdpipe.workspace.picked import read_picks

    picked = data.get("picked")
    return read_picks(picked[:MOST_PICKED] if isinstance(picked, list) else [data])
