"""Any value of a request as JSON, with pictures taken out. Nothing is evaluated, and nothing large, secret or deep is stored."""

from __future__ import annotations

import base64
import binascii
import enum
import io
import math
import re
from dataclasses import fields, is_dataclass
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from lib_sdpipe.images.stealth import has_hidden_alpha
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.privacy import is_key_text, is_secret

_DEEPEST = 24
_MOST_VALUES = 100_000
_MOST_BITS = 256
_LONGEST_TEXT = 1_000_000
_LONGEST_PICTURE_TEXT = 200_000_000
# A damaged picture of this length is still worth keeping as the text it is; a shorter one is decoded at once.
_SHORT_TEXT = 10_000
_DATA_URL = re.compile(r"data:image/[\w.+-]+;base64,")
_HEAD = re.compile(r"[A-Za-z0-9+/]{32}")
# What has one of these is more than its attributes: a file, a container, a tensor.
_NO_BUNDLE = ("read", "__enter__", "__iter__", "__next__", "__len__", "__array__")
_MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"BM")


class PictureBox:
    """Pictures met on the way, by key; the same object, or the same text, gets the same key."""

    def __init__(self) -> None:
        self.pictures: dict[str, Image.Image] = {}
        self._keys: dict[int | str, str] = {}

    def put(self, picture: Image.Image) -> str:
        """The picture's key. It is decoded here, on the host's thread: two threads must not decode one file.

        Raises whatever Pillow raises for a damaged picture.
        """
        picture.load()
        return self._key_of(id(picture), picture)

    def put_encoded(self, text: str) -> str | None:
        """The key of a picture that is base64 or a data URL; None where it is damaged.

        A long one is decoded by whoever looks at it first: nobody else has it, and the host need not wait.
        """
        if text in self._keys:
            return self._keys[text]
        try:
            payload = "".join(text[text.find(",") + 1 if text.startswith("data:") else 0:].split())
            picture = Image.open(io.BytesIO(base64.b64decode(payload, validate=True)))
            if len(text) <= _SHORT_TEXT:
                picture.load()
        except (binascii.Error, ValueError):
            return None
        except Exception:  # Pillow's readers raise whatever a damaged file leads them to
            return None
        return self._key_of(text, picture)

    def _key_of(self, identity: int | str, picture: Image.Image) -> str:
        key = self._keys.setdefault(identity, f"p{len(self.pictures)}")
        self.pictures.setdefault(key, picture)
        return key


def to_data(value: Any, box: PictureBox, problems: list[str], where: str) -> Any:
    """`value` as JSON with pictures taken out; what cannot be stored becomes None and a line in `problems`."""
    try:
        return _Reading(box, problems).read(value, where, 0)
    except Exception as fault:  # another extension's object may raise anything when it is looked at; it is said in the run
        problems.append(f"{where} is a {type(value).__name__}, which cannot be stored ({type(fault).__name__})")
        return None


