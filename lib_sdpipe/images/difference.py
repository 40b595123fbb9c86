"""Two image files pixel by pixel: how many pixels differ, by how much, where; and a map of it. Bounded in pixels."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import alpha_plane, rgb_pixels
from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.opening import open_image
from lib_sdpipe.images.read import open_regular

# Both pictures are in memory at once, as four bytes a pixel, beside the one that is decoded: some 500 MB.
MOST_PIXELS = 40_000_000
# The longer side of the map.
MAP_EDGE = 1280
# Two shapes are the same if, scaled, they are this close: hosts round sizes to multiples of 8.
_SAME_SHAPE = 0.01
_BAND_ROWS = 256
_SQUARES = np.arange(256, dtype=np.int64) ** 2


class IncomparableError(SdPipeError):
    """Two files cannot be compared pixel by pixel. `reason` is said of `file`, or of both where that is None."""

    def __init__(self, file: str | None, reason: str) -> None:
        super().__init__(f"{file} {reason}" if file else f"The two {reason}")
        self.file = file
        self.reason = reason


@dataclass(frozen=True)
class PixelDifference:
    """How two pictures differ. `width` and `height` are what was compared; values go from 0 to 255.

    `sizes` are the pictures' own; where they are not alike, the smaller one was enlarged. `box` is what all differences lie
    in (left, top, right, bottom; the latter two are behind it), None where there are none. `map_png`: a grey PNG, brightness =
    the largest difference of a channel; each of its pixels stands for the largest of `map_step` x `map_step`. `values` are the
    differing values of all channels, alpha too where a picture has one; `squares` is the sum of all differences squared.
    """

    width: int
    height: int
    sizes: tuple[tuple[int, int], tuple[int, int]]
    differing: int
    largest: int
    mean: float
    box: tuple[int, int, int, int] | None
    has_alpha: tuple[bool, bool]
    map_png: bytes
    map_step: int
    values: int = 0
    squares: int = 0

    @property
    def all_values(self) -> int:
        """Values that were compared: three for a pixel, four where a picture has alpha."""
        return self.width * self.height * (4 if any(self.has_alpha) else 3)

    @property
    def share(self) -> float:
        return self.differing / (self.width * self.height)


def compare_pixels(one: str, other: str) -> PixelDifference:
    """Compare two files' first frames. Raises OSError or IncomparableError; takes seconds for large files."""
    sizes = _read_size(one), _read_size(other)
    size = _common_size(sizes)
    pictures = [_load(path, size) for path in (one, other)]
    return _compare(pictures[0], pictures[1], sizes)


def compare_pictures(one: Image.Image, other: Image.Image) -> PixelDifference:
    """The same of two pictures in memory. Raises IncomparableError."""
    sizes = one.size, other.size
    if max(width * height for width, height in sizes) > MOST_PIXELS:
        most = MOST_PIXELS // 1_000_000
        raise IncomparableError(None, f"pictures are too large: more than {most} million pixels are not compared one by one")
    size = _common_size(sizes)
    try:
        pictures = [_fit(_read_pixels(picture), size) for picture in (one, other)]
    except (MemoryError, *DECODER_FAULTS) as fault:
        raise IncomparableError(None, "pictures cannot be read to their end") from fault
    return _compare(pictures[0], pictures[1], sizes)


def _read_size(path: str) -> tuple[int, int]:
    try:
        with open_regular(path) as file, open_image(file) as image:
            width, height = image.size
    except Image.DecompressionBombError as fault:
        raise IncomparableError(path, "has too many pixels to be compared one by one") from fault
    except DECODER_FAULTS as fault:
        if isinstance(fault, OSError) and fault.errno is not None:
            raise
        raise IncomparableError(path, "cannot be read as an image") from fault
    if width * height > MOST_PIXELS:
        raise IncomparableError(
            path, f"has {width}×{height} pixels: more than {MOST_PIXELS // 1_000_000} million are not compared one by one",
        )
    return width, height


