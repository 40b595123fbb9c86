"""One pass of the host for a run of the pipeline, recorded by the same hooks as any other.

`run` takes the host's lock; `run_nested` is called by who holds it, in the `postprocess` hook of a job of the user's.
"""

from __future__ import annotations

import functools
import logging
import time
import traceback
from contextlib import closing, contextmanager
from typing import Any, Callable, Iterator

from modules import devices, processing, shared

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts.host_turn import HostTurn, on_generating_thread, read_cut
from lib_sdpipe.hosts.jobs import read_claim
from lib_sdpipe.hosts.own_pass import OwnPass
from lib_sdpipe.hosts.pass_request import PassPlan, build_processing, read_plan
from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.rng_state import set_rng_state
from lib_sdpipe.hosts.save_choice import SaveChoice
from lib_sdpipe.hosts.session import Session
from lib_sdpipe.hosts.upscale_pass import UpscalePlan, read_upscale_plan, run_upscale
from lib_sdpipe.pipeline.port import FindPicture, MadeImage, PassOutcome, PassRequest
from lib_sdpipe.record.extras import Extras
from lib_sdpipe.record.facts import Json, PassStep
from lib_sdpipe.record.job import Job

log = logging.getLogger("sdpipe")

Plan = PassPlan | UpscalePlan


class PassRunner:
    """One a process."""

    def __init__(self, session: Session, turn: HostTurn) -> None:
        self._session = session
        self._turn = turn

    def run(self, job: Job, request: PassRequest, find_picture: FindPicture, user: str | None = None) -> PassOutcome:
        """Make one pass in the host's turn. Raises nothing: what went wrong is the outcome's `error`."""
        started = time.monotonic()
        plan, fault = _attempt(lambda: _read(request.config, find_picture))
        if plan is None:
            return _finish(PassOutcome(error=_describe(fault, request)), started)
        outcome, fault = _attempt(lambda: self._take_turn(job, request, plan, user))
        return _finish(outcome or PassOutcome(error=_describe(fault, request)), started)

    def run_nested(
        self, job: Job, request: PassRequest, find_picture: FindPicture, user: str | None = None, is_counted: bool = False,
    ) -> PassOutcome:
        """The same inside a job of the user's: its lock, its state, its thread.

        Its bar is told of the batches to come, unless they are counted there.
        """
        started = time.monotonic()
        plan, fault = _attempt(lambda: _read(request.config, find_picture))
        if plan is None:
            return _finish(PassOutcome(error=_describe(fault, request)), started)
        cut = read_cut()
        if cut is not None:
            return _finish(PassOutcome(cut_short=cut), started)
        # Hires fix would double the batches of the whole job once more.
        shared.state.processing_has_refined_job_count = True
        if not is_counted:
            shared.state.job_count = max(shared.state.job_count, 0) + plan.batches
        return _finish(self._run_in_turn(job, request, plan, user, is_nested=True), started)

    def _take_turn(self, job: Job, request: PassRequest, plan: Plan, user: str | None) -> PassOutcome:
        with self._turn.take() as may_begin:
            if not may_begin:
                return PassOutcome(cut_short="interrupted")
            self._session.recorder.hold(job)
            try:
                return self._run_in_turn(job, request, plan, user)
            finally:
                self._session.recorder.let_go(job)

    def _run_in_turn(self, job: Job, request: PassRequest, plan: Plan, user: str | None, is_nested: bool = False) -> PassOutcome:
        with self._announced(job, request, plan) as own, self._session.known.gathering() as gathered:
            if isinstance(plan, UpscalePlan):
                is_saved = request.save is None or 0 in request.save
                answer = _attempt(lambda: run_upscale(plan, self._session, job, is_saved))
            else:
                work: Callable[[], Any] = functools.partial(self._generate, plan, job, request, own.first, user)
                answer = _attempt(work) if is_nested else on_generating_thread(work)
            fault = answer[1]
            cut = read_cut() or ("skipped" if own.is_skipped else None)
            error = _describe(fault, request) if fault is not None else None
            if fault is not None:
                _let_go(fault)
                devices.torch_gc()
            return PassOutcome(tuple(_read_images(job, gathered)), cut, error)

    def _generate(self, plan: PassPlan, job: Job, request: PassRequest, first: int, user: str | None) -> None:
        with closing(build_processing(plan, user)) as p:
            p.do_not_save_samples = request.save == ()
            p.do_not_save_grid = not plan.save_grid or request.save is not None and not plan.overrides.get("grid_save")
            if request.save and hasattr(type(p), "save_samples"):
                p.save_samples = SaveChoice(request.save, self._session.frames, first)
            if plan.tab == "img2img":
                set_rng_state(plan.rng_state, p.seed if isinstance(p.seed, int) else None)
            processed = None
            if plan.arguments.selected is not None:
                self._send_script_input(job, p)
                processed = plan.runner.run(p, *p.script_args)
            if processed is None:
                processing.process_images(p)

    @contextmanager
    def _announced(self, job: Job, request: PassRequest, plan: Plan) -> Iterator[OwnPass]:
        """What the hooks are to know of the pass, and the options as they were before it."""
        session, before = self._session, (job.step, job.has_script, job.folders)
        parents = tuple(link.to_json() if link is not None else None for link in request.parents)
        job.step = PassStep(request.stage, request.step, request.variant, parents, request.kept)
        job.has_script = isinstance(plan, PassPlan) and plan.arguments.selected is not None
        around, own = session.own, OwnPass(request.config, len(job.passes))
        session.own = own
        if isinstance(plan, PassPlan):
            own.options.cover(plan.overrides)
        try:
            yield own
        finally:
            own.options.put_back()
            session.own = around
            job.step, job.has_script, job.folders = before
            job.note_models([], hide_home(plan.warnings))

    def _send_script_input(self, job: Job, p: Any) -> None:
        """The picture that a script is given, which what it puts together in the end is made from."""
        pictures = getattr(p, "init_images", None) or []
        if pictures:
            pictures[0].load()
            self._session.recorder.promise(job.request_input_line(read_claim(pictures[0])), Extras({"parent": pictures[0]}))


