"""The port of the pipeline to this host. One a process; it outlives Reload UI."""

from __future__ import annotations

import functools
import os
from dataclasses import replace

from PIL import Image

from modules import images, script_callbacks, shared

try:
    from modules import stealth_infotext
except ImportError:
    stealth_infotext = None  # A1111 and its kin hide nothing

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts import settings
from lib_sdpipe.hosts.environment import read_environment
from lib_sdpipe.hosts.host_facts import read_facts
from lib_sdpipe.hosts.host_turn import HostTurn
from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.run_pass import PassRunner
from lib_sdpipe.hosts.session import Session
from lib_sdpipe.pipeline.port import FindPicture, HostFacts, PassOutcome, PassProgress, PassRequest, RunStart
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Json, RunOptions, RunRequest
from lib_sdpipe.record.job import Job

_LONGEST_RECORDING_SECONDS = 120.0


class PipelinePort:
    """`HostPort` for A1111, Forge, reForge, Classic and the sandbox."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = HostTurn()
        self._runner = PassRunner(session, self._turn)
        self._jobs: dict[str, Job] = {}
        self._users: dict[str, str | None] = {}

    def is_wanted(self) -> bool:
        return self._turn.is_wanted()

    def open_run(self, start: RunStart) -> str:
        self._session.jobs.open_library()
        environment = functools.partial(read_environment, dict(shared.opts.data)) if settings.records_environment() else None
        request = RunRequest("pipeline", start.user, hide_home(start.config))
        job = self._session.recorder.open_pipeline_run(
            _options(start.label), start.stage, request, Extras({}, environment), start.planned,
            {"of": start.replay_of.to_json(), "verdict": None, "differences": None} if start.replay_of is not None else None,
        )
        return self._keep(job, start.user)

    def reopen_run(self, run_id: str, planned: int) -> None:
        if run_id in self._jobs:
            self._jobs[run_id].planned = planned
            return
        self._session.recorder.close_job(run_id)  # what was left of a press of Generate may be resumed at once
        self._session.jobs.open_library()
        self.wait_recorded()
        desk = self._session.recorder.desk
        if desk is None:
            raise SdPipeError(f"run {run_id} cannot go on: no runs folder is open")
        run = desk.store.read_run(run_id)
        names = [path.stem for path in desk.layout.manifests(run_id).glob("*.json")]
        self._keep(self._session.recorder.reopen_pipeline_run(run.to_json(), names, _options(run.label or ""), planned), run.user)

    def close_run(self, run_id: str, cut_short: str | None, error: Json | None, replay: Json | None) -> None:
        job, _ = self._job(run_id), self._users.pop(run_id, None)
        del self._jobs[run_id]
        if cut_short is not None:
            job.note_interrupted(True)
        if error is not None:
            job.note_error(str(error.get("message")), error.get("type"), error.get("stage"))
        self._session.recorder.end_pipeline_run(job, replay)

    def run_pass(self, run_id: str, request: PassRequest, find_picture: FindPicture) -> PassOutcome:
        return self._runner.run(self._job(run_id), request, find_picture, self._users.get(run_id))

    def run_nested(
        self, request: PassRequest, find_picture: FindPicture, user: str | None = None, is_counted: bool = False,
    ) -> PassOutcome:
        """A pass inside the user's job that runs on this thread and is recorded: for its `postprocess` hook alone.

        The host's lock is held by that job already. `is_counted`: the host's bar knows of its batches. Raises SdPipeError where
        the job is not recorded.
        """
        job = self._session.jobs.current()
        if job is None:
            raise SdPipeError("this generation is not recorded, so nothing can go on from it")
        return self._runner.run_nested(job, request, find_picture, user, is_counted)

    def promised(self, run_id: str, name: str) -> Json | None:
        return self._job(run_id).made(name) or None

    def wait_recorded(self) -> None:
        if not self._session.recorder.settle(_LONGEST_RECORDING_SECONDS):
            raise SdPipeError("what was made is not on the disk yet: see whether the runs folder can be written")

    def drop_kept(self, run_id: str, name: str) -> None:
        self._session.recorder.queue({"kind": "drop", "run_id": self._job(run_id).run_id, "name": name}, Extras())

    def write_picture(self, picture: Image.Image, infotext: str | None, path: str) -> None:
        extension = os.path.splitext(path)[1].lower()
        try:
            if infotext is None and extension == ".png":
                picture.save(path, "PNG")  # the host would write the word None into it
            else:
                images.save_image_with_geninfo(_hide_text(picture, infotext, path), infotext, path, extension)
        except (KeyError, ValueError) as fault:
            raise OSError(f"{os.path.basename(path)}: the host cannot write this kind of picture ({fault})") from fault

    def progress(self) -> PassProgress:
        return self._turn.progress()

    def interrupt(self) -> None:
        self._turn.interrupt()

    def facts(self) -> HostFacts:
        return read_facts()

    def _keep(self, job: Job | None, user: str | None) -> str:
        if job is None:
            raise SdPipeError(self._session.recorder.fault or "no runs folder is open: see the settings of SDPipe")
        self._jobs[job.run_id], self._users[job.run_id] = job, user
        return job.run_id

    def _job(self, run_id: str) -> Job:
        if run_id not in self._jobs:
            raise SdPipeError(f"run {run_id} is not open")
        return self._jobs[run_id]


def _options(label: str) -> RunOptions:
    """As the settings say, but for the label: whoever starts a pipeline wants it recorded, also while recording is paused."""
    return replace(settings.default_options(), record=True, label=label)


def _hide_text(picture: Image.Image, infotext: str | None, path: str) -> Image.Image:
    """As Forge saves a picture: with the text once more in its alpha, if that is switched on."""
    if stealth_infotext is None or infotext is None or not shared.opts.enable_pnginfo:
        return picture
    params = script_callbacks.ImageSaveParams(picture.copy(), None, path, {"parameters": infotext})
    stealth_infotext.add_stealth_pnginfo(params)
    return params.image
