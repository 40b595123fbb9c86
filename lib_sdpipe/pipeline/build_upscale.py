"""The stage `upscale` as a request of the Extras tab, as its runs record it. Pure."""

from __future__ import annotations

from typing import Any

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Json, Manifest
from lib_sdpipe.pipeline.image_settings import picture_of

# The argument of the host's script, the field of the host's extras API, and what the API does without it.
_UPSCALE: tuple[tuple[str, str, Any], ...] = (
    ("upscale_mode", "resize_mode", 0), ("upscale_by", "upscaling_resize", 2), ("max_side_length", "max_side_length", 0),
    ("upscale_to_width", "upscaling_resize_w", 512), ("upscale_to_height", "upscaling_resize_h", 512),
    ("upscale_crop", "upscaling_crop", True), ("upscaler_1_name", "upscaler_1", None), ("upscaler_2_name", "upscaler_2", "None"),
    ("upscaler_2_visibility", "extras_upscaler_2_visibility", 0),
)
_FACES: dict[str, tuple[tuple[str, str, Any], ...]] = {
    "GFPGAN": (("gfpgan_visibility", "gfpgan_visibility", 0),),
    "CodeFormer": (("codeformer_visibility", "codeformer_visibility", 0), ("codeformer_weight", "codeformer_weight", 0)),
}
# By field of the API: the script's title and its argument.
EXTRAS_ARGUMENTS: dict[str, tuple[str, str]] = {
    field: (title, name) for title, arguments in (("Upscale", _UPSCALE), *_FACES.items()) for name, field, _ in arguments
}


def build_upscale(settings: Json, source: Manifest) -> Json:
    """`settings` by the names of the host's extras API; `upscaler` is short for `upscaler_1`. Raises RefusedError."""
    settings = {"upscaler_1": settings.get("upscaler"), **{name: value for name, value in settings.items() if value is not None}}
    if not isinstance(settings["upscaler_1"], str) or not settings["upscaler_1"]:
        raise RefusedError("The stage upscale needs an upscaler: name one in its settings.")
    scripts = [_script("Upscale", {"upscale_enabled": True, **_values(_UPSCALE, settings)})]
    for title, arguments in _FACES.items():
        values = _values(arguments, settings)
        if any(value for name, value in values.items() if name.endswith("visibility")):
            scripts.append(_script(title, {"enable": True, **values}))
    own = [script for script in settings.get("scripts") or [] if isinstance(script, dict)]
    named = {script.get("title") for script in own}
    return {
        "endpoint": "extras", "extras_mode": 0, "image": picture_of(source.run_id, source.name),
        "scripts": [*(script for script in scripts if script["title"] not in named), *own],
    }


def _values(arguments: tuple[tuple[str, str, Any], ...], settings: Json) -> Json:
    return {name: settings.get(field, usual) for name, field, usual in arguments}


def _script(title: str, values: Json) -> Json:
    """By label alone: the places of these arguments are not the same on all hosts."""
    return {
        "title": title, "file": None, "selected": False,
        "args": [{"index": None, "label": name, "value": value} for name, value in values.items()],
    }
