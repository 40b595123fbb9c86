"""A picture of the Extras tab asked again: one request for each source, arguments as its text tells them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.loose_json import number_of
from lib_sdpipe.manifest.records import ImageLink, Json, Manifest, Run
from lib_sdpipe.pipeline.image_settings import picture_of
from lib_sdpipe.pipeline.port import PassRequest
from lib_sdpipe.pipeline.recorded_pass import RecordedPass, arguments_of, in_order, is_final, scripts_of
from lib_sdpipe.pipeline.repeat_pass import Repeat

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})", re.ASCII)
# What the host's scripts write, and the argument it says: defaults of the Extras tab are in no environment.
_SAID = {
    "Upscale": {
        "upscale_by": "Postprocess upscale by", "max_side_length": "Max side length", "upscaler_1_name": "Postprocess upscaler",
        "upscaler_2_name": "Postprocess upscaler 2",
    },
    "GFPGAN": {"gfpgan_visibility": "GFPGAN visibility"},
    "CodeFormer": {"codeformer_visibility": "CodeFormer visibility", "codeformer_weight": "CodeFormer weight"},
}
_SWITCHES = {"Upscale": "upscale_enabled", "GFPGAN": "enable", "CodeFormer": "enable"}
_TEXTS = ("upscaler_1_name", "upscaler_2_name")
# So that of a hostile record no pixel bomb is asked.
_MOST = 100_000


def split_sources(run: Run, manifests: Sequence[Manifest]) -> list[RecordedPass]:
    """One for each source picture; a script that splits pictures makes several images of one."""
    finals = [manifest for manifest in in_order(run, manifests) if is_final(manifest)]
    groups: list[tuple[Json, list[Manifest]]] = []
    for final in finals:
        picture = _source(run, final)
        if groups and (_is_single(run) or groups[-1][0] == picture):
            groups[-1][1].append(final)
        else:
            groups.append((picture, [final]))
    return [_pass(run, picture, group) for picture, group in groups]


def repeat_source(recorded: RecordedPass, wanted: Manifest | None = None) -> Repeat:
    """The source through the same scripts; of several results only the wanted one is saved."""
    if not recorded.config.get("image"):
        raise RefusedError("The picture that was upscaled was not kept.")
    places = {final.name or "": place for place, final in enumerate(recorded.finals)}
    if wanted is None:
        return Repeat(PassRequest(recorded.config, "upscale", parents=recorded.parents), places, True)
    place = places[wanted.name or ""]
    request = PassRequest(recorded.config, "upscale", save=(place,), parents=recorded.parents)
    return Repeat(request, {wanted.name or "": place}, True)


def concluded_scripts(asked: list[Json], said: Json) -> list[Json]:
    """The scripts of a request with the arguments that it left out and the image's text names."""
    found = list(asked)
    for title, values in _iter_said(said):
        own = next((script for script in found if script.get("title") == title), None)
        given = {str(argument.get("label")) for argument in arguments_of(own or {})}
        added = [{"index": None, "label": name, "value": value} for name, value in values.items() if name not in given]
        if own is None:
            found.append({"title": title, "file": None, "selected": False, "args": added})
        else:
            found[found.index(own)] = {**own, "args": [*arguments_of(own), *added]}
    return found


def _iter_said(said: Json) -> Iterator[tuple[str, Json]]:
    for title, arguments in _SAID.items():
        values = {name: _read(name, said[key]) for name, key in arguments.items() if said.get(key) is not None}
        if title == "Upscale":
            values.update(_size_said(said))
        values = {name: value for name, value in values.items() if value is not None}
        if values:
            yield title, {_SWITCHES[title]: True, **values}


def _size_said(said: Json) -> Json:
    match = _SIZE.fullmatch(str(said.get("Postprocess upscale to") or ""))
    if match is None:
        return {"upscale_mode": 0} if said.get("Postprocess upscale by") is not None else {}
    crop = said.get("Postprocess crop to") is not None
    return {"upscale_mode": 1, "upscale_to_width": int(match.group(1)), "upscale_to_height": int(match.group(2)), "upscale_crop": crop}


def _read(name: str, value: Any) -> Any:
    if name in _TEXTS:
        return value if isinstance(value, str) else None
    number = number_of(value)
    if number is None or not 0 <= number <= _MOST:
        return None
    return int(number) if number == int(number) else number


def _pass(run: Run, picture: Json, group: list[Manifest]) -> RecordedPass:
    scripts = concluded_scripts(scripts_of(run.config), group[0].config)
    config = {"endpoint": "extras", "extras_mode": 0, "image": picture, "scripts": scripts}
    parent = group[0].parent
    parents = (ImageLink(run_id=parent.run_id, name=parent.name),) if parent is not None else ()
    return RecordedPass(config, "upscale", tuple(group), parents)


def _is_single(run: Run) -> bool:
    return run.config.get("extras_mode") == 0


def _source(run: Run, final: Manifest) -> Json:
    """{} where it was not kept: an image that merely looks alike is another picture."""
    for picture in (final.config.get("image"), run.config.get("image") if _is_single(run) else None):
        if isinstance(picture, dict) and ("$input" in picture or "$image" in picture):
            return picture
    parent = final.parent
    return picture_of(parent.run_id, parent.name) if parent is not None and parent.by == "pixels" else {}
