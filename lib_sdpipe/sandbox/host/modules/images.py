"""Saving pictures as the host saves them, with its callbacks, names and flaws; resizing."""

from __future__ import annotations

import os
from typing import Any

from PIL import Image, ImageOps

from modules import errors, image_text, script_callbacks, shared, stealth_infotext
from modules.image_grids import (  # noqa: F401
    Grid,
    GridAnnotation,
    combine_grid,
    draw_grid_annotations,
    draw_prompt_matrix,
    image_grid,
    split_grid,
)
from modules.image_names import (  # noqa: F401
    FilenameGenerator,
    get_next_sequence_number,
    sanitize_filename_part,
)
from modules.image_text import save_image_with_geninfo
from modules.shared import opts

LANCZOS = Image.LANCZOS
_LONGEST = {"jpg": 65535, "jpeg": 65535, "webp": 16383}
"""The longest side, in pixels, that a format can hold; larger pictures become PNG."""


def save_image(image: Any, path: str, basename: str | None, seed: Any = None, prompt: Any = None,
               extension: str = "png", info: str | None = None, short_filename: bool = False, no_prompt: bool = False,
               grid: bool = False, pnginfo_section_name: str = "parameters", p: Any = None,
               existing_info: dict[str, Any] | None = None, forced_filename: str | None = None, suffix: str = "",
               save_to_dirs: bool | None = None) -> tuple[str, str | None]:
    """Save and return (path as the host reports it, path of the .txt or None)."""
    names = FilenameGenerator(p, seed, prompt, image, basename=basename)
    if max(image.size) > _LONGEST.get(extension.lower(), max(image.size)):
        extension = "png"
    if save_to_dirs is None:
        save_to_dirs = opts.grid_save_to_dirs if grid else opts.save_to_dirs and not no_prompt
    if save_to_dirs:
        folder = names.apply(opts.directories_filename_pattern or "[prompt_words]").lstrip(" ").rstrip("\\ /")
        path = os.path.join(path, folder)
    os.makedirs(path, exist_ok=True)
    if forced_filename is None:
        pattern = "" if short_filename or seed is None else _pattern(p)
        filename = _free_name(path, basename, names.apply(pattern) + suffix, extension)
    else:
        filename = os.path.join(path, f"{forced_filename}.{extension}")

    pnginfo = existing_info or {}
    if info is not None:
        pnginfo[pnginfo_section_name] = info
    params = script_callbacks.ImageSaveParams(image, p, filename, pnginfo)
    if opts.enable_pnginfo:
        stealth_infotext.add_stealth_pnginfo(params)
    script_callbacks.before_image_saved_callback(params)
    info = params.pnginfo.get(pnginfo_section_name)
    return _write(params, info, path, pnginfo_section_name)


def _pattern(p: Any) -> str:
    default = opts.samples_filename_pattern or ("[seed]" if opts.save_to_dirs else "[seed]-[prompt_spaces]")
    if shared.is_forge():
        return getattr(p, "override_settings", {}).get("samples_filename_pattern") or default
    return default


def _free_name(path: str, basename: str | None, decoration: str, extension: str) -> str:
    """With numbers: the next one that is free. Without: the bare pattern, taken or not."""
    if not (opts.save_images_add_number or decoration == ""):
        return os.path.join(path, f"{decoration}.{extension}")
    decoration = f"-{decoration}" if decoration else ""
    first = get_next_sequence_number(path, basename)
    res = ""
    for number in range(first, first + 500):
        res = os.path.join(path, (f"{basename}-{number:04}" if basename else f"{number:05}") + f"{decoration}.{extension}")
        if not os.path.exists(res):
            break
    return res


