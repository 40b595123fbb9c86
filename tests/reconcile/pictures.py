"""Pictures of every format with texts in them, as hosts and other programs write them, and the records of such pictures."""

from __future__ import annotations

import gzip
import random
from dataclasses import asdict
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.read import read_image

INFOTEXT = "a lighthouse\nNegative prompt: bad\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 64x48, Model: tiny, Version: 1.10.1"


def make_picture(seed: int = 1, mode: str = "RGB", size: tuple[int, int] = (64, 48)) -> Image.Image:
    noise = random.Random(seed).randbytes(size[0] * size[1] * 3)
    return Image.frombytes("RGB", size, noise).convert(mode)


def write_png(path: Path, texts: dict[str, str] | None = None, picture: Image.Image | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    info = PngInfo()
    for name, text in (texts or {}).items():
        info.add_itxt(name, text)
    (picture or make_picture()).save(path, pnginfo=info)
    return path


def write_exif(path: Path, comment: str, **tags: str) -> Path:
    """JPEG, WebP or AVIF with a user comment, and other tags by their numbers as `t271`."""
    exif = Image.Exif()
    for name, text in tags.items():
        exif[int(name[1:])] = text
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + comment.encode("utf-16-be")
    exif[0x8769] = dict(exif.get_ifd(0x8769))
    make_picture().save(path, exif=exif.tobytes())
    return path


def write_stealth(path: Path, text: str) -> Path:
    """A PNG with text hidden in its alpha, column by column, and none beside it."""
    packed = gzip.compress(text.encode())
    data = b"stealth_pngcomp" + (len(packed) * 8).to_bytes(4, "big") + packed
    bits = [byte >> shift & 1 for byte in data for shift in range(7, -1, -1)]
    picture = make_picture(mode="RGBA", size=(64, 64))
    for number, bit in enumerate(bits):
        place = divmod(number, picture.height)
        red, green, blue, _ = picture.getpixel(place)
        picture.putpixel(place, (red, green, blue, 254 | bit))
    picture.save(path)
    return path


def record_of(path: Path) -> dict[str, Any]:
    """The manifest's `image` block of a file."""
    return asdict(read_image(str(path))[0])