def _common_size(sizes: tuple[tuple[int, int], tuple[int, int]]) -> tuple[int, int]:
    """The larger of two sizes of one shape."""
    (width, height), (other_width, other_height) = sizes
    size = max(sizes, key=lambda found: found[0] * found[1])
    if abs(width * other_height / (height * other_width) - 1) > _SAME_SHAPE:
        raise IncomparableError(
            None, f"have different shapes ({width}×{height} and {other_width}×{other_height}): their pixels do not correspond",
        )
    return size


def _load(path: str, size: tuple[int, int]) -> np.ndarray:
    try:
        with open_regular(path) as file, open_image(file) as image:
            image.load()
            pixels = _read_pixels(image)
    except (MemoryError, Image.DecompressionBombError) as fault:
        raise IncomparableError(path, "has too many pixels to be compared one by one") from fault
    except DECODER_FAULTS as fault:
        if isinstance(fault, OSError) and fault.errno is not None:
            raise
        raise IncomparableError(path, "cannot be read as an image") from fault
    return _fit(pixels, size)


def _read_pixels(image: Image.Image) -> np.ndarray:
    """8-bit RGB and alpha, shape (height, width, 4); alpha is 255 where the picture is opaque (docs/formats.md, `pixel_sha256`)."""
    pixels = np.empty((image.height, image.width, 4), np.uint8)
    for top in range(0, image.height, _BAND_ROWS):  # each way to other pixels is another copy of them
        band = image.crop((0, top, image.width, min(top + _BAND_ROWS, image.height)))
        alpha = alpha_plane(band)
        pixels[top:top + _BAND_ROWS, :, :3] = rgb_pixels(band)
        pixels[top:top + _BAND_ROWS, :, 3] = 255 if alpha is None else alpha
    return pixels


def _fit(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if size == (pixels.shape[1], pixels.shape[0]):
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, Image.LANCZOS))


def _compare(one: np.ndarray, other: np.ndarray, sizes: tuple[tuple[int, int], tuple[int, int]]) -> PixelDifference:
    height, width = one.shape[:2]
    step = -(-max(height, width) // MAP_EDGE)
    band = max(1, _BAND_ROWS // step) * step
    columns = np.zeros(width, bool)
    rows = np.zeros(height, bool)
    total = differing = largest = values = squares = 0
    strips = []
    for top in range(0, height, band):
        a, b = one[top:top + band], other[top:top + band]
        apart = np.maximum(a, b) - np.minimum(a, b)
        worst = apart.max(axis=2)
        differs = worst > 0
        rows[top:top + band] = differs.any(axis=1)
        columns |= differs.any(axis=0)
        differing += int(np.count_nonzero(differs))
        total += int(apart[:, :, :3].sum(dtype=np.int64))
        counts = np.bincount(apart[apart > 0], minlength=256)
        values += int(counts.sum())
        squares += int((counts * _SQUARES).sum())
        largest = max(largest, int(worst.max()))
        strips.append(_shrink(worst, step))
    return PixelDifference(
        width, height, sizes, differing, largest, total / (width * height * 3), _box(rows, columns),
        (bool((one[:, :, 3] < 255).any()), bool((other[:, :, 3] < 255).any())), _as_png(np.concatenate(strips)), step,
        values, squares,
    )


def _shrink(band: np.ndarray, step: int) -> np.ndarray:
    """The largest of each square: a single differing pixel stays visible."""
    if step == 1:
        return band
    rows = np.maximum.reduceat(band, np.arange(0, band.shape[0], step), axis=0)
    return np.maximum.reduceat(rows, np.arange(0, band.shape[1], step), axis=1)


def _box(rows: np.ndarray, columns: np.ndarray) -> tuple[int, int, int, int] | None:
    if not rows.any():
        return None
    across, down = np.flatnonzero(columns), np.flatnonzero(rows)
    return int(across[0]), int(down[0]), int(across[-1]) + 1, int(down[-1]) + 1


def _as_png(grey: np.ndarray) -> bytes:
    data = io.BytesIO()
    Image.fromarray(grey).save(data, "PNG", compress_level=3)
    return data.getvalue()
