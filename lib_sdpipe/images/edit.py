"""Setting, replacing or removing the host's infotext in a file's bytes, without loss: the pixels' bytes and all other data stay.

PNG: the text `parameters`. JPEG and WebP: the user comment in the EXIF block. Forge's stealth copy lies in the pixels and stays.
"""

from __future__ import annotations

import struct
import zlib

from lib_sdpipe.images.exif import EXIF_PREFIX, INFOTEXT_LIMIT, encode_user_comment, read_exif_texts
from lib_sdpipe.images.exif_edit import UnsupportedEditError, build_exif, set_user_comment
from lib_sdpipe.images.head import parse_head
from lib_sdpipe.images.jpeg import APP1, BARE_MARKERS, START_OF_SCAN
from lib_sdpipe.images.png import SIGNATURE, TEXT_CHUNKS
from lib_sdpipe.images.webp import ALPHA_FLAG, EXIF_FLAG, canvas_size

__all__ = ["UnsupportedEditError", "edit_infotext", "join_chunk", "split_jpeg", "split_png", "split_webp"]

_KEYWORD = b"parameters"
_SEGMENT_LIMIT = 0xFFFF - 2
_APP0, _APP2 = 0xE0, 0xE2

Chunk = tuple[bytes, bytes]


def edit_infotext(data: bytes, infotext: str | None) -> bytes:
    """The same file with `infotext` as the host would have written it; None removes it.

    Raises UnsupportedEditError, whose text gives the reason, for other formats, damaged files, and texts that do not fit.
    """
    head = parse_head(data)
    edit = {"PNG": _edit_png, "JPEG": _edit_jpeg, "WEBP": _edit_webp}.get(head.format or "")
    if edit is None:
        raise UnsupportedEditError(f"text can be changed in PNG, JPEG and WebP; this file is {head.format or head.problem}")
    if head.problem:
        raise UnsupportedEditError(f"the file is {head.problem}")
    if infotext is not None:
        _check_text(infotext)
    edited = edit(data, infotext)
    if parse_head(edited).infotext != infotext:
        raise UnsupportedEditError("the text would not be read back as it is")
    return edited


def _check_text(infotext: str) -> None:
    try:
        size = len(infotext.encode("utf-8"))
    except UnicodeEncodeError as fault:
        raise UnsupportedEditError("the text holds half a surrogate pair, which no file can carry") from fault
    if not infotext or "\0" in infotext:
        raise UnsupportedEditError("the text is empty or holds a zero character; None removes it")
    if size > INFOTEXT_LIMIT:
        raise UnsupportedEditError(f"the text has {size:,} bytes, more than the {INFOTEXT_LIMIT:,} that are read of a file")


def _edit_png(data: bytes, infotext: str | None) -> bytes:
    """In place of the first such text before the pixels, else right before them; others go. Bytes behind the end stay."""
    chunks, end = split_png(data)
    pixels = next(i for i, (kind, _) in enumerate(chunks) if kind == b"IDAT")
    ours = {i for i, (kind, body) in enumerate(chunks) if kind in TEXT_CHUNKS and body.partition(b"\0")[0] == _KEYWORD}
    place = min([i for i in ours if i < pixels], default=pixels)
    out = [SIGNATURE]
    for i, (kind, body) in enumerate(chunks):
        if i == place and infotext is not None:
            out.append(join_chunk(*_text_chunk(infotext)))
        if i in ours:
            continue
        # A user comment in a PNG is read before `parameters` by the hosts: it must not say something else.
        if kind == b"eXIf" and "exif:UserComment" in read_exif_texts(body):
            edited = _edit_exif(body, infotext)
            if edited is not None:
                out.append(join_chunk(kind, edited))
        else:
            out.append(join_chunk(kind, body))
    return b"".join(out) + data[end:]


def split_png(data: bytes) -> tuple[list[Chunk], int]:
    """All chunks, and the offset behind the last."""
    chunks: list[Chunk] = []
    offset = len(SIGNATURE)
    while not chunks or chunks[-1][0] != b"IEND":
        if offset + 12 > len(data):
            raise UnsupportedEditError("the file is truncated")
        length, kind = struct.unpack_from(">I4s", data, offset)
        end = offset + 12 + length
        if end > len(data) or zlib.crc32(data[offset + 4:end - 4]) != int.from_bytes(data[end - 4:end], "big"):
            raise UnsupportedEditError(f"the file is damaged in its {kind.decode('latin-1')!r} part")
        chunks.append((kind, data[offset + 8:end - 4]))
        offset = end
    if not any(kind == b"IDAT" for kind, _ in chunks):
        raise UnsupportedEditError("the file is damaged: it has no pixels")
    return chunks, offset


def join_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text_chunk(infotext: str) -> Chunk:
    """As Pillow's PngInfo.add_text, which the hosts use: tEXt where Latin-1 can carry it, else iTXt without compression."""
    try:
        return b"tEXt", _KEYWORD + b"\0" + infotext.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", _KEYWORD + b"\0\0\0\0\0" + infotext.encode("utf-8")


