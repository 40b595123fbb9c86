"""What is fuzzed: each takes one input and raises only what it documents; anything else is a finding."""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from lib_sdpipe.errors import RecordError
from lib_sdpipe.images.edit import UnsupportedEditError, edit_infotext
from lib_sdpipe.images.head import parse_head, read_head
from lib_sdpipe.images.read import UnreadableImageError, read_image, read_infotext
from lib_sdpipe.images.stealth import read_stealth_infotext
from lib_sdpipe.manifest.codec import format_json, parse_manifest, parse_run
from lib_sdpipe.manifest.infotext import parse_hashes, parse_infotext

Target = Callable[[bytes, random.Random], None]
# Which inputs each target gets, and how often among a hundred.
SHARES: dict[str, tuple[tuple[str, ...], int]] = {
    "head": (("PNG", "JPEG", "WEBP", "AVIF"), 34),
    "edit": (("PNG", "JPEG", "WEBP"), 22),
    "file": (("PNG", "JPEG", "WEBP", "AVIF"), 4),
    "stealth": (("stealth",), 8),
    "manifest": (("manifest",), 10),
    "run": (("run",), 8),
    "infotext": (("infotext",), 14),
}


def targets(folder: Path) -> dict[str, Target]:
    """By name; `folder` holds the one file that is written over and over."""
    path = str(folder / "picture")

    def fuzz_file(data: bytes, rng: random.Random) -> None:
        """Readers of files: both heads agree, and Pillow's faults become ours."""
        with open(path, "wb") as file:
            file.write(data)
        head = read_head(path, rng.choice((None, len(data))))
        if head != parse_head(data):
            raise AssertionError("a file and its bytes have other heads")
        if head.width and head.height and head.width * head.height > 1 << 20 or rng.random() < 0.5:
            return  # Pillow's own cost is not ours
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                _, image = read_image(path)
                read_infotext(image)
        except UnreadableImageError:
            return

    return {
        "head": fuzz_head, "edit": fuzz_edit, "file": fuzz_file, "stealth": fuzz_stealth,
        "manifest": fuzz_manifest, "run": fuzz_run, "infotext": fuzz_infotext,
    }


def fuzz_head(data: bytes, rng: random.Random) -> None:
    head = parse_head(data)
    if sum(map(len, head.texts.values())) > 32 << 20:
        raise AssertionError("more text than the limit")


def fuzz_edit(data: bytes, rng: random.Random) -> None:
    """Removing twice is removing once; what was set is read; what was set can be changed again."""
    text = rng.choice((None, "x", "a longer text, \u591c " * 9))
    try:
        edited = edit_infotext(data, text)
    except UnsupportedEditError:
        return
    head = parse_head(edited)
    if head.infotext != text or head.problem:
        raise AssertionError(f"edited to {head.infotext!r}, {head.problem}")
    if edit_infotext(edited, text) != edited:
        raise AssertionError("a second edit changes more")


def fuzz_stealth(data: bytes, rng: random.Random) -> None:
    height = rng.choice((1, 7, 40, 64, 400))
    channels = 4 if data[8:11] == b"png" or rng.random() < 0.2 else 3
    planes = 1 if channels == 4 and data[8:11] == b"png" else 3
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    width = -(-max(bits.size, 1) // (height * planes))
    columns = np.full(width * height * planes, 254, np.uint8)
    columns[:bits.size] |= bits
    pixels = np.full((height, width, channels), 254, np.uint8)
    pixels[:, :, channels - planes if planes == 1 else 0:][:, :, :planes] = columns.reshape(width, height, planes).swapaxes(0, 1)
    read_stealth_infotext(Image.fromarray(pixels))


def fuzz_manifest(data: bytes, rng: random.Random) -> None:
    _parse_twice(parse_manifest, data)


def fuzz_run(data: bytes, rng: random.Random) -> None:
    _parse_twice(parse_run, data)


def _parse_twice(parse: Callable[..., object], data: bytes) -> None:
    """What can be read can be written, and is read again as the same."""
    try:
        record = parse(data, "x.json")
    except RecordError:
        return
    written = format_json(record.to_json())  # type: ignore[attr-defined]
    if format_json(parse(written, "y.json").to_json()) != written:  # type: ignore[attr-defined]
        raise AssertionError("what was written reads otherwise")


def fuzz_infotext(data: bytes, rng: random.Random) -> None:
    text = data.decode("utf-8", rng.choice(("replace", "surrogateescape")))
    found = parse_infotext(text)
    parse_hashes(found.parameters.get("Lora hashes") or text)
    _ = found.seed, found.run_id, found.integer("Steps")
