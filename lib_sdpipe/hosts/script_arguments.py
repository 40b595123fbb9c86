"""The arguments of all scripts of a tab for one pass: what was recorded in its place, else what the page shows now."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts.from_data import from_data
from lib_sdpipe.hosts.request import default_of, script_file, script_title
from lib_sdpipe.pipeline.argument_place import find_place
from lib_sdpipe.pipeline.port import FindPicture
from lib_sdpipe.record.facts import Json


@dataclass
class ScriptArguments:
    """`values` by position, as the host slices them; `selected` is the script of the Script menu, `left_out` what found no place."""

    values: list[Any]
    selected: Any = None
    left_out: list[str] = field(default_factory=list)


def build_arguments(runner: Any, wanted: list[Json], find_picture: FindPicture) -> ScriptArguments:
    """`wanted` is `scripts` of a run's config. Raises SdPipeError for a script that this host does not have."""
    everyone = [*runner.alwayson_scripts, *runner.selectable_scripts]
    length = max([1, len(runner.inputs), *(script.args_to or 0 for script in everyone)])
    made = ScriptArguments([0, *(_default_at(runner, place) for place in range(1, length))])
    for one in wanted:
        script = _find_script(runner, one)
        if one.get("selected"):
            made.selected = script
            made.values[0] = runner.selectable_scripts.index(script) + 1
            _fill_in_indexes(runner, script, made.values)
        _put(runner, script, one, made, find_picture)
    return made


def labels_of(runner: Any, script: Any) -> list[str | None]:
    return [getattr(control, "label", None) for control in _controls_of(runner, script)]


def _controls_of(runner: Any, script: Any) -> list[Any]:
    if script.args_from is None or script.args_to is None:
        return []
    return list(runner.inputs[script.args_from:script.args_to])


def _default_at(runner: Any, place: int) -> Any:
    """The page's own default. Extensions change such objects in place: each pass gets its own."""
    value = default_of(runner.inputs[place]) if place < len(runner.inputs) else None
    try:
        return copy.deepcopy(value)
    except Exception:  # another extension's object may refuse to be copied: then the host's own, as its API hands it out
        return value


def _find_script(runner: Any, one: Json) -> Any:
    """By title, among those of the Script menu if it was chosen there; by file where the title was changed."""
    scripts = runner.selectable_scripts if one.get("selected") else runner.alwayson_scripts
    title, file = str(one.get("title") or ""), one.get("file")
    found = [script for script in scripts if script_title(script).lower() == title.lower()]
    found = found or [script for script in scripts if file and script_file(script) == file]
    if not found:
        raise SdPipeError(f"the script {title!r} is not on this host: install its extension, or leave the script out")
    same_file = [script for script in found if script_file(script) == file]
    return (same_file or found)[0]


def _put(runner: Any, script: Any, one: Json, made: ScriptArguments, find_picture: FindPicture) -> None:
    controls, title = _controls_of(runner, script), script_title(script)
    labels = labels_of(runner, script)
    for argument in one.get("args") or []:
        place = find_place(labels, argument.get("label"), argument.get("index"))
        if place is None:
            made.left_out.append(f"{title}: its argument {argument.get('label') or argument.get('index')} does not exist here.")
            continue
        where = f"{title} argument {argument.get('label') or place}"
        made.values[script.args_from + place] = from_data(argument.get("value"), find_picture, where, default_of(controls[place]))


def _fill_in_indexes(runner: Any, script: Any, values: list[Any]) -> None:
    """A list that sends the number of what is chosen shows its text: what the script gets by default is that number.

    Of the always visible scripts a default that was recorded as unchanged is the text, so there it stays.
    """
    for place, control in enumerate(_controls_of(runner, script), start=script.args_from):
        if getattr(control, "type", None) == "index":
            choices = [choice[-1] if isinstance(choice, (tuple, list)) else choice for choice in getattr(control, "choices", None) or []]
            if values[place] in choices:
                values[place] = choices.index(values[place])
