"""Requests of the API as plain dicts: which fields exist, their defaults, and pictures as base64."""

from __future__ import annotations

import base64
import dataclasses
import io
from typing import Any

from fastapi.exceptions import HTTPException
from PIL import Image

from modules import image_text, images, processing_txt2img, shared
from modules.shared import opts

_NOT_ALLOWED = frozenset((
    "sd_model", "outpath_samples", "outpath_grids", "sampler_index", "extra_generation_params", "overlay_images",
    "do_not_reload_embeddings", "seed_enable_extras", "prompt_for_display", "ddim_discretize",
))
_COMMON: dict[str, Any] = {
    "sampler_index": "Euler", "script_name": None, "script_args": [], "send_images": True, "save_images": False,
    "alwayson_scripts": {}, "force_task_id": None, "infotext": None,
}
_IMG2IMG: dict[str, Any] = {"init_images": None, "denoising_strength": 0.75, "mask": None, "include_init_images": False}
_EXTRAS: dict[str, Any] = {
    "resize_mode": 0, "show_extras_results": True, "gfpgan_visibility": 0.0, "codeformer_visibility": 0.0,
    "codeformer_weight": 0.0, "upscaling_resize": 2.0, "upscaling_resize_w": 512, "upscaling_resize_h": 512,
    "upscaling_crop": True, "upscaler_1": "None", "upscaler_2": "None", "extras_upscaler_2_visibility": 0.0,
    "upscale_first": False,
}
NOT_FOR_P = ("script_name", "script_args", "alwayson_scripts", "infotext", "send_images", "save_images",
             "include_init_images")


def defaults(kind: type) -> dict[str, Any]:
    fields = {x.name: x.default for x in dataclasses.fields(kind) if x.init and x.name not in _NOT_ALLOWED}
    res = {k: None if isinstance(v, property) else v for k, v in fields.items()} | _COMMON
    if "init_images" in fields:
        return res | _IMG2IMG
    res["denoising_strength"] = None  # so hires without one fails, as in the host
    return res | (processing_txt2img.FORGE_FIELDS if shared.is_forge() else {})


def complete(body: dict[str, Any], kind: type) -> dict[str, Any]:
    """The whole request: what was given, cast to the field's type, and defaults. Unknown fields are ignored."""
    types = {x.name: str(x.type).split(" ")[0] for x in dataclasses.fields(kind)}
    res = defaults(kind)
    for key, default in res.items():
        if key in body:
            res[key] = _cast(key, body[key], types.get(key, type(default).__name__))
    return res


def extras(body: dict[str, Any]) -> dict[str, Any]:
    """A request of the Extras tab, without its pictures."""
    return {k: _cast(k, body.get(k, default), type(default).__name__) for k, default in _EXTRAS.items()}


def _cast(key: str, value: Any, wanted: str) -> Any:
    kinds: dict[str, Any] = {"int": int, "float": float, "bool": bool, "list": list, "dict": dict}
    kind = kinds.get(wanted.split("[")[0])
    if value is None or kind is None:
        return value
    try:
        if kind in (int, float):
            return kind(value)
        if not isinstance(value, kind):
            raise ValueError(value)
    except (TypeError, ValueError):
        problem = {"loc": ["body", key], "msg": f"value is not a valid {kind.__name__}", "type": "type_error"}
        raise HTTPException(status_code=422, detail=[problem]) from None
    return value


def decode_base64_to_image(encoding: str) -> Image.Image:
    if encoding.startswith("data:image/"):
        encoding = encoding.split(";")[1].split(",")[1]
    try:
        image = images.read(io.BytesIO(base64.b64decode(encoding)))
        image.load()
        return image
    except Exception as error:
        raise HTTPException(status_code=500, detail="Invalid encoded image") from error


def encode_pil_to_base64(image: Image.Image) -> str:
    """In the format of the samples, with the texts of `image.info`, which is not always what was saved."""
    buffer = io.BytesIO()
    kind = opts.samples_format.lower()
    if kind == "png":
        texts = {k: v for k, v in image.info.items() if isinstance(k, str) and isinstance(v, str)}
        image.save(buffer, format="PNG", pnginfo=image_text.png_text(texts) if texts else None)
    elif kind in ("jpg", "jpeg", "webp"):
        exif = image_text.user_comment_exif(image.info.get("parameters") or "")
        image.convert("RGB").save(buffer, format="WEBP" if kind == "webp" else "JPEG", exif=exif,
                                  quality=opts.jpeg_quality)
    else:
        raise HTTPException(status_code=500, detail="Invalid image format")
    return base64.b64encode(buffer.getvalue()).decode()