class _Reading:
    """One value on its way to JSON; it has a budget, for objects that lead everywhere."""

    def __init__(self, box: PictureBox, problems: list[str]) -> None:
        self._box = box
        self._problems = problems
        self._left = _MOST_VALUES

    def read(self, value: Any, where: str, depth: int) -> Any:
        self._left -= 1
        if self._left == 0:
            self._problems.append(f"{where} has too many parts and was not stored as a whole")
        if self._left <= 0:
            return None
        if isinstance(value, enum.Enum) and not isinstance(value, (str, int, float)):
            return {"$type": type(value).__name__, "value": self.read(value.value, where, depth + 1)}
        if isinstance(value, str):
            return self._read_text(str(value.value) if isinstance(value, enum.Enum) else value, where)
        if value is None or isinstance(value, bool) or (isinstance(value, int) and value.bit_length() <= _MOST_BITS):
            return value.value if isinstance(value, enum.Enum) else value
        if isinstance(value, float) and math.isfinite(value):
            return value
        if isinstance(value, np.generic):
            return self.read(value.item(), where, depth)
        picture = self._read_picture(value)
        return picture if picture is not None else self._read_compound(value, where, depth)

    def _read_text(self, text: str, where: str) -> Any:
        is_picture = _looks_like_picture(text)
        key = self._box.put_encoded(text) if is_picture else None
        if key is not None:
            return {"$picture": key, "as": "base64"}
        if is_picture and len(text) > _SHORT_TEXT:
            return self._refuse(f"{where} is a damaged picture and was not stored")
        if len(text) > _LONGEST_TEXT:
            return self._refuse(f"{where} is a text of over 1 MB and was not stored")
        if is_key_text(text):
            return self._refuse(f"{where} is a secret and was not stored")
        return text

    def _read_picture(self, value: Any) -> Json | None:
        if isinstance(value, Image.Image):
            taken = {"$picture": self._box.put(value)}
            return {**taken, "alpha": "hidden"} if has_hidden_alpha(value) else taken
        if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.size and value.ndim in (2, 3):
            picture = Image.fromarray(value.squeeze(-1) if value.shape[-1] == 1 else value)
            return {"$picture": self._box.put(picture), "as": "array"}
        return None

    def _read_compound(self, value: Any, where: str, depth: int) -> Any:
        if depth < _DEEPEST:
            if isinstance(value, (list, tuple)):
                return [self.read(item, where, depth + 1) for item in value]
            if isinstance(value, dict):
                # A key of ours begins with `$`; one of somebody else's that does gets another.
                named = ((f"${key}" if str(key).startswith("$") else str(key), item) for key, item in value.items())
                return self._read_fields(named, where, depth)
            attributes = _attributes(value)
            if attributes is not None:
                return {"$type": type(value).__name__, **self._read_fields(attributes.items(), where, depth)}
        return self._refuse(f"{where} is a {type(value).__name__}, which cannot be stored")

    def _read_fields(self, named: Any, where: str, depth: int) -> Json:
        found: Json = {}
        for key, item in named:
            if is_secret(key, item):
                found[key] = self._refuse(f"{where}.{key} is a secret and was not stored")
            else:
                found[key] = self.read(item, f"{where}.{key}", depth + 1)
        return found

    def _refuse(self, reason: str) -> None:
        if self._left > 0:
            self._problems.append(reason)


def _looks_like_picture(text: str) -> bool:
    """Told by its first bytes, so that ordinary text costs nothing."""
    if not 60 < len(text) <= _LONGEST_PICTURE_TEXT:
        return False
    url = _DATA_URL.match(text)
    head = _HEAD.match(text, url.end() if url else 0)
    if head is None:
        return url is not None
    start = base64.b64decode(head.group())
    is_riff = start[:4] == b"RIFF" and start[8:12] == b"WEBP"
    return url is not None or start.startswith(_MAGIC) or is_riff or start[4:12] in (b"ftypavif", b"ftypheic")


def _attributes(value: Any) -> Json | None:
    """What an object holds, without calling anything of its own; None where it is no bundle of values."""
    is_declared = is_dataclass(value) or any(kind.__name__ == "BaseModel" for kind in type(value).__mro__)
    if callable(value) or isinstance(value, (ModuleType, BaseException)):
        return None
    if not is_declared and any(hasattr(type(value), name) for name in _NO_BUNDLE):
        return None
    held = dict(_own(value, "__dict__") or {})
    held.update(_own(value, "__pydantic_extra__") or {})  # pydantic 2 keeps unknown fields apart
    for field in fields(value) if is_dataclass(value) else ():  # with slots it keeps nothing in __dict__
        held.setdefault(field.name, _own(value, field.name))
    public = {key: item for key, item in held.items() if isinstance(key, str) and not key.startswith("_")}
    return public if public or is_declared else None


def _own(value: Any, name: str) -> Any:
    """An attribute as Python itself keeps it: a class's own `__getattr__` is not asked."""
    try:
        return object.__getattribute__(value, name)
    except (AttributeError, TypeError):
        return None
