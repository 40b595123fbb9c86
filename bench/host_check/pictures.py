"""Pictures that are sent, and what a picture shows: the digest of docs/formats.md, written again from its words."""

from __future__ import annotations

import base64
import hashlib
import io
import random
import struct

from PIL import Image, ImageChops, ImageDraw, ImageStat
from PIL.PngImagePlugin import PngInfo

IMAGE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".avif"}
LOSSLESS = {"PNG"}


def pixel_digest(image: Image.Image) -> str:
    digest = hashlib.sha256(struct.pack(">II", *image.size) + image.convert("RGB").tobytes())
    if "A" in image.getbands():
        alpha = image.getchannel("A")
        if alpha.getextrema()[0] < 254:
            digest.update(alpha.tobytes())
    return digest.hexdigest()


def decode(encoded: str) -> Image.Image:
    image = Image.open(io.BytesIO(base64.b64decode(encoded.split(",", 1)[-1])))
    image.load()
    return image


def encode(image: Image.Image, text: str | None = None) -> str:
    info, buffer = PngInfo(), io.BytesIO()
    if text is not None:
        info.add_itxt("parameters", text)
    image.save(buffer, "PNG", pnginfo=info)
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def random_picture(rng: random.Random, width: int, height: int, mode: str = "RGB") -> Image.Image:
    """Soft colours with noise: no two alike, also not to a perceptual hash."""
    soft = Image.frombytes("RGB", (8, 8), rng.randbytes(192)).resize((width, height), Image.BICUBIC)
    noisy = Image.blend(soft, Image.frombytes("RGB", (width, height), rng.randbytes(3 * width * height)), 0.1)
    if mode == "RGBA":
        noisy.putalpha(Image.frombytes("L", (8, 8), rng.randbytes(64)).resize((width, height)))
    return noisy


def random_mask(rng: random.Random, width: int, height: int) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    left, top = rng.randrange(width // 3), rng.randrange(height // 3)
    ImageDraw.Draw(mask).rectangle((left, top, left + width // 2, top + height // 2), fill=255)
    return mask


def brighten(image: Image.Image) -> Image.Image:
    """Every channel by one: what a canvas may do to a picture."""
    return image.convert("RGB").point(lambda value: min(value + 1, 255))


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of the channels; 255 where the sizes differ."""
    if one.size != other.size:
        return 255.0
    return sum(ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean) / 3
