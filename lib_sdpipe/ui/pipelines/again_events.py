"""What happens when something is to be made again: it is looked over, told, and becomes a job of the queue."""

from __future__ import annotations

from dataclasses import replace

from lib_sdpipe.errors import RefusedError, UsageError
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.preflight import check_rerun, set_back
from lib_sdpipe.pipeline.rerun_difference import Difference
from lib_sdpipe.pipeline.replay import Replay, plan_rerun
from lib_sdpipe.ui import words
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.frame import Frame, Updates
from lib_sdpipe.ui.pipelines import again_markup as markup
from lib_sdpipe.ui.pipelines.again_present import (
    AgainView, Asked, is_exact, list_recorded, list_stages_of, present_differences, present_replay, read_asked, sum_bytes,
)
from lib_sdpipe.ui.run.pictures import find_absences
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.jobs import Jobs, build_rerun

_KINDS = {"make": "rerun", "regenerate": "regenerate", "release": "release"}


class AgainEvents:
    """The handler returns an update of the card."""

    def __init__(self, frame: Frame) -> None:
        self._frame = frame

    def do(self, ask: Ask) -> Updates:
        """Tell what making it again asks, or queue that. Raises UsageError, RefusedError, UnknownNameError."""
        link, asked = ask.link(), ask.text("do")
        if asked == "close" or link is None or not link.run_id:
            return ("",)
        if asked in _KINDS:
            return (self._queue(ask, read_asked(ask.data, link), _KINDS[asked]),)
        return (markup.show_again(self._look(ask, read_asked(ask.data, link))),)

    def _look(self, ask: Ask, asked: Asked) -> AgainView:
        run, manifests, environment = Jobs(ask.workspace).read_run(asked.link.run_id or "")
        view = AgainView(
            asked, run.label or "", list_stages_of(manifests), list_recorded(run, manifests, asked.link.name),
            faults=asked.changes[1], has_conductor=self._frame.host.conductor() is not None,
        )
        try:
            replay = plan_rerun(run, manifests, environment, asked.wanted)
        except RefusedError as refusal:
            return replace(view, refusal=str(refusal))
        told, compared, more = present_replay(replay)
        differences = self._check(replay, run, manifests, environment)
        return replace(
            view, told=told, is_exact=is_exact(replay), notes=replay.notes, compared=compared, more=more,
            differences=None if differences is None else present_differences(differences, asked.back),
            missing=_count_missing(ask.workspace, replay, manifests), size=words.format_bytes(sum_bytes(replay, manifests) or None),
        )

    def _check(self, replay: Replay, run: Run, manifests: list[Manifest], environment: Json | None) -> list[Difference] | None:
        """None outside a WebUI: nobody knows then what there is."""
        facts = self._frame.host.host_facts()
        return None if facts is None else check_rerun(replay, run, manifests, environment, facts)

    def _queue(self, ask: Ask, asked: Asked, kind: str) -> str:
        if asked.changes[1]:
            raise UsageError(asked.changes[1][0][1])
        jobs = Jobs(ask.workspace)
        run, manifests, environment = jobs.read_run(asked.link.run_id or "")
        replay = plan_rerun(run, manifests, environment, asked.wanted)
        differences = self._check(replay, run, manifests, environment)
        if differences:
            replay = set_back(replay, differences, asked.back)
        job = jobs.add(build_rerun(replay, kind, run.label or "", ask.user))
        conductor = self._frame.host.conductor()
        if conductor is not None:
            conductor.wake()
        return markup.show_added(job.planned or 0)


def _count_missing(workspace: Workspace, replay: Replay, manifests: list[Manifest]) -> int:
    named = {one.of.name for one in replay.compare if isinstance(one.of, ImageLink)}
    return sum(1 for absence in find_absences(workspace, [one for one in manifests if one.name in named and one.path]) if absence)
