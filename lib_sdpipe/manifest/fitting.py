"""Whether a JSON document has the exact types of a record: then it need not be taken through pydantic, which is slow for millions."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Dict, List, Type, Union, get_args, get_origin, get_type_hints

from lib_sdpipe.manifest.records import Record

_Shape = Any


def fits(document: Any, kind: Type[Record]) -> bool:
    """True: `kind` would take the document as it is. False says nothing: pydantic may still convert it."""
    return _fits_record(document, _shape_of(kind))


def _fits_record(document: Any, shape: dict[str, _Shape]) -> bool:
    if type(document) is not dict:
        return False
    for name, wanted in shape.items():
        value = document.get(name)
        if value is None:
            if name in document and not wanted[0]:
                return False
        elif not _fits_value(value, wanted[1], wanted[2]):
            return False
    return True


def _fits_value(value: Any, types: tuple[type, ...], inner: _Shape) -> bool:
    if type(value) not in types:
        return False
    if inner is None:
        return True
    if type(value) is dict:
        return _fits_record(value, inner)
    return all(_fits_record(item, inner) if isinstance(inner, dict) else type(item) in inner for item in value)


@lru_cache(maxsize=None)
def _shape_of(kind: Type[Record]) -> dict[str, _Shape]:
    """By JSON name: whether it may be null, the types it may have, and the shape of what is in it."""
    hints = get_type_hints(kind)
    return {field.alias: _shape_of_hint(hints[name]) for name, field in kind.__fields__.items()}


def _shape_of_hint(hint: Any) -> tuple[bool, tuple[type, ...], _Shape]:
    if get_origin(hint) is Union:  # Optional[X]
        (inner,) = [part for part in get_args(hint) if part is not type(None)]
        return (True, *_shape_of_hint(inner)[1:])
    if hint is Any:
        return True, (dict, list, str, int, float, bool), None
    if get_origin(hint) in (list, List):
        (item,) = get_args(hint)
        if item is Any:
            return False, (list,), None
        return False, (list,), _shape_of(item) if _is_record(item) else (_plain(item),)
    if _is_record(hint):
        return False, (dict,), _shape_of(hint)
    return False, (float, int) if hint is float else (_plain(hint),), None


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, Record)


def _plain(hint: Any) -> type:
    return dict if get_origin(hint) in (dict, Dict) else hint
