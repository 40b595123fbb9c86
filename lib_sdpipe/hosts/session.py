"""From the host's hooks and callbacks to the recorder. One session a process: it outlives Reload UI.

Every method is called on the generating thread (or the page's) and never raises into the host.
"""

from __future__ import annotations

import functools
import logging
import os
import time
from dataclasses import dataclass, field
from typing import Any, Callable, TypeVar

from modules import progress, shared

from lib_sdpipe.hosts import settings
from lib_sdpipe.hosts.controls import read_options
from lib_sdpipe.hosts.environment import read_environment
from lib_sdpipe.hosts.image_values import read_detailer_pass, read_grid, read_image, read_pass, stage_of
from lib_sdpipe.hosts.output_folders import read_output_folders
from lib_sdpipe.hosts.request import PictureBox, is_img2img, read_request
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.record.completion import Extras
from lib_sdpipe.record.facts import JobKey, RunOptions
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass, Slot
from lib_sdpipe.record.recorder import Recorder
from lib_sdpipe.store.keep import kept_path
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.saved_file import FileStamp, find_saved_file, read_stamp

log = logging.getLogger("sdpipe")
F = TypeVar("F", bound=Callable[..., Any])

_SAVE_BEFORE_HIRES = "save_images_before_highres_fix"
_LONGEST_REDIRECT = 200


def never_raises(function: F) -> F:
    """The door to the host: our fault is logged and shown in the tab, the host's generation goes on."""

    @functools.wraps(function)
    def guarded(self: "Session", *args: Any, **kwargs: Any) -> Any:
        try:
            return function(self, *args, **kwargs)
        except Exception as fault:  # whatever it is, it must not reach the host; it is seen through `report`
            self.recorder.report(fault)
            return None

    return guarded  # type: ignore[return-value]


@dataclass
class _Save:
    """A save between on_before_image_saved and on_image_saved."""

    params: Any
    name: str
    path: str
    before: FileStamp | None
    extras: Extras
    is_final: bool


@dataclass
class _Frame:
    """One call of process_images_inner. `outer` is None where the pass is not recorded or runs inside another."""

    p: Any
    job: Job | None = None
    outer: Pass | None = None
    started: float = 0.0
    save: _Save | None = None
    restore_option: list[Any] | None = None
    images: dict[int, str] = field(default_factory=dict)
    unsaved: Any = None


