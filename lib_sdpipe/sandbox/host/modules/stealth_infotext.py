"""Forge: the infotext of a PNG once more, in the lowest bit of its alpha, column by column."""

from __future__ import annotations

import gzip
import struct

import numpy as np
from PIL import Image

from modules import script_callbacks, shared
from modules.shared import opts

_STEALTH = b"stealth_pngcomp"


def add_stealth_pnginfo(params: script_callbacks.ImageSaveParams) -> None:
    """Changes the picture in place."""
    if not shared.is_forge() or opts.stealth_pnginfo_option != "Alpha":
        return
    if not params.filename.endswith(".png") or "parameters" not in params.pnginfo:
        return
    text, image = str(params.pnginfo["parameters"]), params.image
    packed = gzip.compress(text.encode(), mtime=0)
    message = _STEALTH + struct.pack(">I", len(packed) * 8) + packed
    bits = np.unpackbits(np.frombuffer(message, dtype=np.uint8))[: image.width * image.height]
    alpha = np.full((image.width, image.height), 255, dtype=np.uint8)
    alpha.reshape(-1)[: len(bits)] = 254 | bits
    image.putalpha(Image.fromarray(np.ascontiguousarray(alpha.T)))


def read_info_from_image_stealth(image: Image.Image) -> str | None:
    if image.mode != "RGBA":
        return None
    packed = np.packbits(np.asarray(image.getchannel("A")).T.reshape(-1) & 1).tobytes()
    if not packed.startswith(_STEALTH):
        return None
    start = len(_STEALTH) + 4
    size = struct.unpack(">I", packed[start - 4: start])[0] // 8
    try:
        return gzip.decompress(packed[start: start + size]).decode()
    except (OSError, EOFError, UnicodeDecodeError):
        return None
