"""What happens at the actions: a download is prepared, an image and its text are laid out for the host's own button. Writes nothing."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from typing import Any

import gradio as gr

from lib_sdpipe.errors import SdPipeError, UnknownNameError, UsageError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.ui import words
from lib_sdpipe.ui.actions import markup
from lib_sdpipe.ui.actions.markup import Ready
from lib_sdpipe.ui.ask import MOST_PICKED, Ask
from lib_sdpipe.ui.background import LongWork
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.gradio_versions import servable
from lib_sdpipe.workspace.downloads import keep_download

_MOST_NOTES = 3
_LANE, _MOST_AT_ONCE = "download", 8
_PATIENCE_SECONDS = 0.4
_STEP_SECONDS = 0.005
_numbers = itertools.count(1)


class ActionEvents:
    """`zip`, `share`, `look` and `close` update the card; `send` text, image and the mark that they are there."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def zip(self, ask: Ask) -> Updates:
        """A run (`run` alone), one image, or those that are picked."""
        from lib_sdpipe.workspace.packing import pack_picked, pack_run  # numpy comes with it

        link = ask.link()
        if "picked" not in ask.data and link is not None and link.run_id and not link.name:
            run_id = link.run_id
            return self._prepare(ask, lambda: pack_run(ask.workspace, run_id))
        return self._prepare(ask, lambda: pack_picked(ask.workspace, _read_picks(ask.data)))

    def share(self, ask: Ask) -> Updates:
        """One image, or those that are picked."""
        from lib_sdpipe.workspace.packing import pack_shared

        return self._prepare(ask, lambda: pack_shared(ask.workspace, _read_picks(ask.data)))

    def look(self, ask: Ask) -> Updates:
        """Whether a download is prepared by now."""
        lane = f"{_LANE} {ask.number('lane')}"
        work = self._frame.background.find(lane)
        return self._answer(work, lane) if work is not None and work.id == ask.text("id") and work.user == ask.user else ("",)

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

    def _prepare(self, ask: Ask, pack: Callable[[], Any]) -> Updates:
        """Thousands of picked images take seconds to be found: the page hears of it then."""
        lane = f"{_LANE} {next(_numbers) % _MOST_AT_ONCE}"
        return self._answer(self._frame.background.start(lane, "Download", lambda work: pack(), ask.user), lane)

    def _answer(self, work: LongWork, lane: str) -> Updates:
        until = time.monotonic() + _PATIENCE_SECONDS
        while work.is_running and time.monotonic() < until:
            time.sleep(_STEP_SECONDS)
        if work.is_running:
            return (markup.show_pending({"lane": int(lane.rpartition(" ")[2]), "id": work.id}),)
        self._frame.background.forget(lane)
        if work.result is None:
            raise SdPipeError(work.fault or "The download was not prepared; ask for it again.")
        return (self._show(work.result),)

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
