"""The three digests of a picture (docs/formats.md): of the file, of what it shows, of what it looks like. Never mixed."""

from __future__ import annotations

import hashlib
import struct
import sys
from functools import lru_cache

import numpy as np
from PIL import Image, features
from PIL import __version__ as pillow_version

# Forge hides its infotext in alpha values 254 and 255, so alpha counts only where it is really transparent.
_OPAQUE = 254
_PERCEPTUAL_VERSION = 1
_LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
_LUMA_STEP = 2.0
_CELLS = 64
_MOST_CELL_DIFFERENCE = 4.0
_CLEAR_CELL_DIFFERENCE = 24
_MOST_CLEAR_CELLS = 0.01
_NATIVE_DECODERS = {"JPEG": "jpg", "WEBP": "webp", "AVIF": "avif"}


def rgb_pixels(image: Image.Image) -> np.ndarray:
    """The first frame as 8-bit RGB, shape (height, width, 3); 16-bit is taken as the high byte."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I"):
        grey = (np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    return np.asarray(image.convert("RGB"))


def alpha_plane(image: Image.Image) -> np.ndarray | None:
    """8-bit alpha, shape (height, width), or None where the picture is opaque."""
    if image.mode not in ("RGBA", "LA", "PA", "RGBa", "La") and "transparency" not in image.info:
        return None
    alpha = np.asarray(image.convert("RGBA").getchannel("A"))
    return alpha if (alpha < _OPAQUE).any() else None


def pixel_sha256(image: Image.Image) -> str:
    """64 hex digits over width and height (32-bit big-endian), the RGB rows, then alpha if any value is below 254."""
    digest = hashlib.sha256(struct.pack(">II", image.width, image.height))
    digest.update(np.ascontiguousarray(rgb_pixels(image)))
    alpha = alpha_plane(image)
    if alpha is not None:
        digest.update(np.ascontiguousarray(alpha))
    return digest.hexdigest()


def perceptual_hash(image: Image.Image) -> str:
    """`1:<64 hex>:<96 hex>`: 16 x 16 brightness steps from left to right, then the mean RGB of 4 x 4 tiles."""
    rgb = rgb_pixels(image).astype(np.float32)
    rows = np.tensordot(_box_weights(image.height, 16), rgb, axes=1)
    luma = np.tensordot(_box_weights(image.width, 17), rows @ _LUMA_WEIGHTS, axes=(1, 1)).T
    bits = (luma[:, 1:] - luma[:, :-1]) > _LUMA_STEP
    tile_rows = rows.reshape(4, 4, image.width, 3).mean(axis=1)
    tiles = np.tensordot(_box_weights(image.width, 4), tile_rows, axes=(1, 1)).swapaxes(0, 1)
    colours = np.rint(tiles).clip(0, 255).astype(np.uint8)
    return f"{_PERCEPTUAL_VERSION}:{np.packbits(bits).tobytes().hex()}:{colours.tobytes().hex()}"


def near_pixel_difference(one: Image.Image, other: Image.Image, tolerance: int = 2) -> float | None:
    """The mean difference of all channels, of 0 to 255; None where the sizes differ or any value by more than `tolerance`."""
    if one.size != other.size:
        return None
    difference = np.abs(rgb_pixels(one).astype(np.int16) - rgb_pixels(other).astype(np.int16))
    return float(difference.mean()) if difference.max() <= tolerance else None


def is_scaled_copy(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures of any size show the same but for scaling and lossy saving: compared in 64 x 64 cells.

    A detail may differ; a perceptual hash that nearly matches is confirmed by it.
    """
    cells = [np.asarray(Image.fromarray(rgb_pixels(each)).resize((_CELLS, _CELLS), Image.BOX), np.int16) for each in (one, other)]
    difference = np.abs(cells[0] - cells[1]).max(axis=2)
    return bool(difference.mean() <= _MOST_CELL_DIFFERENCE and (difference > _CLEAR_CELL_DIFFERENCE).mean() <= _MOST_CLEAR_CELLS)


@lru_cache(maxsize=16)
def decoder_name(image_format: str | None) -> str:
    """What turned the bytes into pixels; for lossy formats another decoder can give other pixels."""
    native = _NATIVE_DECODERS.get(image_format or "")
    version = features.version(native) if native in {*features.modules, *features.codecs} and features.check(native) else None
    if image_format == "JPEG" and features.check_feature("libjpeg_turbo"):
        native, version = "libjpeg_turbo", features.version_feature("libjpeg_turbo")
    plugin = sys.modules.get("pillow_avif")  # how hosts with an older Pillow read AVIF
    if image_format == "AVIF" and version is None and plugin is not None:
        native, version = "pillow-avif-plugin", getattr(plugin, "__version__", None)
    return f"Pillow {pillow_version}" + (f", {native} {version}" if version else "")


@lru_cache(maxsize=64)
def _box_weights(length: int, boxes: int) -> np.ndarray:
    """Shape (boxes, length): each row averages one of equal boxes whose edges may cut pixels, by the exact share."""
    edges = np.linspace(0, length, boxes + 1)
    pixels = np.arange(length)
    shares = np.minimum(edges[1:, None], pixels + 1) - np.maximum(edges[:-1, None], pixels)
    return (shares.clip(0, None) * (boxes / length)).astype(np.float32)
