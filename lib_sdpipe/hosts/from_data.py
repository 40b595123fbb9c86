"""From a record's JSON back to the values a host takes: `to_data` the other way round. Nothing is evaluated or unpickled.

Pictures are decoded by reference. An object is made again only where the host itself has one of that class at hand: the
script's own default argument, or one inside it.
"""

from __future__ import annotations

import base64
import copy
import enum
import io
import os
from dataclasses import fields, is_dataclass, replace
from typing import Any, Iterator

from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.stealth import has_hidden_alpha
from lib_sdpipe.pipeline.port import FindPicture
from lib_sdpipe.record.facts import Json

_DEEPEST = 24
_REFERENCES = ("$input", "$image")
_HOME = ("~/", "~\\")


def is_reference(value: Any) -> bool:
    """Whether this names a picture."""
    return isinstance(value, dict) and any(key in value for key in _REFERENCES)


def from_data(value: Any, find_picture: FindPicture, where: str, sample: Any = None) -> Any:
    """The value that was recorded as `value`. `sample` is the default of what it is for: classes are taken from it.

    Raises SdPipeError, which names what cannot be made again and why.
    """
    return _Making(find_picture, _classes_of(sample)).make(value, sample, where, 0)


class _Making:
    """One value on its way back; `classes` are those it may consist of, by name, with an object of each."""

    def __init__(self, find_picture: FindPicture, classes: dict[str, Any]) -> None:
        self._find_picture = find_picture
        self._classes = classes

    def make(self, value: Any, sample: Any, where: str, depth: int) -> Any:
        if depth > _DEEPEST:
            raise SdPipeError(f"{where} is nested too deep to be made again")
        if is_reference(value):
            return self._picture(value)
        if isinstance(value, dict):
            return self._object(value, where, depth) if "$type" in value else self._dict(value, sample, where, depth)
        if isinstance(value, list):
            parts = sample if isinstance(sample, (list, tuple)) and len(sample) == len(value) else [None] * len(value)
            return [self.make(item, part, where, depth + 1) for item, part in zip(value, parts)]
        if isinstance(value, str) and value.startswith(_HOME):
            return os.path.expanduser(value)  # in records this user's home folder is `~`
        return _as_enum(value, sample, where) if isinstance(sample, enum.Enum) else value

    def _picture(self, value: Json) -> Any:
        picture = self._find_picture({key: item for key, item in value.items() if key in _REFERENCES})
        if value.get("alpha") != "hidden" and has_hidden_alpha(picture):
            picture = picture.convert("RGB")  # whatever was given then had no such alpha; its file has
        if value.get("as") == "base64":
            return _to_base64(picture)
        if value.get("as") == "array":
            import numpy as np

            return np.array(picture)
        return picture

    def _dict(self, value: Json, sample: Any, where: str, depth: int) -> Json:
        inside = sample if isinstance(sample, dict) else {}
        # `to_data` puts a `$` before a key that begins with one, so that it is not taken for one of ours.
        named = ((key[1:] if key.startswith("$$") else key, item) for key, item in value.items())
        return {key: self.make(item, inside.get(key), f"{where}.{key}", depth + 1) for key, item in named}

    def _object(self, value: Json, where: str, depth: int) -> Any:
        name = value["$type"]
        known = self._classes.get(name) if isinstance(name, str) else None
        if known is None:
            raise SdPipeError(f"{where} is a {name}, which no default of this host shows how to make: change it by hand")
        if isinstance(known, enum.Enum):
            return _as_enum(value.get("value"), known, where)
        inside = {
            key: self.make(item, getattr(known, key, None), f"{where}.{key}", depth + 1) for key, item in value.items() if key != "$type"
        }
        return _copy_with(known, inside, where)


def _as_enum(value: Any, known: enum.Enum, where: str) -> enum.Enum:
    try:
        return type(known)(value)
    except ValueError:
        raise SdPipeError(f"{where} is {value!r}, which is no {type(known).__name__} here") from None


def _copy_with(known: Any, values: Json, where: str) -> Any:
    """An object like this one with other values. No name that it does not have itself is set."""
    unknown = sorted(
        name for name in values if name.startswith("_") or not hasattr(known, name) or callable(getattr(type(known), name, None))
    )
    if unknown:
        raise SdPipeError(f"{where} has {', '.join(unknown)}, which a {type(known).__name__} does not have here")
    try:
        if is_dataclass(known) and set(values) <= {field.name for field in fields(known) if field.init}:
            return replace(known, **values)  # type: ignore[type-var]
        made = copy.deepcopy(known)
        for name, value in values.items():
            setattr(made, name, value)
    except Exception as fault:  # another extension's class may refuse in its own way
        raise SdPipeError(f"{where} could not be made again: {type(fault).__name__}: {fault}") from fault
    return made


def _classes_of(sample: Any) -> dict[str, Any]:
    """What the default consists of, by class name: enums and bundles of values, the outermost first."""
    found: dict[str, Any] = {}
    for one in _parts(sample, 0):
        found.setdefault(type(one).__name__, one)
    return found


def _parts(value: Any, depth: int) -> Iterator[Any]:
    if depth > 4:
        return
    if isinstance(value, enum.Enum):
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _parts(item, depth + 1)
    elif isinstance(value, dict):
        for item in value.values():
            yield from _parts(item, depth + 1)
    elif _is_bundle(value):
        yield value
        for name, item in list(getattr(value, "__dict__", {}).items()):
            if not name.startswith("_"):
                yield from _parts(item, depth + 1)


def _is_bundle(value: Any) -> bool:
    """Whether its attributes are all there is to it, by its own declaration."""
    return not isinstance(value, type) and (is_dataclass(value) or any(kind.__name__ == "BaseModel" for kind in type(value).__mro__))


def _to_base64(picture: Image.Image) -> str:
    """As an API client sends it: PNG without any text."""
    buffer = io.BytesIO()
    plain = picture.copy()
    plain.info = {}
    plain.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
