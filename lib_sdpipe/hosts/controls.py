"""From script arguments to a run's options: the first argument is for API callers, the visible controls follow it."""

from __future__ import annotations

import logging
from dataclasses import fields, replace
from typing import Any

from lib_sdpipe.record.facts import RunOptions

log = logging.getLogger("sdpipe")

# The order of the visible controls after the first argument; new ones go to the end.
CONTROL_NAMES = ("record", "write_run_id", "keep_images", "keep_stages", "keep_inputs", "label", "then")
_KINDS: dict[str, tuple[type, ...]] = {field.name: (type(field.default),) for field in fields(RunOptions)} | {"then": (str, dict)}


def read_options(arguments: tuple[Any, ...], is_api: bool, settings: RunOptions) -> RunOptions:
    """The options of one job. What is absent or of the wrong kind is as the settings say now."""
    request = arguments[0] if arguments else None
    if isinstance(request, dict):
        return replace(settings, **_checked(request))
    if request is not None:
        log.warning("SDPipe: the first script argument must be an object such as {\"record\": true}; got %s", type(request).__name__)
    if is_api:
        return settings
    return replace(settings, **_checked(dict(zip(CONTROL_NAMES, arguments[1:]))))


def _checked(request: dict[Any, Any]) -> dict[str, Any]:
    chosen = {}
    for key, value in request.items():
        kind = _KINDS.get(key)
        if kind is None:
            log.warning("SDPipe: unknown key %r in the script argument; known are %s", key, ", ".join(_KINDS))
        elif value is not None and not isinstance(value, kind):
            names = " or ".join(one.__name__ for one in kind)
            log.warning("SDPipe: %r must be %s, not %s; the setting is used", key, names, repr(value)[:200])
        elif value is not None:
            chosen[key] = value
    return chosen
