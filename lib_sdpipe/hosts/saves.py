"""What the host saves: a promise before each file is written, the real name after it.

A save belongs to a pass that runs, to a script between and after its passes, to the Extras tab, or it is a copy made by
the Save button; who asks tells which.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from modules import shared

from lib_sdpipe.hosts.extras_tab import ExtrasTab
from lib_sdpipe.hosts.frames import Frame, Frames, never_raises
from lib_sdpipe.hosts.image_values import read_grid, read_image
from lib_sdpipe.hosts.known_pictures import KnownPictures
from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.save_roles import is_below, role_of_returned, role_of_save
from lib_sdpipe.hosts.script_saves import ScriptSaves, is_copy
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass, Slot
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.record.tiles import Tile
from lib_sdpipe.store.saved_file import FileStamp, find_free_name, find_saved_file, read_stamp

# The host cuts the whole path to about 250 characters, folders included: a longer name would not come out as asked.
_LONGEST_PATH = 230


@dataclass(frozen=True)
class _Save:
    """A save between on_before_image_saved and on_image_saved.

    `before` is what lay at the path until then, `free` the free name beside it.
    """

    params: Any
    job: Job
    name: str
    path: str
    before: FileStamp | None
    free: str | None
    extras: Extras
    is_counted: bool


class Saves:
    """Save callbacks, in the host's order. Those under way are known by the identity of their parameters."""

    def __init__(self, recorder: Recorder, frames: Frames, known: KnownPictures, scripts: ScriptSaves, extras_tab: ExtrasTab) -> None:
        self.recorder = recorder
        self._frames = frames
        self._known = known
        self._scripts = scripts
        self._extras_tab = extras_tab
        self._under_way: dict[int, _Save] = {}

    @never_raises
    def before_image_saved(self, params: Any) -> None:
        path = os.path.abspath(params.filename)
        frame = self._frames.recorded(params.p)
        if frame is not None:
            self._before_save_of_pass(frame, params, path)
        elif is_copy(params.p):
            return
        elif self._frames.here() and not self._extras_tab.is_own():
            self._before_save_on_the_way(params, path)
        else:
            begun = self._extras_tab.begin_save(params) or self._scripts.build_line(params)
            if begun is not None:
                self._promise(params, path, *begun)

    @never_raises
    def image_saved(self, params: Any) -> None:
        save = self._under_way.pop(id(params), None)
        if save is None or save.params is not params:
            if is_copy(params.p):
                self._scripts.note_copy(params)
            return
        reported = os.path.abspath(params.filename)
        written = find_saved_file(reported, save.before, save.free) if reported == save.path else reported
        written = written or reported
        self._known.add(params.image, save.name)
        if save.is_counted:
            save.job.count_saved()
        if self.recorder.may_hold(params.image):
            save.extras.pictures["written"] = params.image
        line = _saved_line(save.job, save.name, written)
        (self.recorder.queue if written == save.path else self.recorder.promise)(line, save.extras)

    @never_raises
    def image_grid(self, pictures: list[Any]) -> None:
        """The host has put these pictures into a grid; the next save into the grids' folder is it."""
        frame = self._frames.innermost_recorded()
        if frame is None or frame.outer is None:
            if not self._frames.here():
                self._scripts.grids.add(pictures)
            return
        self.flush_unsaved(frame)
        names = [self._known.name_of(picture) for picture in pictures]
        frame.outer.grid_members = [name for name in names if name is not None]

    def forget_failed(self) -> None:
        """A new pass begins: what is still under way has failed, and its pictures are let go."""
        self._under_way.clear()

    def flush_unsaved(self, frame: Frame) -> None:
        """A finished image that the host did not save under our eyes: it was not written at all, or during Reload UI."""
        picture, frame.unsaved = frame.unsaved, None
        if picture is None or frame.job is None or frame.outer is None:
            return
        frame.outer.role_of_save("", False)
        slot = (frame.outer.iteration, frame.outer.index)
        line = image_line(frame, "final", slot, read_infotext(picture))
        saved_as = getattr(picture, "already_saved_as", None)
        if frame.job.has_script and not saved_as:
            frame.job.tiles.append(Tile(line["name"], frame.outer.number, slot[1]))
        self._record_written(frame.job, line, picture, saved_as, _before_detailer(frame.outer, "final", slot))

    def record_returned(self, frame: Frame, result: Any) -> None:
        """What a pass returns beside its images without having saved it: a grid, masks, maps of other extensions."""
        pictures = [*(getattr(result, "images", None) or []), *(getattr(result, "extra_images", None) or [])]
        grids = getattr(result, "index_of_first_image", 0) or 0
        for place, picture in enumerate(pictures):
            if frame.job is None or frame.outer is None or not hasattr(picture, "getbands") or self._known.name_of(picture):
                continue
            role = "grid" if place < grids else role_of_returned(frame, picture)
            line = image_line(frame, role, (frame.outer.iteration, frame.outer.index), read_infotext(picture))
            self._record_written(frame.job, line, picture, getattr(picture, "already_saved_as", None), Extras())

    def record_unsaved(self, job: Job, line: Json, picture: Any) -> None:
        """A result that is not written to the host's folders."""
        self._record_written(job, line, picture, None, Extras())

    def _record_written(self, job: Job, line: Json, picture: Any, saved_as: str | None, extras: Extras) -> None:
        path = os.path.abspath(saved_as) if saved_as else None
        if path is None and _is_counted(line) and job.wants_kept(line):
            self._known.add(picture, line["name"])
            job.count_saved()
            self.recorder.queue({**line, "kind": "picture"}, Extras({**extras.pictures, "kept": picture}))
            return
        line.update(path=path, folder=os.path.dirname(path) if path else None, before=None)
        self._known.add(picture, line["name"])
        if path is None:
            extras.pictures["returned"] = picture
        elif _is_counted(line):
            job.count_saved()
        self.recorder.promise(line, Extras())
        self.recorder.queue(_saved_line(job, line["name"], path), extras)

    def _before_save_of_pass(self, frame: Frame, params: Any, path: str) -> None:
        if frame.job is None or frame.outer is None:
            return
        if (getattr(frame.p, "iteration", 0), getattr(frame.p, "batch_index", 0)) != (frame.outer.iteration, frame.outer.index):
            self.flush_unsaved(frame)  # the host is at another image by now: it did not save the last one
        role = role_of_save(frame, params, path)
        slot = frame.outer.slot_of_save(role, getattr(frame.p, "iteration", None), getattr(frame.p, "batch_index", None))
        line = image_line(frame, role, slot, _text(params))
        if role == "final":
            if frame.unsaved is not None:
                self._known.add(frame.unsaved, line["name"])
            frame.unsaved = None
        if role == "before-highres-fix" and frame.put_back is not None:
            path = _hide(line, params, path, frame.job.options.prompts)
        self._promise(params, path, frame.job, line, _before_detailer(frame.outer, role, slot))

    def _before_save_on_the_way(self, params: Any, path: str) -> None:
        """Inside a pass, but not by it: its input pictures (also ADetailer's), or what another extension saves."""
        frame = self._frames.innermost_recorded()
        if frame is None or frame.job is None or frame.outer is None:
            return
        is_init = params.p is None and is_below(path, getattr(shared.opts, "outdir_init_images", None))
        is_inside = self._frames.here()[-1] is not frame
        stage = "adetailer" if is_inside and is_init else frame.outer.facts.stage
        number, frame.init_saves = frame.init_saves, frame.init_saves + (0 if is_inside else 1)
        line = frame.job.companion_line(frame.outer, stage, "init" if is_init else "preview", number, _text(params), time.time())
        self._promise(params, path, frame.job, line, Extras())

    def _promise(self, params: Any, path: str, job: Job, line: Json, extras: Extras) -> None:
        before = read_stamp(path)
        free = find_free_name(path) if before is not None else None
        folder = next((folder for folder in job.folders if is_below(path, folder)), os.path.dirname(path))
        line.update(path=path, folder=folder, before=before.to_json() if before else None, free=free)
        self._under_way[id(params)] = _Save(params, job, line["name"], path, before, free, extras, _is_counted(line))
        self.recorder.promise(line, Extras())


