"""What the host saves during a recorded pass: a promise before each file is written, the real name after it."""

from __future__ import annotations

import os
import time
from typing import Any

from lib_sdpipe.hosts.frames import Frame, Frames, Save, never_raises
from lib_sdpipe.hosts.image_values import read_grid, read_image
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.record.completion import Extras
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass, Slot
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.keep import kept_path
from lib_sdpipe.store.saved_file import find_saved_file, read_stamp

# The host cuts the whole path to about 250 characters (HOSTS §2.3), folders included.
_LONGEST_REDIRECT = 200


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
        stem = os.path.splitext(os.path.basename(path))[0]
        role = frame.outer.role_of_save(stem, bool(getattr(frame.p, "is_hr_pass", False)))
        slot = frame.outer.slot_of_save(role, getattr(frame.p, "iteration", None), getattr(frame.p, "batch_index", None))
        if role == "final":
            frame.unsaved = None
        line = image_line(frame, role, slot, (params.pnginfo or {}).get("parameters"))
        if role == "before-highres-fix" and frame.put_back is not None:
            path = self._redirect(frame.job, line, params) or path
        before = read_stamp(path)
        line.update(path=path, before=before.to_json() if before else None)
        extras = _before_detailer(frame.outer, role, slot)
        frame.save = Save(params, line["name"], path, before, extras, role == "final")
        self.recorder.promise(line, Extras())

    @never_raises
    def image_saved(self, params: Any) -> None:
        frame = self._frames.recorded(params.p)
        save = frame.save if frame is not None else None
        if frame is None or frame.job is None or save is None or save.params is not params:
            return
        frame.save = None
        reported = os.path.abspath(params.filename)
        written = find_saved_file(reported, save.before if reported == save.path else None) or reported
        frame.names[id(params.image)] = save.name
        if save.is_final:
            frame.job.count_saved()
        line = {"kind": "saved", "run_id": frame.job.run_id, "name": save.name, "path": written}
        (self.recorder.queue if written == save.path else self.recorder.promise)(line, save.extras)

    @never_raises
    def image_grid(self, pictures: list[Any]) -> None:
        """The host has put these pictures into a grid; the next save of this pass is the grid."""
        frame = self._frames[-1] if self._frames else None
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

    def _redirect(self, job: Job, line: Json, params: Any) -> str | None:
        """Send a picture the host saves only for us into the run folder; None where its name would be too long."""
        desk = self.recorder.desk
        if desk is None:
            return None
        extension = os.path.splitext(params.filename)[1]
        target = kept_path(desk.layout, job.run_id, line["manifest"]["stage"], line["name"], extension)
        if len(str(target)) > _LONGEST_REDIRECT:
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        params.filename = str(target)
        return params.filename


def image_line(frame: Frame, role: str, slot: Slot, infotext: str | None) -> Json:
    """The promise of one manifest, from what the processing object says now."""
    assert frame.job is not None and frame.outer is not None
    image = read_grid(frame.p, infotext) if role == "grid" else read_image(frame.p, slot[0], slot[1], infotext)
    return frame.job.image_line(frame.outer, role, slot, image, time.time())


def _before_detailer(outer: Pass, role: str, slot: Slot) -> Extras:
    picture = outer.before_detailer.pop(slot, None) if role == "final" else None
    return Extras({} if picture is None else {"before": picture})
