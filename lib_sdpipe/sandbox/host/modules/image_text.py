"""Writing the infotext into a picture file and reading it back: PNG text, EXIF UserComment."""

from __future__ import annotations

import struct
from typing import Any

from PIL import Image, PngImagePlugin

from modules.shared import opts

_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286
_NOT_TEXT = frozenset((
    "jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi", "exif", "loop", "background", "timestamp", "duration",
    "progressive", "progression", "icc_profile", "chromaticity", "photoshop",
))


def user_comment_exif(text: str) -> bytes:
    """An EXIF block with one entry. Made by hand: the byte order and type are those that readers of the hosts expect."""
    payload = b"UNICODE\0" + text.encode("utf-16-be", "surrogatepass")
    main = struct.pack(">HHHIII", 1, _EXIF_IFD, 4, 1, 26, 0)
    sub = struct.pack(">HHHIII", 1, _USER_COMMENT, 7, len(payload), 44, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">I", 8) + main + sub + payload


def png_text(items: dict[str, Any]) -> PngImagePlugin.PngInfo:
    res = PngImagePlugin.PngInfo()
    for key, value in items.items():
        res.add_text(key, str(value))
    return res


def save_image_with_geninfo(image: Image.Image, geninfo: str | None, filename: str, extension: str | None = None,
                            existing_pnginfo: dict[str, Any] | None = None,
                            pnginfo_section_name: str = "parameters") -> None:
    """PNG gets all of `existing_pnginfo`; JPEG, WebP and AVIF only the infotext; others nothing."""
    extension = (extension or filename[filename.rindex("."):]).lower()
    image_format = Image.registered_extensions()[extension]
    with_text = opts.enable_pnginfo
    if extension == ".png":
        items = existing_pnginfo or {}
        if with_text:
            items[pnginfo_section_name] = geninfo
        image.save(filename, format=image_format, pnginfo=png_text(items) if with_text else None)
        return
    options: dict[str, Any] = {"quality": opts.jpeg_quality}
    if extension in (".jpg", ".jpeg", ".webp", ".avif"):
        image = image.convert("RGB") if image.mode == "RGBA" and extension != ".avif" else image
        if with_text and geninfo is not None:
            options["exif"] = user_comment_exif(geninfo)
        if extension == ".webp":
            options["lossless"] = opts.webp_lossless
    elif extension == ".gif":
        options = {"comment": geninfo or ""}
    image.save(filename, format=image_format, **options)


def read_info_from_image(image: Image.Image) -> tuple[str | None, dict[str, Any]]:
    items = dict(image.info or {})
    geninfo = items.pop("parameters", None)
    if "exif" in items:
        geninfo = _user_comment(items["exif"]) or geninfo
    elif "comment" in items:
        comment = items["comment"]
        geninfo = comment.decode("utf8", "ignore") if isinstance(comment, bytes) else comment
    items = {k: v for k, v in items.items() if k not in _NOT_TEXT}
    return geninfo, items


def _user_comment(block: bytes) -> str | None:
    exif = Image.Exif()
    try:
        exif.load(block)
        value = exif.get_ifd(_EXIF_IFD).get(_USER_COMMENT)
    except Exception:  # Pillow raises many kinds for damaged blocks
        return None
    if not isinstance(value, bytes):
        return value
    if value.startswith(b"UNICODE\0"):
        return value[8:].decode("utf-16-be", "surrogatepass")
    return value[8:].decode("utf8", "ignore") if value.startswith(b"ASCII\0") else value.decode("utf8", "ignore")
