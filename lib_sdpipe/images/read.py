"""Reading an image file: its facts for the manifest, its infotext. Text is read with a size limit."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import stat
from dataclasses import dataclass
from typing import Any, BinaryIO

from PIL import Image, UnidentifiedImageError, features

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.images.digest import decoder_name, perceptual_hash, pixel_sha256
from lib_sdpipe.images.exif import EXIF_IFD, INFOTEXT_LIMIT, USER_COMMENT, decode_user_comment
from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.opening import open_image


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


# A pipe that lies among the pictures must not be waited for.
_NO_WAITING = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


class UnreadableImageError(SdPipeError):
    """A file is truncated or no image. `reason` is the text without the file's name."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.reason = reason


class UndecodableImageError(UnreadableImageError):
    """Nothing says that the file is damaged: its pixels cannot be had here. No decoder of its format, or too many pixels."""


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading; raises OSError, also for what is none: a pipe, a device, a socket."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | _NO_WAITING))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise OSError(errno.EINVAL, "no regular file", os.fspath(path))
    return file


def read_image(path: str) -> tuple[PictureFacts, Image.Image]:
    """The file's facts and its decoded first frame; raises OSError, or UnreadableImageError for a broken file."""
    with open_regular(path) as file:
        data = file.read()
    return _decode(path, io.BytesIO(data), data)


def read_pixels(path: str, file: BinaryIO) -> PictureFacts:
    """The facts of an open file's picture, without those of its bytes; raises as `read_image`."""
    return _decode(path, file, None)[0]


def _decode(path: str, file: BinaryIO, data: bytes | None) -> tuple[PictureFacts, Image.Image]:
    try:
        image = open_image(file)
        image.load()
        return build_facts(image, data), image
    except (MemoryError, Image.DecompressionBombError) as fault:
        raise UndecodableImageError(path, f"not a readable image here: its pixels are too many ({fault})") from fault
    except DECODER_FAULTS as fault:  # of a kind that cannot be shown as RGB, too
        file.seek(0)
        missing = _missing_decoder(file.read(16))
        if missing is not None:
            raise UndecodableImageError(path, f"not a readable image here: this Pillow has no decoder for {missing}") from fault
        what = "no kind that is known" if isinstance(fault, UnidentifiedImageError) else str(fault) or type(fault).__name__
        raise UnreadableImageError(path, f"not a readable image ({what})") from fault


def _missing_decoder(start: bytes) -> str | None:
    """The format that a file claims by its first bytes, where Pillow may read it elsewhere but not here."""
    image_format = None
    if start[4:8] == b"ftyp":
        image_format = "AVIF" if start[8:12] in (b"avif", b"avis") else "HEIF"
    elif start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        image_format = "WEBP"
    elif start[:2] == b"\xff\x0a" or start[:12] == b"\0\0\0\x0cJXL \r\n\x87\n":
        image_format = "JXL"
    if image_format is None or _can_decode(image_format):
        return None
    return image_format


def _can_decode(image_format: str) -> bool:
    native = image_format.lower()
    if native in features.modules and features.check(native):
        return True
    Image.init()
    # A plugin of somebody else's; Pillow's own stand there even where they were built without their library.
    opener = Image.OPEN.get(image_format)
    return opener is not None and not getattr(opener[0], "__module__", "PIL.").startswith("PIL.")


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