def _edit_jpeg(data: bytes, infotext: str | None) -> bytes:
    """The EXIF segment in its place; a new one behind the JFIF segment. Everything else stays as it is."""
    segments = split_jpeg(data)
    ours = [(start, end) for marker, start, end in segments if marker == APP1 and data[start + 4:start + 10] == EXIF_PREFIX]
    if len(ours) > 1:
        raise UnsupportedEditError("its EXIF block is spread over several segments")
    if any(marker == _APP2 and data[start + 4:start + 8] == b"MPF\0" for marker, start, _ in segments):
        raise UnsupportedEditError("it holds several pictures, whose places would no longer be right")
    behind_jfif = next((end for marker, start, end in segments[:1] if marker == _APP0), 2)
    start, end = ours[0] if ours else (behind_jfif, behind_jfif)
    block = _edit_exif(data[start + 10:end] if ours else None, infotext)
    if block is None:
        return data[:start] + data[end:]
    if len(EXIF_PREFIX + block) > _SEGMENT_LIMIT:
        raise UnsupportedEditError(f"the EXIF block would have {len(block):,} bytes, more than a JPEG segment's {_SEGMENT_LIMIT:,}")
    segment = bytes((0xFF, APP1)) + struct.pack(">H", len(EXIF_PREFIX + block) + 2) + EXIF_PREFIX + block
    return data[:start] + segment + data[end:]


def split_jpeg(data: bytes) -> list[tuple[int, int, int]]:
    """(marker, start, end) of the segments before the pixels, which follow each other without a gap."""
    segments, offset = [], 2
    while offset + 4 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == START_OF_SCAN:
            return segments
        end = offset + 2 + int.from_bytes(data[offset + 2:offset + 4], "big")
        if marker in (0, 0xFF) or marker in BARE_MARKERS or end < offset + 4 or end > len(data):
            break
        segments.append((marker, offset, end))
        offset = end
    raise UnsupportedEditError("the file's segments do not follow each other as they should")


def _edit_webp(data: bytes, infotext: str | None) -> bytes:
    """The EXIF chunk in its place; a new one behind the pixels, before XMP. A simple file becomes an extended one."""
    end = 8 + int.from_bytes(data[4:8], "little")
    chunks = split_webp(data[:end])
    ours = [i for i, (kind, _) in enumerate(chunks) if kind == b"EXIF"]
    if len(ours) > 1:
        raise UnsupportedEditError("it has several EXIF blocks")
    old = chunks[ours[0]][1] if ours else None
    prefix = EXIF_PREFIX if old is not None and old.startswith(EXIF_PREFIX) else b""
    block = _edit_exif(None if old is None else old[len(prefix):], infotext)
    if block is None and old is None:
        return data
    place = ours[0] if ours else next((i for i, (kind, _) in enumerate(chunks) if kind == b"XMP "), len(chunks))
    chunks[place:place + len(ours)] = [] if block is None else [(b"EXIF", prefix + block)]
    chunks = _with_exif_flag(chunks, block is not None)
    body = b"WEBP" + b"".join(kind + struct.pack("<I", len(chunk)) + chunk + bytes(len(chunk) % 2) for kind, chunk in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body + data[end:]


def split_webp(data: bytes) -> list[Chunk]:
    chunks: list[Chunk] = []
    offset = 12
    while offset + 8 <= len(data):
        kind, length = struct.unpack_from("<4sI", data, offset)
        if offset + 8 + length > len(data):
            raise UnsupportedEditError(f"the file is damaged in its {kind.decode('latin-1')!r} part")
        chunks.append((kind, data[offset + 8:offset + 8 + length]))
        offset += 8 + length + length % 2
    if offset < len(data):
        raise UnsupportedEditError("the file is damaged: bytes that belong to no part")
    return chunks


def _with_exif_flag(chunks: list[Chunk], has_exif: bool) -> list[Chunk]:
    """With a VP8X header that says whether there is EXIF; canvas and alpha of a simple file come from its pixels' header."""
    kind, head = chunks[0]
    if kind == b"VP8X":
        flags = head[0] | EXIF_FLAG if has_exif else head[0] & ~EXIF_FLAG
        return [(kind, bytes((flags,)) + head[1:]), *chunks[1:]]
    size = canvas_size(kind, head)
    if size is None:
        raise UnsupportedEditError("the file is damaged: it does not begin with its pixels")
    has_alpha = kind == b"VP8L" and head[4] & 0x10
    flags = EXIF_FLAG | (ALPHA_FLAG if has_alpha else 0)
    canvas = (size[0] - 1).to_bytes(3, "little") + (size[1] - 1).to_bytes(3, "little")
    return [(b"VP8X", bytes((flags, 0, 0, 0)) + canvas), *chunks]


def _edit_exif(block: bytes | None, infotext: str | None) -> bytes | None:
    if block is None:
        return None if infotext is None else build_exif(encode_user_comment(infotext))
    return set_user_comment(block, None if infotext is None else encode_user_comment(infotext))
