"""Small image files for tests that look at folders, not at pixels."""

from __future__ import annotations

from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def write_png(path: Path, infotext: str | None, size: int = 8, colour: int = 0) -> Path:
    """A one-coloured PNG with the host's text; the folder is made."""
    info = PngInfo()
    if infotext is not None:
        info.add_text("parameters", infotext)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (size, size), (colour % 256, colour // 256 % 256, 7)).save(path, pnginfo=info)
    return path
