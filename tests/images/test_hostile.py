"""Files of a megabyte that are made to take long or to eat memory, one for each loop of the readers and the editor."""

from __future__ import annotations

import struct
import tracemalloc
import zlib

import pytest

from lib_sdpipe.images.edit import UnsupportedEditError, edit_infotext
from lib_sdpipe.images.head import parse_head
from tests.images.pictures import chunk, host_file
from tests.pace import assert_quick

MB = 1 << 20
PNG, JPEG, WEBP = (host_file(name, None) for name in ("PNG", "JPEG", "WEBP"))
AVIF = b"\0\0\0\x18ftypavif\0\0\0\0avifmif1"


def png_with(kind: bytes, body: bytes) -> bytes:
    one = chunk(kind, body)
    return PNG[:33] + one * min(MB // len(one), 9_000) + PNG[33:]


def webp_with_exif(block: bytes) -> bytes:
    body = b"WEBPVP8X\x0a\0\0\0\x08\0\0\0" + bytes(6) + WEBP[12:] + b"EXIF" + struct.pack("<I", len(block)) + block + bytes(len(block) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    packed = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return b"MM\0*" + struct.pack(">IH", 8, len(entries)) + packed


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body) + 8) + kind + body


def avif_with_places(iloc: bytes) -> bytes:
    exif = box(b"infe", b"\2\0\0\0\0\2\0\0Exif")
    return AVIF + box(b"meta", bytes(4) + box(b"iinf", b"\0\0\0\0\0\1" + exif) + box(b"iloc", iloc))


EVERY_TAG = [(tag, 4, 1, 8) if tag in (0x8769, 0x8825) else (tag, 1, 1, 0) for tag in range(60_000)]
FILES = {
    "png parts": PNG[:33] + chunk(b"prVt", b"") * (MB // 12) + PNG[33:],
    "png parts behind the pixels": PNG[:-12] + chunk(b"prVt", b"") * (MB // 12) + PNG[-12:],
    "png texts": png_with(b"tEXt", b"a\0b"),
    "png bombs": png_with(b"zTXt", b"a\0\0" + zlib.compress(bytes(MB))),
    "png broken bombs": png_with(b"zTXt", b"a\0\0" + zlib.compress(bytes(MB))[:-60] + b"xxxxxx"),
    "png bombs that are no utf-8": png_with(b"iTXt", b"a\0\1\0\0\0" + zlib.compress(b"\xff" * MB)),
    "png exif": png_with(b"eXIf", directory([(0x010F, 2, 2, 100)] * 65_535) + bytes(100_000)),
    "exif that names one long text often": webp_with_exif(directory([(0x010F, 2, MB // 4, 100)] * 65_535) + bytes(MB // 4)),
    "exif of every tag": webp_with_exif(directory(EVERY_TAG)),
    "exif prefixes": webp_with_exif(b"Exif\0\0" * (MB // 6)),
    "webp parts": webp_with_exif(b"x")[:-10] + b"JUNK\0\0\0\0" * (MB // 8),
    "jpeg comments": JPEG[:2] + b"\xff\xfe\0\2" * (MB // 4) + JPEG[2:],
    "jpeg fill": JPEG[:2] + b"\xff" * MB + JPEG[2:],
    "jpeg junk": JPEG[:2] + (b"\xff\0" * 30_000 + b"\xff\xfe\0\2") * 17 + JPEG[2:],
    "jpeg exif": JPEG[:2] + (b"\xff\xe1\xff\xffExif\0\0" + bytes(0xFFFF - 8)) * 16 + JPEG[2:],
    "jpeg without end": JPEG[:-2] + b"\xff\0" * (MB // 2),
    "avif boxes": AVIF + b"\0\0\0\x08free" * (MB // 8),
    "avif places": avif_with_places(b"\0\0\0\0\0\0\xff\xff" + bytes(MB - 300)),
    "avif pieces": avif_with_places(b"\2\0\0\0\0\0\xff\xff\xff\xff" + b"\0\0\0\1\0\0\0\0\xff\xff" * (MB // 12)),
}


@pytest.mark.parametrize("name", FILES)
def test_a_megabyte_made_to_be_slow_is_read_and_edited_or_refused_at_once(name: str) -> None:
    data = FILES[name]

    def read_and_edit() -> None:
        parse_head(data)
        try:
            edit_infotext(data, "text")
        except UnsupportedEditError:
            pass

    assert_quick(read_and_edit, seconds=1)


@pytest.mark.parametrize("name", ["png bombs", "exif that names one long text often", "jpeg exif", "avif places"])
def test_no_megabyte_takes_64(name: str) -> None:
    tracemalloc.start()
    try:
        parse_head(FILES[name])
        edit_infotext(FILES[name], "text")
    except UnsupportedEditError:
        pass
    finally:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 64 * MB
