"""From a run's record to what is asked of the host again, and which image is then held against which. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.build import count_images
from lib_sdpipe.pipeline.companions import GRID, find_image, role_of, with_companion
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.recorded_pass import RecordedPass, in_order, is_cut_short, is_final
from lib_sdpipe.pipeline.records import ComparedImage
from lib_sdpipe.pipeline.repeat_pass import Repeat, repeat_alone, repeat_batch, repeat_whole
from lib_sdpipe.pipeline.repeat_upscale import repeat_source
from lib_sdpipe.pipeline.request_of_image import conclude_pass
from lib_sdpipe.pipeline.split_run import has_request, split_run
from lib_sdpipe.pipeline.variations import vary

EXACT, NEAR = "exact", "near"


@dataclass(frozen=True)
class Wanted:
    """What of a run is to be made again: all of it, one stage, or one image (`name`).

    `alone`: the quick way for an image of a batch or a script. `changes`: other values for some fields, by the host API's
    names ("with variations"); then nothing is compared.
    """

    stage: str | None = None
    name: str | None = None
    alone: bool = False
    changes: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Replay:
    """What is to be asked, and what of it compared. `exactness`: `exact` if the host is asked for just what it did then.

    `of` is what is made again. `notes` are sentences for the user.
    """

    of: ImageLink
    requests: list[PassRequest]
    compare: list[ComparedImage]
    exactness: str
    notes: list[str]

    @property
    def planned(self) -> int:
        """Images, as far as the requests tell: a script makes more of one."""
        return sum(count_planned_by(request) for request in self.requests)


def plan_rerun(run: Run, manifests: Sequence[Manifest], environment: Json | None, wanted: Wanted) -> Replay:
    """`environment` is the run's own, as far as it is known. Raises RefusedError with a sentence where it cannot be asked again."""
    notes: list[str] = []
    environment = environment if has_request(run) else None  # nobody recorded the one that such images were made in
    target = _find(manifests, wanted.name, run) if wanted.name is not None else None
    passes, is_known = _passes(run, manifests, target, wanted, notes)
    if target is not None:
        recorded, image = find_image(target, passes)
        if is_cut_short(image):
            raise RefusedError(f"{run.run_id}/{image.name} was cut short while it was made: that cannot be repeated.")
        repeats = [(recorded, _repeat_one(recorded, image, target, environment, wanted.alone, notes))]
        compared = {image.name or ""}
    else:
        repeats = [(recorded, _repeat_all(recorded, environment)) for recorded in _of_stage(passes, wanted.stage)]
        compared = _names_to_compare([recorded for recorded, _ in repeats], wanted.stage, notes)
    if not repeats:
        raise RefusedError(f"Run {run.run_id} has no image{f' of stage {wanted.stage}' if wanted.stage else ''} to make again.")
    replay = _put_together(run, repeats, compared, target, is_known, notes)
    return _with_changes(replay, wanted.changes) if wanted.changes else replay


def count_planned_by(request: PassRequest) -> int:
    return 1 if request.config.get("endpoint") == "extras" else count_images(request.config)


def _find(manifests: Sequence[Manifest], name: str, run: Run) -> Manifest:
    found = next((manifest for manifest in manifests if manifest.name == name), None)
    if found is None:
        raise RefusedError(f"Run {run.run_id} has no image {name}.")
    return found


def _passes(
    run: Run, manifests: Sequence[Manifest], target: Manifest | None, wanted: Wanted, notes: list[str],
) -> tuple[list[RecordedPass], bool]:
    """The run's passes, and whether they are what was asked; else each image's own, as far as its record tells."""
    if has_request(run) and run.replayable is not False:
        return split_run(run, manifests), True
    if has_request(run) and not (target is not None and wanted.alone):
        raise RefusedError(f"Run {run.run_id} cannot be asked again: {run.not_replayable_because or 'its request is not complete'}.")
    if has_request(run):
        notes.append(f"The request of the run is not complete ({run.not_replayable_because}); what the image itself tells is asked.")
    else:
        notes.append("The request is not recorded; what is asked is concluded from what the images tell about themselves.")
    if target is not None:
        return [conclude_pass(target)], False
    return _conclude_all(run, manifests, notes), False


def _conclude_all(run: Run, manifests: Sequence[Manifest], notes: list[str]) -> list[RecordedPass]:
    found = []
    for manifest in in_order(run, manifests):
        if is_final(manifest):
            try:
                found.append(conclude_pass(manifest))
            except RefusedError as refusal:
                notes.append(str(refusal))
    return found


def _of_stage(passes: list[RecordedPass], stage: str | None) -> list[RecordedPass]:
    return [recorded for recorded in passes if stage is None or any(final.stage == stage for final in recorded.finals)]


def _repeat_all(recorded: RecordedPass, environment: Json | None) -> Repeat:
    return repeat_source(recorded) if recorded.is_extras else repeat_whole(recorded, environment)


def _repeat_one(
    recorded: RecordedPass, image: Manifest, target: Manifest, environment: Json | None, alone: bool, notes: list[str],
) -> Repeat:
    role = role_of(target)
    if recorded.is_extras:
        return repeat_source(recorded, image)
    if role == GRID:
        repeat = repeat_whole(recorded, environment)
    elif alone:
        repeat = repeat_alone(recorded, image, environment)
        _note_lost_values(recorded, image, notes)
    else:
        repeat = repeat_batch(recorded, image, environment)
    return replace(repeat, request=with_companion(repeat.request, role)) if role is not None else repeat


def _note_lost_values(recorded: RecordedPass, image: Manifest, notes: list[str]) -> None:
    """What a script varied may be more than a record has a place for."""
    values = (image.variant or {}).get("values")
    if recorded.has_script and isinstance(values, dict) and values:
        names = ", ".join(str(name) for name in values)
        notes.append(f"Made without its script, the image has what is recorded of it; the script varied: {names}.")


def _names_to_compare(passes: list[RecordedPass], stage: str | None, notes: list[str]) -> set[str]:
    wanted = [final for recorded in passes for final in recorded.finals if stage is None or final.stage == stage]
    cut = [final for final in wanted if is_cut_short(final)]
    if cut:
        notes.append(f"{len(cut)} of {len(wanted)} images were cut short while they were made and are not compared.")
    return {final.name or "" for final in wanted if not is_cut_short(final)}


def _put_together(
    run: Run, repeats: list[tuple[RecordedPass, Repeat]], compared: set[str], target: Manifest | None, is_known: bool, notes: list[str],
) -> Replay:
    requests, compare, before = [], [], 0
    for number, (recorded, repeat) in enumerate(repeats):
        step = {"stage": 0, "input": str(number)} if len(repeats) > 1 else None
        requests.append(replace(repeat.request, step=step))
        for name, place in repeat.places.items():
            if name in compared:
                shown = target.name if target is not None else name
                role = role_of(target) if target is not None else None
                compare.append(ComparedImage(of=ImageLink(run_id=run.run_id, name=shown), place=before + place, role=role))
        is_open = recorded.has_script or recorded.is_extras  # how many images such a request makes, only its record tells
        before += len(recorded.finals) if is_open else count_planned_by(repeat.request)
    is_exact = is_known and all(repeat.is_exact for _, repeat in repeats)
    of = ImageLink(run_id=run.run_id, name=target.name if target is not None else None)
    return Replay(of, requests, compare, EXACT if is_exact else NEAR, notes)


def _with_changes(replay: Replay, changes: Json) -> Replay:
    """Another picture is wanted: nothing is held against the old one."""
    requests = [vary(request, changes) for request in replay.requests]
    return Replay(replay.of, requests, [], NEAR, replay.notes)
