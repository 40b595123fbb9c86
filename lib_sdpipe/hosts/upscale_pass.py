"""Upscaling through the scripts of the Extras tab, saved as that tab saves.

Not through the host's `run_postprocessing`: it begins a job of its own, which clears the state of the one that runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from modules import images, scripts, scripts_postprocessing, shared

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts.flavour import is_forge
from lib_sdpipe.hosts.from_data import from_data, is_reference
from lib_sdpipe.hosts.host_turn import read_cut
from lib_sdpipe.hosts.pass_request import check_upscaler
from lib_sdpipe.hosts.request import OWN_TITLE, default_of
from lib_sdpipe.hosts.session import Session
from lib_sdpipe.pipeline.argument_place import find_place
from lib_sdpipe.pipeline.port import FindPicture
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.job import Job

_UPSCALE = "Upscale"
# The host API's fields of an Extras request: script and argument.
_API_FIELDS = {
    "resize_mode": (_UPSCALE, "upscale_mode"), "upscaling_resize": (_UPSCALE, "upscale_by"),
    "upscaling_resize_w": (_UPSCALE, "upscale_to_width"), "upscaling_resize_h": (_UPSCALE, "upscale_to_height"),
    "upscaling_crop": (_UPSCALE, "upscale_crop"), "max_side_length": (_UPSCALE, "max_side_length"),
    "upscaler": (_UPSCALE, "upscaler_1_name"), "upscaler_1": (_UPSCALE, "upscaler_1_name"),
    "upscaler_2": (_UPSCALE, "upscaler_2_name"), "extras_upscaler_2_visibility": (_UPSCALE, "upscaler_2_visibility"),
    "gfpgan_visibility": ("GFPGAN", "gfpgan_visibility"), "codeformer_visibility": ("CodeFormer", "codeformer_visibility"),
    "codeformer_weight": ("CodeFormer", "codeformer_weight"),
}
_OF_THE_CALL = ("endpoint", "extras_mode", "image", "scripts", "show_extras_results", "upscale_first")

Wanted = dict[str, dict[str, Any]]


@dataclass
class UpscalePlan:
    """A request of Extras that is understood. `size` is what the picture must have at least grown to, where that can be told."""

    image: Any
    arguments: list[Any]
    size: tuple[int, int] | None = None
    warnings: list[str] = field(default_factory=list)
    batches: int = 1


def read_upscale_plan(config: Json, find_picture: FindPicture) -> UpscalePlan:
    """Decode and check a request of `extras`. Raises SdPipeError: then nothing of it was run."""
    if not is_reference(config.get("image")):
        raise SdPipeError("a request of extras needs one image")
    runner, warnings = scripts.scripts_postproc, list[str]()
    arguments = runner.create_args_for_run({})  # it also makes the controls where no page was built
    wanted = _read_wanted(runner, config, find_picture, warnings)
    for script in runner.scripts_in_preferred_order():
        given = wanted.get(script.name, {})
        if script.name != OWN_TITLE:
            values = [given.get(name, default_of(control)) for name, control in script.controls.items()]
            arguments[script.args_from:script.args_to] = values
    image = from_data(config["image"], find_picture, "image")
    image = image if image.mode in ("RGB", "RGBA") else image.convert("RGB")
    upscale = wanted.get(_UPSCALE, {})
    for name in ("upscaler_1_name", "upscaler_2_name"):
        check_upscaler(upscale.get(name))
    size = _expected_size(image.size, upscale) if set(wanted) == {_UPSCALE} else None
    return UpscalePlan(image, arguments, size, warnings)


def run_upscale(plan: UpscalePlan, session: Session, job: Job, is_saved: bool) -> None:
    """Make and record the pictures; nothing is recorded where it was interrupted or failed. Raises what the scripts raise."""
    runner, state = scripts.scripts_postproc, shared.state
    if state.job_count == -1:
        state.job_count = plan.batches
    # Upscale keeps its last results, also one that an interrupted upscaler gave back unfinished.
    runner.image_changed()
    parameters, existing = images.read_info_from_image(plan.image)
    if parameters:
        existing["parameters"] = parameters
    pp = scripts_postprocessing.PostprocessedImage(plan.image)
    folder = shared.opts.outdir_samples or shared.opts.outdir_extras_samples
    with session.extras_tab.own_call(job, folder):
        runner.run(pp, plan.arguments)
        if read_cut() in ("interrupted", "skipped"):
            runner.image_changed()
            return
        _check_size(plan, pp.image.size)
        used: dict[str, int] = {}
        for one in [pp, *pp.extra_images]:
            _finish(session, job, one, one.get_suffix(used), existing, folder if is_saved else None)
    state.nextjob()


def _finish(session: Session, job: Job, pp: Any, suffix: str, existing: Json, folder: str | None) -> None:
    """Put the texts on a picture and save it, as the Extras tab does."""
    text = session.extras_tab.format_text(pp.info)
    if shared.opts.enable_pnginfo:
        pp.image = pp.image.copy()  # nothing may have been done to it: then it is the source
        pp.image.info = existing
        if not is_forge():
            existing["postprocessing"] = text
    shared.state.assign_current_image(pp.image)
    if folder is None:
        line = session.extras_tab.build_unsaved(pp, text)
        if line is not None:
            session.saves.record_unsaved(job, line, pp.image)
        return
    images.save_image(
        pp.image, path=folder, basename="", extension=shared.opts.samples_format, info=text, short_filename=True, no_prompt=True,
        grid=False, pnginfo_section_name="postprocessing" if is_forge() else "extras", existing_info=existing,
        forced_filename=None, suffix=suffix,
    )


def _read_wanted(runner: Any, config: Json, find_picture: FindPicture, warnings: list[str]) -> Wanted:
    """Arguments by script and name: the host API's fields, then those of `scripts`."""
    known = {script.name: script for script in runner.scripts_in_preferred_order()}
    wanted: Wanted = {}
    for name, value in config.items():
        place = _API_FIELDS.get(name)
        if place is not None and value is not None and not (value == 0 and place[0] != _UPSCALE):
            wanted.setdefault(place[0], {} if place[0] == _UPSCALE else {"enable": True})[place[1]] = value
        elif place is None and name not in _OF_THE_CALL and value is not None:
            warnings.append(f"The field {name} is unknown to Extras and was left out.")
    for one in config.get("scripts") or []:
        title = one.get("title")
        if title not in known:
            raise SdPipeError(f"the Extras script {title!r} is not on this host: install its extension, or leave the script out")
        for argument in one.get("args") or []:
            _take(known[title], argument, wanted.setdefault(title, {}), find_picture, warnings)
    missing = sorted(set(wanted) - set(known))
    if missing:
        raise SdPipeError(f"the Extras script {missing[0]!r} is not on this host: leave it out")
    return wanted


