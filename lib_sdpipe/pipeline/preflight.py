"""What differs today from when a recorded image was made, told before it is made again; and what of it can be set back. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from lib_sdpipe.manifest.loose_json import object_of
from lib_sdpipe.manifest.records import Json, Manifest, Run
from lib_sdpipe.pipeline.companions import GRID, role_of
from lib_sdpipe.pipeline.likely_causes import Change, rank_changes
from lib_sdpipe.pipeline.picture_options import FILE, GRID_OPTIONS, NOISE, PICTURE_OPTIONS, SAMPLING, TEXT
from lib_sdpipe.pipeline.port import HostFacts, PassRequest
from lib_sdpipe.pipeline.preflight_models import check_choices, check_models
from lib_sdpipe.pipeline.preflight_scripts import check_scripts
from lib_sdpipe.pipeline.recorded_pass import arguments_of, scripts_of
from lib_sdpipe.pipeline.replay import Replay
from lib_sdpipe.pipeline.rerun_difference import Difference, show, weight_of
from lib_sdpipe.pipeline.used_settings import CHECKPOINT, MODULES, VAE

_OF_SAMPLING = (NOISE, TEXT, SAMPLING)
_LOSSY_ONLY = ("jpeg_quality", "webp_lossless")
# The format of a file is that of the file it is compared with; each image has these on record itself.
_NEVER_TOLD = ("samples_format", "grid_format", CHECKPOINT, VAE, MODULES)
_LOSSLESS = (None, "PNG")
# Said in a sentence, by the beginning of a field's name.
_WORDS = {
    "host.name": "The WebUI", "host.version": "The WebUI's version", "host.commit": "The WebUI's commit", "device.name": "The device",
    "device.accelerator": "The GPU", "device.capability": "The GPU's generation", "device.driver": "The GPU's driver",
    "device.memory_mb": "The GPU's memory in MB", "attention": "The attention in use", "platform.processor": "The processor",
    "platform.system": "The operating system", "platform.python": "Python's version",
}
_GROUPS = {
    "packages": "The version of {}", "precision": "The number format {}", "flags": "The command line flag {}",
    "device": "The version of {}", "options": "The option {}",
}


def check_rerun(
    replay: Replay, run: Run, manifests: Sequence[Manifest], then_environment: Json | None, facts: HostFacts,
) -> list[Difference]:
    """What is missing first, then the likeliest cause of other pixels first."""
    named = {one.of.name for one in replay.compare if one.of is not None}
    concerned = [manifest for manifest in manifests if manifest.name in named] or list(manifests)
    found: list[Difference] = []
    for request in replay.requests:
        found += check_models(request.config, run, concerned, facts)
        found += check_choices(request.config, facts)
        found += check_scripts(request.config, then_environment, facts)
        found += _check_environment(request.config, run, concerned, then_environment, facts)
    once = {difference.field: difference for difference in reversed(found)}
    return sorted(once.values(), key=lambda difference: (not difference.is_blocking, -difference.weight, difference.field))


def set_back(replay: Replay, differences: Sequence[Difference], fields: Collection[str] | None = None) -> Replay:
    """The replay with everything set back that can be, or only these fields of it."""
    ways = [one.way_back for one in differences if one.way_back is not None and (fields is None or one.field in fields)]
    return replace(replay, requests=[_with_ways(request, ways) for request in replay.requests])


def is_blocked(differences: Sequence[Difference]) -> bool:
    """Whether something is missing without which the host refuses, or silently makes another picture."""
    return any(difference.is_blocking for difference in differences)


# --- environment ---


def _check_environment(
    config: Json, run: Run, images: Sequence[Manifest], then: Json | None, facts: HostFacts,
) -> Iterator[Difference]:
    if then is None:
        text = "What the host was then is not recorded: what differs today is not known."
        yield Difference("environment", None, None, weight_of("other"), text)
        return
    overrides = [object_of(one.get("override_settings")) for one in (run.config, config)]
    for change in rank_changes(then, facts.environment, *overrides):
        if _is_told(change, config, images):
            yield Difference(
                change.field, change.then, change.now, change.weight, _sentence_of(change), False,
                None if config.get("endpoint") == "extras" else _way_back(change),
            )


def _is_told(change: Change, config: Json, images: Sequence[Manifest]) -> bool:
    name = change.field.partition(".")[2]
    if not change.field.startswith("options."):
        return change.cause != "other"
    if name in _NEVER_TOLD or change.cause == "other":
        return False
    if name in _LOSSY_ONLY:
        return any(image.image is not None and image.image.format not in _LOSSLESS for image in images)
    if name in GRID_OPTIONS:
        return any(role_of(image) == GRID for image in images)
    return config.get("endpoint") != "extras" or change.cause not in (*_OF_SAMPLING, FILE)


def _way_back(change: Change) -> Json | None:
    group, _, name = change.field.partition(".")
    known = PICTURE_OPTIONS.get(name) if group == "options" else None
    if known is None or not known.is_read_each_pass:
        return None
    return {"option": name, "value": change.then}


def _sentence_of(change: Change) -> str:
    group, _, name = change.field.partition(".")
    if group == "extensions":
        if change.now is None:
            return f"The extension {name} is not active any more."
        if change.then is None:
            return f"The extension {name} was not active then."
        return f"The extension {name} was at {show(change.then)} and is at {show(change.now)} now."
    words = _WORDS.get(change.field) or _GROUPS.get(group, "{}").format(name or group)
    return f"{words} was {show(change.then)} and is {show(change.now)} now."


# --- the way back ---


def _with_ways(request: PassRequest, ways: Sequence[Json]) -> PassRequest:
    config = dict(request.config)
    for way in ways:
        if "option" in way:
            _set_option(config, way)
        elif "field" in way and config.get(way["field"]) == way.get("was"):
            config[way["field"]] = way["value"]
        elif "script" in way and way["tab"] == config.get("endpoint"):
            config["scripts"] = _with_argument(scripts_of(config), way)
    return replace(request, config=config)


def _set_option(config: Json, way: Json) -> None:
    options = object_of(config.get("override_settings"))
    if config.get("endpoint") != "extras" and ("was" not in way or options.get(way["option"]) == way["was"]):
        config["override_settings"] = {**options, way["option"]: way["value"]}


def _with_argument(scripts: list[Json], way: Json) -> list[Json]:
    argument = {name: way[name] for name in ("index", "label", "value")}
    title = way["script"]
    if not any(script.get("title") == title for script in scripts):
        scripts = [*scripts, {"title": title, "file": None, "selected": False, "args": []}]
    return [
        {**script, "args": [*arguments_of(script), argument]} if script.get("title") == title else script for script in scripts
    ]
