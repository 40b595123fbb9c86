"""Chosen fields of a request changed, under the host API's names. Pure."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.build_upscale import EXTRAS_ARGUMENTS
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.recorded_pass import arguments_of, scripts_of
from lib_sdpipe.pipeline.stage_fields import FIELDS, LONGEST_TEXT, Setting, check_setting
from lib_sdpipe.pipeline.used_settings import CHECKPOINT, CLIP_SKIP, VAE

# Options that a request can override.
_OPTIONS = {CHECKPOINT: Setting("text"), VAE: Setting("text"), CLIP_SKIP: Setting("whole", 1, 12)}
# Of these one part or another would be lost: another recipe is the way to change them.
_FIXED = ("scripts", "alwayson_scripts", "override_settings", "adetailer", "mask", "seed_resize_from_h", "seed_resize_from_w")
_OF_BATCH = {"batch_size", "n_iter"}
_OF_SEED = {"seed", "subseed", "subseed_strength"}
_TEXTS = ("prompt", "negative_prompt", "hr_prompt", "hr_negative_prompt")


def changeable_fields(request: PassRequest) -> list[str]:
    """Names of what may be changed when this is asked again."""
    if request.config.get("endpoint") == "extras":
        return list(EXTRAS_ARGUMENTS)
    return [name for name in FIELDS[_fields_of(request)] if name not in _FIXED] + list(_OPTIONS)


def vary(request: PassRequest, changes: Json) -> PassRequest:
    """The request with these fields changed. Raises RefusedError for one that cannot be, or has an impossible value."""
    stage, allowed = _fields_of(request), changeable_fields(request)
    config = dict(request.config)
    for name, value in changes.items():
        if name not in allowed:
            raise RefusedError(f"“{name[:LONGEST_TEXT]}” cannot be changed when this is made again.")
        option = _OPTIONS.get(name)
        fault = check_setting(stage, name, value) if option is None else None if option.accepts(value) else f"must be {option.describe()}"
        if fault is not None:
            raise RefusedError(f"{name if option else 'This'} cannot be changed: {fault}.")
        if option is not None:
            config["override_settings"] = {**(config.get("override_settings") or {}), name: value}
        elif stage == "upscale":
            config["scripts"] = _with_argument(scripts_of(config), *EXTRAS_ARGUMENTS[name], value)
        else:
            config[name] = value
    _drop_lists(config, changes)
    return PassRequest(config, request.stage, parents=request.parents, variant=request.variant, step=request.step)


def _fields_of(request: PassRequest) -> str:
    return request.stage if request.stage in FIELDS else "img2img" if request.config.get("init_images") else "txt2img"


def _drop_lists(config: Json, changes: Json) -> None:
    """A list has one entry for each image: with another count of images, or another seed, the first is taken."""
    names = ("seed", "subseed") if changes.keys() & (_OF_BATCH | _OF_SEED) else ()
    for name in (*names, *(_TEXTS if changes.keys() & _OF_BATCH else ())):
        value = config.get(name)
        if isinstance(value, list) and value:
            config[name] = value[0]


def _with_argument(scripts: list[Json], title: str, label: str, value: Any) -> list[Json]:
    argument = {"index": None, "label": label, "value": value}
    if not any(script.get("title") == title for script in scripts):
        scripts = [*scripts, {"title": title, "file": None, "selected": False, "args": []}]
    return [
        {**script, "args": [*(one for one in arguments_of(script) if one.get("label") != label), argument]}
        if script.get("title") == title else script for script in scripts
    ]
