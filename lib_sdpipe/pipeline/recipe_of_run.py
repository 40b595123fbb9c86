"""A recipe made of a recorded run: the settings that were asked for, without what belongs to that run alone. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.errors import UsageError
from lib_sdpipe.manifest.loose_json import list_of, number_of, object_of, text_of
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.pipeline.build_upscale import EXTRAS_ARGUMENTS
from lib_sdpipe.pipeline.records import STAGES, Recipe, Stage
from lib_sdpipe.pipeline.stage_fields import FIELDS, NOT_SETTINGS, check_setting, find_place_options, is_picture, show_name

_HAS_PROMPT = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt", "styles")
# Says nothing where it has this value: it is the host's own default, or an empty field of its page.
_SILENT: dict[str, Any] = {
    "styles": [], "scripts": [], "override_settings": {}, "subseed": -1, "subseed_strength": 0, "seed_resize_from_h": -1,
    "seed_resize_from_w": -1, "firstphase_width": 0, "firstphase_height": 0, "disable_extra_networks": False,
    "restore_faces": False, "tiling": False, "hr_prompt": "", "hr_negative_prompt": "",
}
# Arguments of the Extras tab's own scripts, by the names of the host's API for it.
_EXTRAS_NAMES: dict[tuple[str, str], str] = {place: field for field, place in EXTRAS_ARGUMENTS.items()}
_OF_API = {title for title, _ in _EXTRAS_NAMES}


@dataclass(frozen=True)
class RunRecipe:
    """`notes` are sentences on what of the run the recipe does not have."""

    recipe: Recipe
    notes: list[str]


def build_recipe(run: Run, manifests: Sequence[Manifest] = (), name: str | None = None, with_prompts: bool = True) -> RunRecipe:
    """The run's stages as a recipe. `manifests` (any of the run's) tell what a stage of Extras used where the request did not say it.

    Raises UsageError for a run that has no settings of its own.
    """
    notes: list[str] = []
    config = run.config
    if config.get("endpoint") == "chain":
        stages = [Stage.parse_obj(stage) for stage in list_of(config.get("stages")) if isinstance(stage, dict)]
    elif config.get("endpoint") == "requests":
        raise UsageError(f"run {run.run_id} made images of other runs again; make the recipe of one of those runs")
    else:
        stages = [_build_stage(run, manifests, notes)]
    if not stages:
        raise UsageError(f"run {run.run_id} has no settings that a recipe could have")
    if not with_prompts:
        stages = [_without_prompts(stage) for stage in stages]
    elif stages[0].stage != "upscale" and "prompt" not in stages[0].settings:
        notes.append("The run does not have its prompt: it was not kept.")
    notes += _find_pictures(stages)
    return RunRecipe(Recipe(name=name or run.label or run.run_id, stages=stages), notes)


def _build_stage(run: Run, manifests: Sequence[Manifest], notes: list[str]) -> Stage:
    config = run.config
    stage = _stage_of(run)
    if stage is None:
        raise UsageError(f"run {run.run_id} does not say which stage it was; a recipe cannot be made of it")
    if stage == "upscale":
        return Stage(stage=stage, settings=_read_extras(config, manifests))
    fields = FIELDS[stage]
    settings: Json = {}
    left: list[str] = []
    for name, value in config.items():
        if value is None or name in NOT_SETTINGS or (name in _SILENT and _SILENT[name] == value):
            continue
        if name == "override_settings" and isinstance(value, dict):
            left += (places := find_place_options(value))
            value = {option: chosen for option, chosen in value.items() if option not in places}
            if not value:
                continue
        if isinstance(value, float) and value.is_integer() and name in fields and fields[name].kind == "whole":
            value = int(value)  # a slider of the host's page may say 20.0
        if name not in fields:
            if name not in FIELDS["inpaint"] and name not in FIELDS["txt2img"]:
                left.append(name)
        elif check_setting(stage, name, value) is None:
            settings[name] = value
        else:
            left.append(name)
    if left:
        notes.append(f"Not in the recipe: {', '.join(map(show_name, left[:20]))}.")
    return Stage(stage=stage, settings=settings)


def _stage_of(run: Run) -> str | None:
    endpoint = run.config.get("endpoint")
    if endpoint == "extras":
        return "upscale"
    if endpoint == "img2img":
        return "inpaint" if is_picture(run.config.get("mask")) else "img2img"
    if endpoint == "txt2img":
        return "txt2img"
    # Of images that were there before SDPipe, and of older programs' runs: what their first record says.
    found = [entry.get("stage") for entry in run.stage_outputs if isinstance(entry, dict)]
    return next((stage for stage in found if stage in STAGES and stage in ("txt2img", "img2img")), None)


def _read_extras(config: Json, manifests: Sequence[Manifest]) -> Json:
    """By the API's names; scripts that the API does not have stay as they were recorded."""
    settings = _read_written(manifests)
    others = []
    for script in (object_of(entry) for entry in list_of(config.get("scripts"))):
        title, rest = text_of(script.get("title")) or "", []
        for argument in (object_of(entry) for entry in list_of(script.get("args"))):
            key = (title, str(argument.get("label")))
            name = _EXTRAS_NAMES.get(key)
            if name is not None and check_setting("upscale", name, argument.get("value")) is None:
                settings[name] = argument["value"]
            else:
                rest.append(argument)
        if rest and title not in _OF_API:
            others.append({**script, "args": rest})
    if others:
        settings["scripts"] = others
    # Without one only faces are restored, or other scripts run: the API's word for that.
    return {"upscaler_1": "None", **settings}


def _read_written(manifests: Sequence[Manifest]) -> Json:
    """What the host wrote about an upscaling: the request leaves out what is a component's default."""
    for manifest in manifests:
        if manifest.stage != "upscale":
            continue
        written = manifest.config
        found: Json = {
            "upscaler_1": text_of(written.get("Postprocess upscaler")), "upscaler_2": text_of(written.get("Postprocess upscaler 2")),
            "upscaling_resize": number_of(written.get("Postprocess upscale by")),
        }
        sides = (text_of(written.get("Postprocess upscale to")) or "").split("x")
        if len(sides) == 2:
            found["resize_mode"], found["upscaling_resize_w"], found["upscaling_resize_h"] = 1, number_of(sides[0]), number_of(sides[1])
        return {name: value for name, value in found.items() if check_setting("upscale", name, value) is None}
    return {}


def _without_prompts(stage: Stage) -> Stage:
    return stage.copy(update={"settings": {name: value for name, value in stage.settings.items() if name not in _HAS_PROMPT}})


def _find_pictures(stages: Sequence[Stage]) -> Iterator[str]:
    for number, stage in enumerate(stages, 1):
        if _holds_picture(stage.settings):
            yield f"Stage {number} names a picture of this library: with another library the recipe needs another one."


def _holds_picture(value: Any) -> bool:
    if isinstance(value, dict):
        return is_picture(value) or any(map(_holds_picture, value.values()))
    return isinstance(value, list) and any(map(_holds_picture, value))