def _take(script: Any, argument: Json, wanted: Json, find_picture: FindPicture, warnings: list[str]) -> None:
    names = list(script.controls)
    place = find_place(names, argument.get("label"), argument.get("index"))
    if place is None or argument.get("label") and argument["label"] not in names:
        warnings.append(f"{script.name}: its argument {argument.get('label') or argument.get('index')} does not exist here.")
        return
    sample = default_of(script.controls[names[place]])
    wanted[names[place]] = from_data(argument.get("value"), find_picture, f"{script.name} argument {names[place]}", sample)


def _expected_size(size: tuple[int, int], upscale: Json) -> tuple[int, int] | None:
    """What the picture must at least become; the hosts cut each side to a multiple of 8. None where nothing is enlarged."""
    if upscale.get("upscaler_1_name") in (None, "None") or upscale.get("upscale_enabled") is False or upscale.get("max_side_length"):
        return None
    by = upscale.get("upscale_by", 4)
    if upscale.get("upscale_mode") == 1:
        target = (upscale.get("upscale_to_width", 512), upscale.get("upscale_to_height", 512))
        if upscale.get("upscale_crop", True):
            return target
        by = max(target[0] / size[0], target[1] / size[1])
    return int(size[0] * by) // 8 * 8, int(size[1] * by) // 8 * 8


def _check_size(plan: UpscalePlan, size: tuple[int, int]) -> None:
    if plan.size is not None and (size[0] < plan.size[0] or size[1] < plan.size[1]):
        raise SdPipeError(
            f"the upscaler gave back {size[0]}x{size[1]} where {plan.size[0]}x{plan.size[1]} was asked for: see the host's console"
        )