def _is_counted(line: Json) -> bool:
    """Grids and companions are not among the run's images."""
    return line["manifest"]["role"] == "final" and line["manifest"]["stage"] != "grid"


def image_line(frame: Frame, role: str, slot: Slot, infotext: Any) -> Json:
    """The promise of one manifest, from what the processing object says now."""
    assert frame.job is not None and frame.outer is not None
    image = read_grid(frame.p, infotext) if role == "grid" else read_image(frame.p, slot[0], slot[1], infotext)
    line = frame.job.image_line(frame.outer, role, slot, image, time.time())
    if frame.variant is not None and role != "grid":
        line["manifest"]["variant"] = hide_home(frame.variant.of_image(slot[0] * (image.batch_size or 1) + slot[1]))
    return line


def _saved_line(job: Job, name: str, path: str | None) -> Json:
    stamp = read_stamp(path) if path else None
    return {
        "kind": "saved", "run_id": job.run_id, "name": name, "path": path, "stamp": stamp.to_json() if stamp else None, "at": time.time(),
    }


def _text(params: Any) -> str | None:
    return (params.pnginfo or {}).get("parameters")


def _hide(line: Json, params: Any, path: str, with_text: bool) -> str:
    """A picture that the host saves only for us: under a hidden name where it writes anyway, to be moved by the writer.

    Not into the run folder at once: were that disk full, the host's own save would fail.
    """
    extension = os.path.splitext(path)[1]
    hidden = os.path.join(os.path.dirname(path), f".sdpipe-{line['run_id']}-{line['name']}{extension}")
    if len(hidden) > _LONGEST_PATH:
        return path
    line["is_ours"] = True
    params.filename = hidden
    if not with_text:
        params.pnginfo.pop("parameters", None)
        params.image = params.image.convert("RGB")  # Forge hides the text in alpha, too
    return hidden


def _before_detailer(outer: Pass, role: str, slot: Slot) -> Extras:
    picture = outer.before_detailer.pop(slot, None) if role == "final" else None
    return Extras({} if picture is None or outer.is_detailing else {"before": picture})