class Session:
    """All state between hooks. A frame's events come on one thread; frames of one process never overlap."""

    def __init__(self) -> None:
        self.recorder = Recorder(self.is_host_busy)
        self._frames: list[_Frame] = []
        self._announced: tuple[Any, Job | None] | None = None

    def is_host_busy(self) -> bool:
        return bool(self._frames) or bool(getattr(shared.state, "job", ""))

    @never_raises
    def open_library(self) -> None:
        """Use the runs folder that the settings name now."""
        self.recorder.open_library(find_layout(settings.runs_folder(), settings.cache_folder()), read_output_folders())

    # --- a pass of the host's main loop ---

    @never_raises
    def before_process(self, p: Any, arguments: tuple[Any, ...]) -> None:
        """The host is about to prepare a pass. ADetailer also calls this on copies in mid-pass: those are not ours."""
        if not self._frames and not getattr(p, "_ad_inner", False):
            self._announced = (p, self._join_job(p, arguments))

    @never_raises
    def enter_pass(self, p: Any) -> None:
        frame = _Frame(p, started=time.monotonic())
        announced, self._announced = self._announced, None
        nested = bool(self._frames)
        self._frames.append(frame)
        if nested:
            self._enter_nested(frame)
            return
        frame.job = announced[1] if announced is not None and announced[0] is p else self._join_job(p, ())
        if frame.job is not None:
            frame.outer = frame.job.start_pass(read_pass(p))
            self._send_parent(frame)
            self._save_before_hires(frame)

    @never_raises
    def leave_pass(self, p: Any, error: BaseException | None) -> None:
        frame = self._frames.pop() if self._frames and self._frames[-1].p is p else None
        if frame is None:
            return
        if frame.restore_option is not None:
            _restore_option(frame.restore_option)
        if self._frames:
            self._leave_nested(frame, error)
        elif frame.job is not None and frame.outer is not None:
            self._flush_unsaved(frame)
            state = shared.state
            interrupted = bool(state.interrupted or getattr(state, "stopping_generation", False))
            failure = None if error is None else {
                "stage": frame.outer.facts.stage, "type": type(error).__name__, "message": str(error),
            }
            frame.job.end_pass(frame.outer, None, interrupted, failure)
            self.recorder.note_event()

    @never_raises
    def process(self, p: Any) -> None:
        frame = self._recorded(p)
        if frame is not None and frame.job is not None and frame.job.options.write_run_id:
            p.extra_generation_params["Run ID"] = frame.job.run_id

    @never_raises
    def before_process_batch(self, p: Any, iteration: int) -> None:
        frame = self._recorded(p)
        if frame is not None and frame.outer is not None:
            self._flush_unsaved(frame)
            frame.outer.start_batch(iteration, time.monotonic())

    @never_raises
    def postprocess_batch_list(self, p: Any, images: int) -> None:
        frame = self._recorded(p)
        if frame is not None and frame.outer is not None:
            frame.outer.finish_batch(images, time.monotonic())
            state = shared.state
            cut_short = "interrupted" if state.interrupted else "skipped" if state.skipped else None
            frame.outer.incomplete = cut_short

    @never_raises
    def after_composite(self, p: Any, picture: Any) -> None:
        """One image is finished; the host saves it next, or not at all."""
        frame = self._recorded(p)
        if frame is not None and frame.outer is not None:
            self._flush_unsaved(frame)
            frame.outer.composite()
            frame.unsaved = picture

    # --- saves ---

    @never_raises
    def before_image_saved(self, params: Any) -> None:
        frame = self._recorded(params.p)
        if frame is None or frame.job is None or frame.outer is None:
            return
        outer, p = frame.outer, frame.p
        path = os.path.abspath(params.filename)
        stem = os.path.splitext(os.path.basename(path))[0]
        role = outer.role_of_save(stem, bool(getattr(p, "is_hr_pass", False)))
        slot = outer.slot_of_save(role, getattr(p, "iteration", None), getattr(p, "batch_index", None))
        if role == "final":
            frame.unsaved = None
        line = self._image_line(frame, role, slot, (params.pnginfo or {}).get("parameters"))
        if role == "before-highres-fix" and frame.restore_option is not None:
            path = self._redirect(frame.job, line, params) or path
        before = read_stamp(path)
        line.update(path=path, before=before.to_json() if before else None)
        extras = self._before_detailer(outer, role, slot)
        frame.save = _Save(params, line["name"], path, before, extras, role == "final")
        self.recorder.promise(line, Extras())

    @never_raises
    def image_saved(self, params: Any) -> None:
        frame = self._recorded(params.p)
        save = frame.save if frame is not None else None
        if frame is None or frame.job is None or save is None or save.params is not params:
            return
        frame.save = None
        reported = os.path.abspath(params.filename)
        written = find_saved_file(reported, save.before if reported == save.path else None) or reported
        frame.images[id(params.image)] = save.name
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
        self._flush_unsaved(frame)
        names = [frame.images.get(id(picture)) for picture in pictures]
        frame.outer.grid_members = [name for name in names if name is not None]

    # --- parts ---

    def _join_job(self, p: Any, arguments: tuple[Any, ...]) -> Job | None:
        """The open run of the host's current job, or a new one; None where it is not to be recorded."""
        options = read_options(arguments, bool(getattr(p, "is_api", False)), settings.default_options())
        source = "api" if getattr(p, "is_api", False) else "ui"
        if settings.is_paused() or not options.record or not settings.records_source(source):
            return None
        key = JobKey(progress.current_task, float(getattr(shared.state, "time_start", None) or 0.0))
        return self.recorder.job_of(key) or self._open_job(p, key, options)

    def _open_job(self, p: Any, key: JobKey, options: RunOptions) -> Job | None:
        self.open_library()
        box = PictureBox()
        request = read_request(p, box)
        options_now = dict(shared.opts.data)
        environment = functools.partial(read_environment, options_now) if settings.records_environment() else None
        return self.recorder.open_job(key, options, stage_of(p), request, Extras(box.pictures, environment))

    def _recorded(self, p: Any) -> _Frame | None:
        """The frame of this very object, if its pass is recorded."""
        return next((frame for frame in self._frames if frame.p is p and frame.outer is not None), None)

    def _send_parent(self, frame: _Frame) -> None:
        pictures = getattr(frame.p, "init_images", None) or []
        if not is_img2img(frame.p) or not pictures or not hasattr(pictures[0], "info"):
            return
        assert frame.job is not None and frame.outer is not None
        line = frame.job.pass_line(frame.outer, "parent", read_infotext(pictures[0]))
        self.recorder.promise(line, Extras({"parent": pictures[0]}))

    def _image_line(self, frame: _Frame, role: str, slot: Slot, infotext: str | None) -> dict[str, Any]:
        assert frame.job is not None and frame.outer is not None
        image = read_grid(frame.p, infotext) if role == "grid" else read_image(frame.p, slot[0], slot[1], infotext)
        return frame.job.image_line(frame.outer, role, slot, image, time.time())

    def _before_detailer(self, outer: Pass, role: str, slot: Slot) -> Extras:
        picture = outer.before_detailer.pop(slot, None) if role == "final" else None
        return Extras({} if picture is None else {"before": picture})

    def _flush_unsaved(self, frame: _Frame) -> None:
        """A finished image that the host returns without writing it: a manifest without a path."""
        picture, frame.unsaved = frame.unsaved, None
        if picture is None or frame.job is None or frame.outer is None:
            return
        outer = frame.outer
        outer.role_of_save("", False)
        slot = (outer.iteration, getattr(frame.p, "batch_index", None) or 0)
        line = self._image_line(frame, "final", slot, read_infotext(picture))
        line.update(path=None, before=None)
        extras = self._before_detailer(outer, "final", slot)
        extras.pictures["returned"] = picture
        self.recorder.promise(line, Extras())
        self.recorder.queue({"kind": "saved", "run_id": frame.job.run_id, "name": line["name"], "path": None}, extras)

    # --- ADetailer's inner passes ---

    def _enter_nested(self, frame: _Frame) -> None:
        outside = self._frames[0]
        outer = outside.outer
        if outer is None or outside.job is None or not getattr(frame.p, "_ad_inner", False):
            return
        slot = (outer.iteration, getattr(outside.p, "batch_index", 0))
        pictures = getattr(frame.p, "init_images", None) or []
        if pictures and slot not in outer.before_detailer and slot not in outer.details:
            outer.before_detailer[slot] = pictures[0]
            if outside.job.options.keep_stages:
                self._keep_before_detailer(outside, slot, pictures[0])

    def _keep_before_detailer(self, outside: _Frame, slot: Slot, picture: Any) -> None:
        line = self._image_line(outside, "before-adetailer", slot, None)
        self.recorder.queue({**line, "kind": "picture"}, Extras({"kept": picture}))

    def _leave_nested(self, frame: _Frame, error: BaseException | None) -> None:
        outside = self._frames[0]
        if outside.outer is None or error is not None or not getattr(frame.p, "_ad_inner", False):
            return
        slot = (outside.outer.iteration, getattr(outside.p, "batch_index", 0))
        duration_ms = round((time.monotonic() - frame.started) * 1000)
        outside.outer.details.setdefault(slot, []).append(read_detailer_pass(frame.p, duration_ms))

    # --- the picture before hires fix ---

    def _save_before_hires(self, frame: _Frame) -> None:
        """Have the host save it for this pass; the option is put back when the pass ends."""
        assert frame.job is not None
        data = shared.opts.data
        if not frame.job.options.keep_stages or not getattr(frame.p, "enable_hr", False) or data.get(_SAVE_BEFORE_HIRES):
            return
        frame.restore_option = [data[_SAVE_BEFORE_HIRES]] if _SAVE_BEFORE_HIRES in data else []
        data[_SAVE_BEFORE_HIRES] = True

    def _redirect(self, job: Job, line: dict[str, Any], params: Any) -> str | None:
        """Send the host's save into the run folder; the host cuts long paths, so those stay where they were."""
        desk = self.recorder.desk
        if desk is None:
            return None
        target = kept_path(desk.layout, job.run_id, line["manifest"]["stage"], line["name"], os.path.splitext(params.filename)[1])
        if len(str(target)) > _LONGEST_REDIRECT:
            return None
        target.parent.mkdir(parents=True, exist_ok=True)
        params.filename = str(target)
        return params.filename


def _restore_option(previous: list[Any]) -> None:
    if previous:
        shared.opts.data[_SAVE_BEFORE_HIRES] = previous[0]
    else:
        shared.opts.data.pop(_SAVE_BEFORE_HIRES, None)