def _write(params: script_callbacks.ImageSaveParams, info: str | None, path: str, section: str) -> tuple[str, str | None]:
    image = params.image
    stem, extension = os.path.splitext(params.filename)
    if hasattr(os, "statvfs"):  # as in the host it is the whole path that is cut, not the name
        stem = stem[: os.statvfs(path).f_namemax - max(4, len(extension))]
        params.filename = stem + extension
    written = _write_atomically(image, info, stem, extension, params.pnginfo, section)
    # A1111 tells of the wanted name even where "Add number suffix" wrote another; Forge corrected all but the callback.
    if shared.is_forge():
        stem = os.path.splitext(written)[0]
    told = image.already_saved_as = stem + extension
    _export_large(image, info, stem, params.pnginfo, section, os.stat(told).st_size)
    txt = None
    if opts.save_txt and info is not None:
        txt = f"{stem}.txt"
        with open(txt, "w", encoding="utf8") as file:
            file.write(f"{info}\n")
    script_callbacks.image_saved_callback(params)
    return told, txt


def _write_atomically(image: Any, info: str | None, stem: str, extension: str, pnginfo: dict[str, Any],
                      section: str) -> str:
    temporary = f"{stem}.tmp"
    save_image_with_geninfo(image, info, temporary, extension, existing_pnginfo=pnginfo, pnginfo_section_name=section)
    filename, number = stem + extension, 0
    while opts.save_images_replace_action != "Replace" and os.path.exists(filename):
        number += 1
        filename = f"{stem}-{number}{extension}"
    os.replace(temporary, filename)
    return filename


def _export_large(image: Any, info: str | None, stem: str, pnginfo: dict[str, Any], section: str, size: int) -> None:
    """The extra JPEG of large pictures; no callback tells of it."""
    limit = opts.target_side_length
    oversize = max(image.size) > limit
    if opts.export_for_4chan and (oversize or size > opts.img_downscale_threshold * 1024 * 1024):
        if oversize:
            image = image.resize(tuple(round(x * limit / max(image.size)) for x in image.size), LANCZOS)
        try:
            _write_atomically(image, info, stem, ".jpg", pnginfo, section)
        except Exception as error:  # the host goes on without the copy
            errors.display(error, "saving image as downscaled JPG")


def read_info_from_image(image: Any) -> tuple[str | None, dict[str, Any]]:
    geninfo, items = image_text.read_info_from_image(image)
    if geninfo is None and shared.is_forge():
        geninfo = stealth_infotext.read_info_from_image_stealth(image)
    return geninfo, items


def resize_image(resize_mode: int, im: Any, width: int, height: int, upscaler_name: str | None = None) -> Any:
    """0: to the size as it is; 1: cover it and cut; 2: fit into it and fill the rest from the edges."""
    upscaler_name = upscaler_name or opts.upscaler_for_img2img
    if resize_mode == 0:
        return _resize(im, width, height, upscaler_name)
    cover = resize_mode == 1
    by_width = (width / height > im.width / im.height) == cover
    size = (width, im.height * width // im.width) if by_width else (im.width * height // im.height, height)
    resized = _resize(im, *size, upscaler_name)
    left, top = width // 2 - size[0] // 2, height // 2 - size[1] // 2
    res = Image.new("RGB", (width, height)) if cover else _resize(resized, width, height, None).convert("RGB")
    res.paste(resized, (left, top))
    return res


def _resize(im: Any, width: int, height: int, upscaler_name: str | None) -> Any:
    scale = max(width / im.width, height / im.height)
    if upscaler_name not in (None, "None") and im.mode != "L" and scale > 1.0:
        found = [x for x in shared.sd_upscalers if x.name == upscaler_name] or shared.sd_upscalers[:1]
        im = found[0].scaler.upscale(im, scale, found[0].data_path)
    return im if im.size == (width, height) else im.resize((max(width, 1), max(height, 1)), resample=LANCZOS)


def flatten(img: Any, bgcolor: str) -> Any:
    """RGB, with the colour where the picture is transparent."""
    if img.mode == "RGBA":
        background = Image.new("RGBA", img.size, bgcolor)
        background.paste(img, mask=img)
        img = background
    return img.convert("RGB")


def fix_image(image: Any) -> Any:
    return None if image is None else ImageOps.exif_transpose(image)


def read(fp: Any, **kwargs: Any) -> Any:
    return fix_image(Image.open(fp, **kwargs))


