"""What the host saves during a recorded pass: a promise before each file is written, the real name after it."""

from __future__ import annotations

import os
import time
from typing import Any

from lib_sdpipe.hosts.frames import Frame, Frames, Save, never_raises
from lib_sdpipe.hosts.image_values import read_grid, read_image
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.passes import Pass, Slot
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.saved_file import find_free_name, find_saved_file, read_stamp

# The host cuts the whole path to about 250 characters, folders included: a longer name would not come out as asked.
_LONGEST_PATH = 230


class Saves:
    """Save callbacks, in the host's order. Saves of other code (p is no recorded pass) are not ours."""

    def __init__(self, recorder: Recorder, frames: Frames) -> None:
        self.recorder = recorder
        self._frames = frames

    @never_raises
    def before_image_saved(self, params: Any) -> None:
        frame = self._frames.recorded(params.p)
        if frame is None or frame.job is None or frame.outer is None:
            return
        path = os.path.abspath(params.filename)
        role = self._role(frame, params, path)
        slot = frame.outer.slot_of_save(role, getattr(frame.p, "iteration", None), getattr(frame.p, "batch_index", None))
        line = image_line(frame, role, slot, (params.pnginfo or {}).get("parameters"))
        if role == "final":
            frame.names[id(frame.unsaved)] = line["name"]
            frame.unsaved = None
        if role == "before-highres-fix" and frame.put_back is not None:
            path = _hide(line, params, path)
        before = read_stamp(path)
        free = find_free_name(path) if before is not None else None
        line.update(path=path, before=before.to_json() if before else None, free=free)
        frame.saves[id(params)] = Save(line["name"], path, before, free, _before_detailer(frame.outer, role, slot), role == "final")
        self.recorder.promise(line, Extras())

    @never_raises
    def image_saved(self, params: Any) -> None:
        frame = self._frames.recorded(params.p)
        save = frame.saves.pop(id(params), None) if frame is not None else None
        if frame is None or frame.job is None or save is None:
            return
        reported = os.path.abspath(params.filename)
        written = find_saved_file(reported, save.before, save.free) if reported == save.path else reported
        written = written or reported
        frame.names[id(params.image)] = save.name
        if save.is_final:
            frame.job.count_saved()
        stamp = read_stamp(written)
        line = {
            "kind": "saved", "run_id": frame.job.run_id, "name": save.name, "path": written, "stamp": stamp.to_json() if stamp else None,
        }
        (self.recorder.queue if written == save.path else self.recorder.promise)(line, save.extras)

    @never_raises
    def image_grid(self, pictures: list[Any]) -> None:
        """The host has put these pictures into a grid; the next save of this pass into the grids' folder is it."""
        frame = self._frames.innermost_recorded()
        if frame is None or frame.outer is None:
            return
        self.flush_unsaved(frame)
        names = [frame.names.get(id(picture)) for picture in pictures]
        frame.outer.grid_members = [name for name in names if name is not None]

    def flush_unsaved(self, frame: Frame) -> None:
        """A finished image that the host returns without writing it: a manifest without a path."""
        picture, frame.unsaved = frame.unsaved, None
        if picture is None or frame.job is None or frame.outer is None:
            return
        frame.outer.role_of_save("", False)
        slot = (frame.outer.iteration, frame.outer.index)
        line = image_line(frame, "final", slot, read_infotext(picture))
        line.update(path=None, before=None)
        frame.names[id(picture)] = line["name"]
        extras = _before_detailer(frame.outer, "final", slot)
        extras.pictures["returned"] = picture
        self.recorder.promise(line, Extras())
        self.recorder.queue({"kind": "saved", "run_id": frame.job.run_id, "name": line["name"], "path": None}, extras)

    def _role(self, frame: Frame, params: Any, path: str) -> str:
        assert frame.outer is not None
        if frame.finished is not None and params.image is frame.finished:
            frame.finished = None
            return frame.outer.save_final()
        stem = os.path.splitext(os.path.basename(path))[0]
        return frame.outer.role_of_save(stem, bool(getattr(frame.p, "is_hr_pass", False)), _is_foreign(frame, params, path))


def image_line(frame: Frame, role: str, slot: Slot, infotext: Any) -> Json:
    """The promise of one manifest, from what the processing object says now."""
    assert frame.job is not None and frame.outer is not None
    image = read_grid(frame.p, infotext) if role == "grid" else read_image(frame.p, slot[0], slot[1], infotext)
    return frame.job.image_line(frame.outer, role, slot, image, time.time())


def _is_foreign(frame: Frame, params: Any, path: str) -> bool:
    """Whether this is another extension's own save, with the host's next one still to come.

    The host saves the very picture that left the last hook, to its folder for samples, or a grid to the grids'. A
    callback before ours may have replaced the picture: then the place and the size must do.
    """
    if frame.outer is not None and frame.outer.grid_members is not None:
        return not _is_below(path, getattr(frame.p, "outpath_grids", None))
    if frame.unsaved is None or params.image is frame.unsaved:
        return False
    if not _is_below(path, getattr(frame.p, "outpath_samples", None)):
        return True
    return getattr(params.image, "size", None) != getattr(frame.unsaved, "size", None)


def _is_below(path: str, folder: Any) -> bool:
    return isinstance(folder, str) and os.path.abspath(path).startswith(os.path.join(os.path.abspath(folder), ""))


def _hide(line: Json, params: Any, path: str) -> str:
    """A picture that the host saves only for us: under a hidden name where it writes anyway, to be moved by the writer.

    Not into the run folder at once: were that disk full, the host's own save would fail.
    """
    extension = os.path.splitext(path)[1]
    hidden = os.path.join(os.path.dirname(path), f".sdpipe-{line['run_id']}-{line['name']}{extension}")
    if len(hidden) > _LONGEST_PATH:
        return path
    line["is_ours"] = True
    params.filename = hidden
    return hidden


def _before_detailer(outer: Pass, role: str, slot: Slot) -> Extras:
    picture = outer.before_detailer.pop(slot, None) if role == "final" else None
    return Extras({} if picture is None else {"before": picture})
