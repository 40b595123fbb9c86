"""Reading an image file: its facts for the manifest, its infotext. Text is read with a size limit."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import decoder_name, perceptual_hash, pixel_sha256
from lib_sdpipe.images.exif import EXIF_IFD, INFOTEXT_LIMIT, USER_COMMENT, decode_user_comment
from lib_sdpipe.images.faults import DECODER_FAULTS


@dataclass(frozen=True)
class PictureFacts:
    """The manifest's `image` block: `format`, `bytes` and `sha256` are None for a picture that has no file."""

    width: int
    height: int
    format: str | None
    mode: str
    bytes: int | None
    sha256: str | None
    pixel_sha256: str
    perceptual_hash: str
    decoder: str


class UnreadableImageError(SdPipeError):
    """A file is truncated or no image."""


def read_image(path: str) -> tuple[PictureFacts, Image.Image]:
    """The file's facts and its decoded first frame; raises OSError, or UnreadableImageError for a broken file."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        image = Image.open(io.BytesIO(data))
        image.load()
    except DECODER_FAULTS as fault:
        raise UnreadableImageError(f"{path}: not a readable image ({fault})") from fault
    except (MemoryError, Image.DecompressionBombError) as fault:
        raise UnreadableImageError(f"{path}: not a readable image here: its pixels are too many ({fault})") from fault
    try:
        return build_facts(image, data), image
    except (OSError, ValueError) as fault:  # a picture of a kind that cannot be shown as RGB
        raise UnreadableImageError(f"{path}: not a readable image ({fault})") from fault
    except MemoryError as fault:
        raise UnreadableImageError(f"{path}: not a readable image here: its pixels are too many") from fault


def build_facts(image: Image.Image, data: bytes | None) -> PictureFacts:
    """Facts of a decoded picture; `data` are its file's bytes, None for a picture that has no file."""
    return PictureFacts(
        width=image.width,
        height=image.height,
        format=image.format if data is not None else None,
        mode=image.mode,
        bytes=len(data) if data is not None else None,
        sha256=hashlib.sha256(data).hexdigest() if data is not None else None,
        pixel_sha256=pixel_sha256(image),
        perceptual_hash=perceptual_hash(image),
        decoder=decoder_name(image.format if data is not None else None),
    )


def read_infotext(image: Image.Image) -> str | None:
    """The generation parameters a host wrote: PNG text `parameters`, else the EXIF user comment (JPEG, WebP, AVIF)."""
    text = image.info.get("parameters")
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not isinstance(text, str):
        text = decode_user_comment(_user_comment(image))
    return text[:INFOTEXT_LIMIT] if text else None


def _user_comment(image: Image.Image) -> Any:
    if not image.info.get("exif"):
        return None
    try:
        return image.getexif().get_ifd(EXIF_IFD).get(USER_COMMENT)
    except DECODER_FAULTS:
        return None  # damaged EXIF: no text, the picture itself is still fine
