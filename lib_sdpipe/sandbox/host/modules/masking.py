"""Regions of inpainting masks."""

from __future__ import annotations

from PIL import Image, ImageFilter

Box = tuple[int, int, int, int]


def get_crop_region_v2(mask: Image.Image, pad: int = 0) -> Box | None:
    """The padded box round everything masked, or None if nothing is."""
    box = mask.getbbox()
    if box is None:
        return None
    return (max(box[0] - pad, 0), max(box[1] - pad, 0), min(box[2] + pad, mask.width), min(box[3] + pad, mask.height))


def _widen(low: int, high: int, wanted: int, limit: int) -> tuple[int, int]:
    extra = max(wanted - (high - low), 0)
    low = min(max(low - extra // 2, 0), max(limit - (high - low) - extra, 0))
    return low, min(low + max(wanted, high - low), limit) if extra else high


def expand_crop_region(crop_region: Box, processing_width: int, processing_height: int, image_width: int,
                       image_height: int) -> Box:
    """Widen the box, inside the image, to the proportions that it is processed in."""
    x1, y1, x2, y2 = crop_region
    ratio = processing_width / processing_height
    if (x2 - x1) / (y2 - y1) > ratio:
        y1, y2 = _widen(y1, y2, int((x2 - x1) / ratio), image_height)
    else:
        x1, x2 = _widen(x1, x2, int((y2 - y1) * ratio), image_width)
    return x1, y1, x2, y2


def fill(image: Image.Image, mask: Image.Image) -> Image.Image:
    """Fill the masked part with the colours around it."""
    around = image.convert("RGB").resize((8, 8)).resize(image.size).filter(ImageFilter.GaussianBlur(8))
    return Image.composite(around, image.convert("RGB"), mask.convert("L"))
