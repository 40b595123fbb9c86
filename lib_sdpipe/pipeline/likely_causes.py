"""What changed between two environments, the likeliest cause of other pixels first. Pure.

The order, and why: first what makes another picture (settings, models, arguments, options in the order of their effect), then other
code (host, extensions), then what computes the same a little differently (number formats, device, attention, libraries),
last what is not known to change any pixel.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lib_sdpipe.manifest.compare_runs import compare_environments
from lib_sdpipe.manifest.loose_json import list_of, object_of
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.picture_options import FILE, IMAGE, NOISE, NUMBERS, PICTURE_OPTIONS, SAMPLING, TEXT

# From the likeliest to the least likely; a change's weight is the number of causes below its own.
CAUSES = (
    "setting", "model", "script", "sampler", NOISE, TEXT, SAMPLING, IMAGE, "host", "extension", NUMBERS, "precision", "device", "attention",
    "torch", "library", FILE, "system", "other",
)
_PACKAGES = {"torch": "torch", "xformers": "attention", **dict.fromkeys(("diffusers", "transformers", "numpy", "Pillow"), "library")}
_TORCH = ("cuda", "hip", "cudnn", "driver")
_OF_PRECISION = re.compile(r"half|precision|upcast|fp(?:8|16|32|64)|bf16|channelslast|_in_|dtype|nan_check", re.IGNORECASE)
_OF_ATTENTION = re.compile(r"xformers|attention|sub_quad|sdp|flash|sage|split", re.IGNORECASE)
_OF_DEVICE = re.compile(r"cpu|device|directml|ipex|cuda|vram|ram", re.IGNORECASE)
_OF_MODEL = ("ckpt", "config", "vae_path")
_CPU = "cpu"
# Of these, what is not there was not recorded, or not decided yet: that is no change.
_ALWAYS_THERE = ("host", "platform", "device", "precision", "attention", "options")


@dataclass(frozen=True)
class Change:
    """One field that is not as it was. `field` by its names from the outside in, with dots; `weight`: the higher, the likelier."""

    field: str
    then: Any
    now: Any
    cause: str

    @property
    def weight(self) -> int:
        return len(CAUSES) - 1 - CAUSES.index(self.cause)

    def to_json(self) -> Json:
        return {"field": self.field, "then": self.then, "now": self.now}


def rank_changes(
    then: Json | None, now: Json | None, overrides_then: Json | None = None, overrides_now: Json | None = None,
) -> list[Change]:
    """The likeliest cause first. Nothing where one of the two is not known.

    `overrides_*` are a request's `override_settings`: an option that it sets is what it says, whatever the host was set to.
    """
    if then is None or now is None:
        return []
    then, now = _with_overrides(then, overrides_then, overrides_now), _with_overrides(now, overrides_now, overrides_then)
    changes = [*_extension_changes(then, now)]
    is_cpu = all(str(object_of(one.get("device")).get("name")) == _CPU for one in (then, now))
    for row in compare_environments([_without_extensions(then), _without_extensions(now)]):
        if not row.is_equal:
            is_unknown = None in row.values and row.path[0] in _ALWAYS_THERE
            changes.append(Change(".".join(row.path), *row.values, cause="other" if is_unknown else cause_of(row.path, is_cpu)))
    return sort_changes(changes)


def sort_changes(changes: list[Change]) -> list[Change]:
    return sorted(changes, key=lambda change: (-change.weight, change.field))


def cause_of(path: tuple[str, ...], is_cpu: bool = False) -> str:
    """Which of `CAUSES` a field of an environment is."""
    group, name = path[0], path[-1] if len(path) > 1 else ""
    if group == "options":
        known = PICTURE_OPTIONS.get(path[1] if len(path) > 1 else "")
        return known.effect if known is not None else "other"
    if group == "device":
        return "torch" if name in _TORCH else "device" if name != "memory_mb" else "system"
    if group == "packages":
        return _PACKAGES.get(name, "other")
    if group == "platform":
        return "device" if is_cpu and name in ("processor", "machine") else "system"
    if group == "flags":
        return _cause_of_flag(path[1] if len(path) > 1 else "")
    return {"host": "host", "precision": "precision", "attention": "attention"}.get(group, "other")


def _cause_of_flag(name: str) -> str:
    if name in _OF_MODEL:
        return "model"
    for pattern, cause in ((_OF_ATTENTION, "attention"), (_OF_PRECISION, "precision"), (_OF_DEVICE, "device")):
        if pattern.search(name):
            return cause
    return "other"


def _extension_changes(then: Json, now: Json) -> list[Change]:
    """An extension with its version and commit as one."""
    before, after = _extensions(then), _extensions(now)
    return [
        Change(f"extensions.{name}", before.get(name), after.get(name), "extension")
        for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)
    ]


def _extensions(environment: Json) -> dict[str, str]:
    """Names to what tells their state apart; our own changes no pixel."""
    found = (one for one in list_of(environment.get("extensions")) if isinstance(one, dict) and isinstance(one.get("name"), str))
    return {one["name"]: str(one.get("commit") or one.get("version") or "installed") for one in found if one["name"].lower() != "sdpipe"}


def _without_extensions(environment: Json) -> Json:
    return {name: value for name, value in environment.items() if name not in ("extensions", "sdpipe")}


def _with_overrides(environment: Json, own: Json | None, other: Json | None) -> Json:
    """The options as the pass had them. One that only one of the two recorded beside its options is left to the requests."""
    options = object_of(environment.get("options"))
    names = options.keys() | (own or {}).keys() & (other or {}).keys()
    return {**environment, "options": {name: (own or {}).get(name, options.get(name)) for name in sorted(names)}}
