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
from tests.images.pictures import comment_exif
from tests.images.test_stealth import hide, message

INFOTEXT = (
    "a lighthouse\nNegative prompt: bad\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 7, Size: 64x48, Model: tiny, Version: 1.10.1"
)


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


def write_exif(path: Path, comment: str) -> Path:
    """JPEG, WebP or AVIF with a user comment, as its suffix says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    make_picture().save(path, exif=comment_exif(comment))
    return path


def write_tags(path: Path, tags: dict[int, str]) -> Path:
    """A JPEG or WebP with EXIF texts in its first directory."""
    exif = Image.Exif()
    exif.update(tags)
    make_picture().save(path, exif=exif.tobytes())
    return path


def write_stealth(path: Path, text: str) -> Path:
    """A PNG with text hidden in its alpha, and none beside it."""
    hide(make_picture(size=(64, 64)), message("stealth_pngcomp", gzip.compress(text.encode())), "A").save(path)
    return path


def record_of(path: Path) -> dict[str, Any]:
    """The manifest's `image` block of a file."""
    return asdict(read_image(str(path))[0])