def _read(config: Json, find_picture: FindPicture) -> Plan:
    return read_upscale_plan(config, find_picture) if config.get("endpoint") == "extras" else read_plan(config, find_picture)


def _attempt(work: Callable[[], Any]) -> tuple[Any, Exception | None]:
    try:
        return work(), None
    except Exception as fault:  # whatever a host, a model or an extension raises is the outcome of the pass
        return None, fault


def _describe(fault: Exception | None, request: PassRequest) -> Json:
    if not isinstance(fault, SdPipeError):
        log.error("SDPipe: a pass (%s) failed", request.stage, exc_info=fault)
    return hide_home({"stage": request.stage, "type": type(fault).__name__, "message": str(fault) or type(fault).__name__})


def _let_go(fault: BaseException | None) -> None:
    """The frames of an exception hold the tensors that the device has no room for."""
    seen: set[int] = set()
    while fault is not None and id(fault) not in seen:
        seen.add(id(fault))
        traceback.clear_frames(fault.__traceback__)
        fault.__traceback__ = None
        fault = fault.__context__ or fault.__cause__


def _finish(outcome: PassOutcome, started: float) -> PassOutcome:
    return PassOutcome(outcome.images, outcome.cut_short, outcome.error, time.monotonic() - started)


def _read_images(job: Job, gathered: list[tuple[str, Any]]) -> Iterator[MadeImage]:
    """The images of a pass in the order they were made.

    No grids, masks or previews, no pieces of what a script put together, and none that was stopped in the middle.
    """
    pictures = dict(gathered)
    made = {name: job.made(name) for name in pictures}
    pieces = {member for one in made.values() if one.get("stage") != "grid" for member in one.get("members") or []}
    for name, manifest in made.items():
        is_whole = not (manifest.get("config") or {}).get("incomplete")
        if manifest.get("role") == "final" and manifest.get("stage") != "grid" and name not in pieces and is_whole:
            yield MadeImage(name, pictures[name], manifest.get("infotext"))
