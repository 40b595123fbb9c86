"""Small pictures for lists: made once, capped in size and number. They stand under a key of the file's place, size and time."""

from __future__ import annotations

import contextlib
import io
import os
import secrets
from pathlib import Path

from PIL import Image

from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.opening import open_image

EDGE = 320
_QUALITY = 82
# In each of the 256 folders; at 15 kB a thumbnail all together are at most about 0.8 GB. Beyond it the oldest go.
_MOST_A_FOLDER = 200
_GONE_AT_ONCE = 50


def encode_small(picture: Image.Image) -> bytes:
    """A decoded picture as a thumbnail's bytes; the picture itself stays as it is.

    Raises OSError or ValueError for a kind of pixels that cannot be shown.
    """
    small = picture.copy()
    small.thumbnail((EDGE, EDGE))
    written = io.BytesIO()
    small.convert("RGB").save(written, "WEBP", quality=_QUALITY)
    return written.getvalue()


def ensure_thumbnail(source: Path, folder: Path, key: str) -> Path | None:
    """The thumbnail of `source` in `folder`, at most 320 pixels on the longer side; None for an unreadable image."""
    target = folder / key[:2] / f"{key}.webp"
    if target.exists():
        return target
    try:
        with open_image(source) as image:
            image.draft("RGB", (EDGE * 2, EDGE * 2))
            image.thumbnail((EDGE, EDGE))
            small = image.convert("RGB")
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
        small.save(temporary, "WEBP", quality=_QUALITY)
        os.replace(temporary, target)
        _thin(target.parent)
    except (*DECODER_FAULTS, MemoryError, Image.DecompressionBombError):
        return None
    return target


def _thin(folder: Path) -> None:
    """Who still looks at one of those that went has it made again."""
    names = os.listdir(folder)
    if len(names) <= _MOST_A_FOLDER:
        return
    with contextlib.suppress(OSError):  # another process thins it, too
        for file in sorted((folder / name for name in names), key=lambda file: file.stat().st_mtime_ns)[:_GONE_AT_ONCE]:
            file.unlink()
