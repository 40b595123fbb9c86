"""The door through which files of anybody's making reach Pillow's decoders."""

from __future__ import annotations

import os
from typing import BinaryIO

from PIL import Image

# The largest grid that the hosts make as they come. Pillow has a limit of its own, but the hosts' X/Y/Z plot takes it off for
# the whole process.
MOST_PIXELS = 200_000_000
# What pictures are saved and sent as. Pillow knows more, and for EPS it starts another program.
_FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "AVIF", "GIF", "BMP", "DIB", "TIFF", "JPEG2000", "HEIF", "HEIC", "JXL", "JPEGXL", "QOI", "TGA",
            "PPM", "ICO", "DDS", "PSD")


def open_image(source: str | os.PathLike[str] | BinaryIO) -> Image.Image:
    """As `Image.open`, and raises as it does; DecompressionBombError also where Pillow itself would decode it."""
    Image.init()
    # Others' plugins come when somebody imports them.
    image = Image.open(source, formats=[name for name in _FORMATS if name in Image.OPEN])
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise Image.DecompressionBombError(f"{image.width} x {image.height}: more than {MOST_PIXELS // 1_000_000} million pixels")
    return image
