"""Whether the scripts of a request still take the same arguments, and their defaults are what they were. Pure.

A request names only the arguments that were not at their default; the defaults of then stand in the environment.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lib_sdpipe.manifest.compare_fields import is_same_value
from lib_sdpipe.manifest.loose_json import list_of, object_of
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.argument_place import find_place
from lib_sdpipe.pipeline.port import HostFacts
from lib_sdpipe.pipeline.recorded_pass import arguments_of, scripts_of
from lib_sdpipe.pipeline.rerun_difference import Difference, show, weight_of

# The host's own, whose values are fields of the request; and ours, which change no pixel.
_NOT_CHECKED = ("Sampler", "Seed", "Refiner", "SDPipe")
_WEIGHT = weight_of("script")

Labels = list["str | None"]


def check_scripts(config: Json, then: Json | None, facts: HostFacts) -> Iterator[Difference]:
    """`then` is the environment that the request was made in."""
    tab = str(config.get("endpoint"))
    known = facts.scripts.get(tab, {})
    for script in scripts_of(config):
        title = str(script.get("title") or "")
        if title in _NOT_CHECKED or not known:
            continue
        labels = _labels_of(known, title)
        if labels is None:
            yield Difference(f"scripts.{title}", "installed", None, _WEIGHT, f"The script “{title}” is not on this host.", True)
        else:
            yield from _check_arguments(title, arguments_of(script), labels)
    yield from _check_defaults(config, tab, then, facts)


def _check_arguments(title: str, arguments: list[Json], labels: Labels) -> Iterator[Difference]:
    for argument in arguments:
        label, index = argument.get("label"), argument.get("index")
        place, name = find_place(labels, label, index), label or f"number {index}"
        if place is None:
            sentence = f"“{title}” has no argument “{name}” any more; what it was set to, {show(argument.get('value'))}, is left out."
            yield Difference(f"scripts.{title}.{name}", argument.get("value"), None, _WEIGHT, sentence)
        elif label and labels[place] != label:
            sentence = f"“{title}” has no argument “{label}” any more; its value goes by its number to “{labels[place] or place}”."
            yield Difference(f"scripts.{title}.{name}", label, labels[place], _WEIGHT, sentence)


def _check_defaults(config: Json, tab: str, then: Json | None, facts: HostFacts) -> Iterator[Difference]:
    before, after = _defaults(then, tab), _defaults(facts.environment, tab)
    asked = {str(script.get("title")): arguments_of(script) for script in scripts_of(config)}
    for title, arguments in before.items():
        if title in _NOT_CHECKED or title not in after:
            continue
        labels: Labels = [argument.get("label") for argument in after[title]]
        for index, argument in enumerate(arguments):
            value, label = argument.get("value"), argument.get("label")
            place = find_place(labels, label, index)
            if value is None or place is None or _is_given(asked.get(title, []), index, label):
                continue
            now = after[title][place].get("value")
            if not is_same_value(value, now) and (title in asked or not _is_object(value)):
                way_back = {"script": title, "tab": tab, "index": index, "label": label, "value": value}
                yield _changed_default(title, label or f"number {index}", value, now, None if _is_object(value) else way_back)


def _changed_default(title: str, name: str, value: Any, now: Any, way_back: Json | None) -> Difference:
    sentence = f"“{title}” starts with another value of “{name}” than then: {show(value)} then, {show(now)} now."
    return Difference(f"scripts.{title}.{name}", value, now, _WEIGHT, sentence, False, way_back)


def _defaults(environment: Json | None, tab: str) -> dict[str, list[Json]]:
    scripts = list_of(object_of(object_of(environment).get("script_defaults")).get(tab))
    return {
        str(script.get("title")): arguments_of(script)
        for script in scripts if isinstance(script, dict)
    }


def _is_given(arguments: list[Json], index: int, label: Any) -> bool:
    return any(one.get("index") == index or label and one.get("label") == label for one in arguments)


def _is_object(value: Any) -> bool:
    """One of an extension's own classes: another version of it may have other parts."""
    return isinstance(value, dict) and "$type" in value


def _labels_of(known: dict[str, Labels], title: str) -> Labels | None:
    return next((labels for name, labels in known.items() if name.lower() == title.lower()), None)
