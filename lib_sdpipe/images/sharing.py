"""A copy of a picture for others: the same pixels, and nothing that says how, with what or where it was made. Read back and proven.

The hosts hide the infotext a second time in the pixels (Forge, by default): in alpha values of 254 and 255, which show the same.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from lib_sdpipe.images.digest import alpha_plane, pixel_sha256
from lib_sdpipe.images.edit import UnsupportedEditError, join_chunk, split_png
from lib_sdpipe.images.faults import DECODER_FAULTS
from lib_sdpipe.images.head import parse_head
from lib_sdpipe.images.opening import open_image
from lib_sdpipe.images.png import SIGNATURE
from lib_sdpipe.images.stealth import find_stealth_channels
from lib_sdpipe.images.strip import PNG_COLOURS, strip_jpeg, strip_png, strip_webp
from lib_sdpipe.images.strip_avif import strip_avif

_STRIPS = {"PNG": strip_png, "JPEG": strip_jpeg, "WEBP": strip_webp, "AVIF": strip_avif}
_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "AVIF": ".avif"}
# Shorter texts stand in any picture's bytes by chance.
_SHORTEST_SECRET = 8
_MOST_SECRETS = 24
_LONGEST_SECRET = 120
_PROFILE_LIMIT = 4 << 20


class NotSharableError(UnsupportedEditError):
    """No copy can be made of this file that is proven to be clean; the text is the reason."""


@dataclass(frozen=True)
class SharedCopy:
    """The file to give away. `is_exact` is False where a text was hidden in the colours: their lowest bits had to go."""

    data: bytes
    suffix: str
    is_exact: bool


def build_shared_copy(data: bytes, secrets: Iterable[str] = ()) -> SharedCopy:
    """A copy without any text, proven by reading it back. `secrets` are texts that must not be in it: prompts, names, paths.

    Raises NotSharableError.
    """
    head = parse_head(data)
    strip = _STRIPS.get(head.format or "")
    if strip is None:
        raise NotSharableError(f"copies are made of PNG, JPEG, WebP and AVIF; this file is {head.format or head.problem}")
    if head.problem:
        raise NotSharableError(f"the file is {head.problem}")
    try:
        stripped = strip(data)
    except UnsupportedEditError as fault:
        raise NotSharableError(str(fault)) from fault
    image = _decode(data)
    clean, is_exact = _without_hidden_text(stripped, image, head.format or "")
    _prove(clean, pixel_sha256(image) if is_exact else None, secrets)
    return SharedCopy(clean, _SUFFIXES[head.format or ""], is_exact)


def find_secrets(data: bytes, secrets: Iterable[str]) -> list[str]:
    """Those of the texts whose bytes stand somewhere in the file, as UTF-8 or UTF-16, also packed in its colour profile."""
    haystacks = [data, *_unpacked_profiles(data)]
    return [
        secret for secret in secrets
        if any(needle in haystack for needle in set(_encodings(secret)) for haystack in haystacks)
    ]


def _decode(data: bytes) -> Image.Image:
    try:
        image = open_image(io.BytesIO(data))
        image.load()
        return image
    except (MemoryError, Image.DecompressionBombError) as fault:
        raise NotSharableError("its pixels are too many to be looked at") from fault
    except DECODER_FAULTS as fault:
        raise NotSharableError("it cannot be read as an image here, so that nothing proves what is in it") from fault


# --- texts hidden in the pixels ---

def _without_hidden_text(stripped: bytes, image: Image.Image, image_format: str) -> tuple[bytes, bool]:
    """The file, and whether it shows what it did to the last bit."""
    channels = find_stealth_channels(image)
    has_near_opaque = image.mode == "RGBA" and alpha_plane(image) is None and image.getchannel("A").getextrema()[0] < 255
    if not has_near_opaque and channels is None:
        return stripped, True
    if image_format != "PNG":
        if channels is None:  # nothing says that there is a text, and making the file anew would lose more
            return stripped, True
        raise NotSharableError(f"a text is hidden in its pixels, and a {image_format} cannot be written anew without loss")
    if getattr(image, "n_frames", 1) > 1 or stripped[24] > 8:
        raise NotSharableError("a text may be hidden in its pixels, and it is animated or has 16 bits: it cannot be written anew")
    is_exact = channels != "RGB" and alpha_plane(image) is None
    return _write_png(_cleaned(image, channels, has_near_opaque), stripped), is_exact


def _cleaned(image: Image.Image, channels: str | None, has_near_opaque: bool) -> Image.Image:
    picture = image.convert("RGB") if has_near_opaque else image
    if has_near_opaque and channels != "RGB":
        return picture
    pixels = np.array(picture)
    if channels == "A" and pixels.shape[2] == 4:
        pixels[:, :, 3] = np.where(pixels[:, :, 3] >= 254, 255, pixels[:, :, 3] & 0xFE)
    else:
        pixels[:, :, :3] &= 0xFE
    return Image.fromarray(pixels)


def _write_png(picture: Image.Image, stripped: bytes) -> bytes:
    """The picture with the colour chunks of the file it comes from."""
    buffer = io.BytesIO()
    picture.info.clear()
    picture.save(buffer, "PNG", compress_level=4)  # twice as quick as the default, a few percent larger
    chunks, _ = split_png(buffer.getvalue())
    own = [chunk for chunk in split_png(stripped)[0] if chunk[0] in (*PNG_COLOURS, b"eXIf") and chunk[0] != b"sBIT"]
    return SIGNATURE + b"".join(join_chunk(*chunk) for chunk in [chunks[0], *own, *chunks[1:]])


# --- proof ---

def _prove(clean: bytes, pixels: str | None, secrets: Iterable[str]) -> None:
    image, head = _decode(clean), parse_head(clean)
    if head.problem or head.texts or head.infotext:
        raise NotSharableError("a text was still in the copy when it was read back")
    if find_stealth_channels(image) is not None:
        raise NotSharableError("a hidden text was still in the copy when it was read back")
    if pixels is not None and pixel_sha256(image) != pixels:
        raise NotSharableError("the copy did not show the same pixels when it was read back")
    if find_secrets(clean, _choose_secrets(secrets)):
        raise NotSharableError("a part of its prompt, its model or its path was still in the copy when it was read back")


def _choose_secrets(secrets: Iterable[str]) -> list[str]:
    """Long texts by the pieces that they are written in, longest first: a part of a prompt gives away as much."""
    pieces = {piece.strip()[:_LONGEST_SECRET] for secret in secrets for piece in re.split(r"[,\n]", secret[:20_000])}
    return sorted((p for p in pieces if len(p.encode("utf-8", "replace")) >= _SHORTEST_SECRET), key=len, reverse=True)[:_MOST_SECRETS]


def _encodings(secret: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "latin-1"):
        try:
            yield secret.encode(encoding)
        except UnicodeEncodeError:
            continue


def _unpacked_profiles(data: bytes) -> Iterator[bytes]:
    if not data.startswith(SIGNATURE):
        return
    for kind, body in split_png(data)[0]:
        if kind == b"iCCP":
            try:
                yield zlib.decompressobj().decompress(body.partition(b"\0")[2][1:], _PROFILE_LIMIT)
            except zlib.error:
                continue
