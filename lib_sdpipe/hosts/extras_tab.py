"""The Extras tab and its API: no processing object, no pass; a postprocessing script of ours sees each picture come and go.

What that script is not told (which mode, which picture of how many, whether the host will save it) stands in the local
variables of the host's `run_postprocessing`.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Iterator

from modules import infotext_utils, progress, scripts

from lib_sdpipe.hosts import settings
from lib_sdpipe.hosts.call_stack import find_locals
from lib_sdpipe.hosts.frames import Frames, never_raises
from lib_sdpipe.hosts.image_values import read_upscaled
from lib_sdpipe.hosts.jobs import Jobs, current_key, is_interrupted, read_claim
from lib_sdpipe.hosts.plain_values import hide_home, plain
from lib_sdpipe.hosts.request import PictureBox, read_postprocessing_scripts
from lib_sdpipe.images.read import read_infotext
from lib_sdpipe.manifest.infotext import Infotext, parse_infotext
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import JobKey, Json, PassFacts, RunRequest
from lib_sdpipe.record.job import Job
from lib_sdpipe.record.passes import Pass

_RUN_ID = "Run ID"


@dataclass
class _Picture:
    """One picture on its way through Extras; splitting scripts make several `results` of it."""

    job: Job
    outer: Pass
    number: int
    source: Infotext
    is_saved: bool
    started: float
    results: list[Any] = field(default_factory=list)


class ExtrasTab:
    """One picture at a time on each thread."""

    def __init__(self, jobs: Jobs, frames: Frames) -> None:
        self.recorder = jobs.recorder
        self._jobs = jobs
        self._frames = frames
        self._here = threading.local()

    @never_raises
    def first_pass(self, pp: Any) -> None:
        """A picture is about to be processed; `pp.image` is the source."""
        self._here.picture = None
        own: Job | None = getattr(self._here, "own", None)
        if own is not None:
            self._begin(own, own.start_pass(PassFacts("upscale", 1, {}, None)), True, pp)
            return
        call = None if self._frames.here() else find_locals("postprocessing.py", "run_postprocessing")
        if call is None:
            return  # inside a generation: postprocessing that is enabled there belongs to its pass
        job = self._join(call)
        if job is None:
            return
        outer = job.passes[0] if job.passes else job.start_pass(PassFacts("upscale", len(call.get("data_to_process") or [0]), {}, None))
        job.folders = (os.path.abspath(call["outpath"]),) if isinstance(call.get("outpath"), str) else ()
        self._begin(job, outer, bool(call.get("save_output", True)), pp)

    def _begin(self, job: Job, outer: Pass, is_saved: bool, pp: Any) -> None:
        source = pp.image
        source.load()
        number, outer.begun = outer.begun, outer.begun + 1
        text = parse_infotext(read_infotext(source) or "")
        self._here.picture = _Picture(job, outer, number, text, is_saved, time.monotonic())
        self.recorder.promise(job.pass_line(outer, number, read_claim(source)), Extras({"parent": source}))
        if job.options.write_run_id:
            pp.info[_RUN_ID] = job.run_id

    @never_raises
    def process(self, pp: Any) -> None:
        """One result, after all scripts before ours. What the host does not save is recorded now: nothing comes after."""
        picture: _Picture | None = getattr(self._here, "picture", None)
        if picture is None or self._frames.here() and not self.is_own() or self.recorder.job_of(picture.job.key) is not picture.job:
            return
        picture.job.note_interrupted(is_interrupted())
        if picture.is_saved:
            picture.results.append(pp)
        else:
            line = self._line(picture, pp, self.format_text(pp.info))
            line.update(path=None, before=None)
            self.recorder.promise(line, Extras())
            saved = {"kind": "saved", "run_id": picture.job.run_id, "name": line["name"], "path": None}
            self.recorder.queue(saved, Extras({"returned": pp.image}))

    def begin_save(self, params: Any) -> tuple[Job, Json, Extras] | None:
        """The promise of a file that the Extras tab is about to write; None where the save is not its."""
        picture: _Picture | None = getattr(self._here, "picture", None) if params.p is None else None
        if picture is None or self.recorder.job_of(picture.job.key) is not picture.job:
            return None
        pp = next((result for result in picture.results if result.image is params.image), None)
        # Large pictures are not kept; one that was replaced on the way is matched by nothing.
        picture.results = [result for result in picture.results if result is not pp] if pp is not None else []
        info = pp.info if pp is not None else {}
        text = (params.pnginfo or {}).get("extras") or (params.pnginfo or {}).get("postprocessing") or self.format_text(info)
        return picture.job, self._line(picture, pp, text), Extras()

    # --- an upscale pass of the pipeline, which calls the scripts itself ---

    @contextmanager
    def own_call(self, job: Job, folder: str) -> Iterator[None]:
        """What the scripts do on this thread belongs to a new pass of this run. One that does not come to its end made nothing."""
        job.folders, self._here.own, self._here.picture = (os.path.abspath(folder),), job, None
        try:
            yield
        finally:
            picture: _Picture | None = self._here.picture
            if picture is not None:
                picture.outer.begun = picture.outer.returned
            self._here.own = self._here.picture = None

    def is_own(self) -> bool:
        return getattr(self._here, "own", None) is not None

    def build_unsaved(self, pp: Any, text: str) -> Json | None:
        """The promise of a result that is not saved."""
        picture: _Picture | None = self._here.picture
        return self._line(picture, pp, text) if picture is not None else None

    @staticmethod
    def format_text(info: dict[str, Any]) -> str:
        """The postprocessing text as the host writes it (`run_postprocessing`): `key: value`, or the key alone where they are equal."""
        known = ((key, value) for key, value in info.items() if value is not None)
        return ", ".join(str(key) if key == value else f"{key}: {infotext_utils.quote(value)}" for key, value in known)

    def _line(self, picture: _Picture, pp: Any, text: str) -> Json:
        outer = picture.outer
        outer.returned = max(outer.returned, picture.number + 1)
        outer.image_ms = round((time.monotonic() - picture.started) * 1000)
        line = picture.job.image_line(outer, "final", (0, picture.number), read_upscaled(picture.source, text), time.time())
        info = pp.info if pp is not None else {}
        written = plain({str(key): value for key, value in info.items() if key != _RUN_ID and value is not None})
        line["manifest"]["config"] = hide_home(written)
        line["manifest"]["batch"] = None
        picture.job.note_interrupted(is_interrupted())
        return line

    def _join(self, call: dict[str, Any]) -> Job | None:
        held = self.recorder.held_job
        if held is not None:
            return held
        is_api = not call.get("save_output", True)
        options = settings.default_options()
        if not self._jobs.is_recorded(options, "api" if is_api else "ui"):
            return None
        now = current_key()
        key = JobKey(None if is_api else progress.current_task, now.started)
        return self.recorder.job_of(key) or self._open(key, call, is_api)

    def _open(self, key: JobKey, call: dict[str, Any], is_api: bool) -> Job | None:
        box, problems = PictureBox(), list[str]()
        config: Json = {"endpoint": "extras", "extras_mode": call.get("extras_mode"), "image": None}
        if call.get("extras_mode") == 0 and hasattr(call.get("image"), "load"):
            config["image"] = {"$picture": box.put(call["image"])}
        config["scripts"] = read_postprocessing_scripts(scripts.scripts_postproc, call.get("args") or (), box, problems)
        config = hide_home(config)
        request = RunRequest("api" if is_api else "ui", None, config, tuple(problems))
        return self._jobs.open(key, settings.default_options(), "upscale", request, box)
