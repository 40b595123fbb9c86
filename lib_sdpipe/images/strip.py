"""PNG, JPEG and WebP without anything but the picture: pixels' bytes, colours and how it is turned; all texts, thumbnails, notes go.

What stays is named here; what is not named goes, so that a part that nobody has heard of takes no prompt along.
"""

from __future__ import annotations

import re
import struct

from lib_sdpipe.images.edit import UnsupportedEditError, join_chunk, split_jpeg, split_png, split_webp
from lib_sdpipe.images.exif import EXIF_PREFIX, read_orientation
from lib_sdpipe.images.exif_edit import build_orientation
from lib_sdpipe.images.jpeg import APP1, END, START_OF_SCAN
from lib_sdpipe.images.png import SIGNATURE
from lib_sdpipe.images.webp import EXIF_FLAG, XMP_FLAG

# Sizes, colours, transparency and the frames of an animation (PNG, 3rd edition, 11).
PNG_COLOURS = (b"sRGB", b"gAMA", b"cHRM", b"iCCP", b"cICP", b"mDCV", b"cLLI", b"sBIT", b"pHYs")
_PNG_KEPT = frozenset((b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"acTL", b"fcTL", b"fdAT", *PNG_COLOURS))
_WEBP_KEPT = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ICCP", b"ANIM", b"ANMF"))
_APP0, _APP2, _APP14 = 0xE0, 0xE2, 0xEE
_JFIF, _ICC = b"JFIF\0", b"ICC_PROFILE\0"
# Tables, frame and scan headers, restart interval, the number of lines (T.81, table B.1).
_JPEG_CODING = frozenset((*range(0xC0, 0xD0), 0xDA, 0xDB, 0xDC, 0xDD))
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")


def strip_png(data: bytes) -> bytes:
    """Raises UnsupportedEditError, as the others here, for a damaged file."""
    chunks, _ = split_png(data)
    orientation = max((read_orientation(body) for kind, body in chunks if kind == b"eXIf"), default=1)
    kept = [(kind, body) for kind, body in chunks if kind in _PNG_KEPT]
    if orientation != 1:
        kept.insert(next(i for i, (kind, _) in enumerate(kept) if kind == b"IDAT"), (b"eXIf", build_orientation(orientation)))
    return SIGNATURE + b"".join(join_chunk(kind, body) for kind, body in kept)


def strip_jpeg(data: bytes) -> bytes:
    """Also what lies between the scans of a progressive file, and behind its end: other programs put whole pictures there."""
    orientation, kept, scan = 1, [b"\xff\xd8"], len(data)
    for marker, start, end in split_jpeg(data):
        segment = data[start:end]
        if marker == APP1 and segment[4:].startswith(EXIF_PREFIX):
            orientation = max(orientation, read_orientation(segment[4:]))
        kept.append(_strip_segment(marker, segment))
        scan = end
    if orientation != 1:
        block = EXIF_PREFIX + build_orientation(orientation)
        place = 2 if len(kept) > 1 and kept[1][1:2] == bytes((_APP0,)) else 1  # behind JFIF, as every reader wants it
        kept.insert(place, bytes((0xFF, APP1)) + struct.pack(">H", len(block) + 2) + block)
    return b"".join(kept) + _strip_scans(data, scan)


def _strip_segment(marker: int, segment: bytes) -> bytes:
    """The segment where it belongs to the picture, else nothing."""
    body = segment[4:]
    if marker in _JPEG_CODING or marker == _APP14 and body.startswith(b"Adobe") or marker == _APP2 and body.startswith(_ICC):
        return segment
    if marker == _APP0 and body.startswith(_JFIF) and len(body) >= 14:
        return bytes((0xFF, _APP0)) + struct.pack(">H", 16) + body[:12] + b"\0\0"  # without its thumbnail
    return b""


def _strip_scans(data: bytes, offset: int) -> bytes:
    """From the first scan to the end of the picture."""
    kept = []
    for _ in range(10_000):
        if data[offset:offset + 2] == END:
            return b"".join(kept) + END
        length = int.from_bytes(data[offset + 2:offset + 4], "big")
        if data[offset:offset + 1] != b"\xff" or length < 2:
            break
        marker, end = data[offset + 1], offset + 2 + length
        if marker == START_OF_SCAN:
            found = _NEXT_MARKER.search(data, end)
            if found is None:
                break
            end = found.start()
            kept.append(data[offset:end].rstrip(b"\xff") if data[end - 1:end] == b"\xff" else data[offset:end])
        else:
            kept.append(_strip_segment(marker, data[offset:end]))
        offset = end
    raise UnsupportedEditError("the file is damaged: the end of its picture is not found")


def strip_webp(data: bytes) -> bytes:
    """A file that has no header for more (VP8X) stays without one: nothing but its pixels is kept then."""
    chunks = split_webp(data[:8 + int.from_bytes(data[4:8], "little")])
    orientation = max((read_orientation(body) for kind, body in chunks if kind == b"EXIF"), default=1)
    kept = [(kind, body) for kind, body in chunks if kind in _WEBP_KEPT]
    if kept and kept[0][0] == b"VP8X":
        head = kept[0][1]
        flags = head[0] & ~(EXIF_FLAG | XMP_FLAG) | (EXIF_FLAG if orientation != 1 else 0)
        kept[0] = (b"VP8X", bytes((flags,)) + head[1:])
        if orientation != 1:
            kept.append((b"EXIF", build_orientation(orientation)))
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(chunk)) + chunk + bytes(len(chunk) % 2) for kind, chunk in kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body
