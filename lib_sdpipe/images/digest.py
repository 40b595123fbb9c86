"""The three digests of a picture (DESIGN §1): of the file, of what it shows, of what it looks like. Never mixed."""

from __future__ import annotations

import hashlib
import struct
from functools import lru_cache

import numpy as np
from PIL import Image, features
from PIL import __version__ as pillow_version

# Forge hides its infotext in alpha values 254 and 255, so alpha counts only where it is really transparent.
_OPAQUE = 254
_PERCEPTUAL_VERSION = 1
_LUMA_WEIGHTS = np.array([0.299, 0.587, 0.114])
_LUMA_STEP = 2.0
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
    rgb = rgb_pixels(image).astype(np.float64)
    luma = _box_average(rgb @ _LUMA_WEIGHTS, rows=16, columns=17)
    bits = (luma[:, 1:] - luma[:, :-1]) > _LUMA_STEP
    tiles = np.stack([_box_average(rgb[:, :, c], rows=4, columns=4) for c in range(3)], axis=2)
    colours = np.rint(tiles).clip(0, 255).astype(np.uint8)
    return f"{_PERCEPTUAL_VERSION}:{np.packbits(bits).tobytes().hex()}:{colours.tobytes().hex()}"


def are_near_pixels(one: Image.Image, other: Image.Image, tolerance: int = 2) -> bool:
    """Same size, and every channel of every pixel within `tolerance` of 0 to 255."""
    if one.size != other.size:
        return False
    difference = rgb_pixels(one).astype(np.int16) - rgb_pixels(other).astype(np.int16)
    return bool(np.abs(difference).max() <= tolerance)


@lru_cache(maxsize=16)
def decoder_name(image_format: str | None) -> str:
    """What turned the bytes into pixels; for lossy formats another decoder can give other pixels."""
    native = _NATIVE_DECODERS.get(image_format or "")
    version = features.version(native) if native and features.check(native) else None
    if image_format == "JPEG" and features.check_feature("libjpeg_turbo"):
        native, version = "libjpeg_turbo", features.version_feature("libjpeg_turbo")
    return f"Pillow {pillow_version}" + (f", {native} {version}" if version else "")


def _box_average(plane: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Mean over `rows` x `columns` boxes whose edges may cut pixels: exact area weights, any picture size."""
    return _box_average_rows(_box_average_rows(plane, rows).T, columns).T


def _box_average_rows(plane: np.ndarray, boxes: int) -> np.ndarray:
    # The integral of a step function is linear between pixel edges, so box sums are differences of interpolated
    # cumulative sums: no loop over pixels, and boxes smaller than a pixel work too.
    height = plane.shape[0]
    sums = np.concatenate([np.zeros((1, plane.shape[1])), np.cumsum(plane, axis=0)])
    edges = np.linspace(0, height, boxes + 1)
    whole = np.minimum(edges.astype(int), height - 1)
    part = (edges - whole)[:, None]
    at_edges = sums[whole] + part * plane[whole]
    return (at_edges[1:] - at_edges[:-1]) * (boxes / height)
