"""Ways to spoil a file: bits, lengths, cuts, splices, repetitions; and for JSON, other values in other places."""

from __future__ import annotations

import copy
import json
import random
import struct
import zlib
from typing import Any

ONE_MB = 1 << 20
_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 12, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 1 << 20, 0x7FFFFFFF, 0x80000000, 0xFFFFFFF0, 0xFFFFFFFF)
_TOKENS = (
    # PNG
    b"IHDR", b"IDAT", b"IEND", b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"parameters\0", b"prompt\0", b"\0\0\0",
    # JPEG
    b"\xff\xd8", b"\xff\xe1", b"\xff\xd9", b"\xff\xda", b"\xff\xfe", b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0",
    # EXIF
    b"MM\0*\0\0\0\x08", b"II*\0\x08\0\0\0", b"\x87\x69\0\4\0\0\0\1", b"\x92\x86\0\7", b"\x86\x92\7\0",
    b"UNICODE\0", b"ASCII\0\0\0", b"JIS\0\0\0\0\0",
    # WebP and AVIF
    b"RIFF", b"WEBP", b"VP8X", b"VP8L", b"VP8 ", b"EXIF", b"XMP ", b"ANMF", b"ftypavif", b"meta", b"iloc", b"iinf", b"infe",
    b"iprp", b"ipco", b"ipma", b"ispe", b"pitm", b"idat", b"mdat",
    # texts
    b"stealth_pngcomp", b"stealth_rgbinfo", b"Negative prompt:", b"Steps: 1, ", b"Seed: ", b'ab: "x", ', b'"', b"\\", b"\\u0000",
    b"\\ud800", b": ", b", ", b"\n", b"{", b"}", b"[", b"]", b"null", b"NaN", b"1e999", b"-1", b"\xed\xa0\x80", b"\xe5\xa4\x9c",
)
# Names of fields, some of which pydantic or a record has a method of.
_FIELDS = (
    "schema", "x", "", "run_id", "seeds", "\ud800", "__class__", "dict", "copy", "to_json", "__pydantic_self__", "__fields__", "\0dict",
)
_DIGIT_BOMB = b"9" * 5000
_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10 ** 30, -(10 ** 400), "", "x", "\0", "\ud800", "夜", "Unknown", "-1", [], {}, [[]], [None], {"": ""},
    {"schema": 1}, ["x"] * 50, {"a": {"b": {"c": []}}}, "../" * 40, "x" * 5000, float("inf"), float("nan"), ["sdpipe.run/1"],
    {"dict": 1, "self": 2},
)


def mutate(data: bytes, others: list[bytes], kind: str, rng: random.Random) -> bytes:
    """`data` with one to eight faults. PNG's checksums are mostly put right again: a reader stops at a wrong one."""
    if kind in ("manifest", "run") and rng.random() < 0.5:
        return _mutate_json(data, rng)
    spoiled = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 5, 8))):
        rng.choice(_WAYS)(spoiled, others, rng)
    if rng.random() < 0.004:
        _grow(spoiled, rng)
    if kind == "PNG" and rng.random() < 0.8:
        _mend_checksums(spoiled)
    return bytes(spoiled[:ONE_MB])


def _place(data: bytearray, rng: random.Random) -> int:
    """More often near the beginning, where the numbers stand."""
    return min(int(rng.random() ** rng.choice((1, 2, 3)) * (len(data) + 1)), len(data))


def _flip(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    if data:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def _set_byte(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    if data:
        data[min(_place(data, rng), len(data) - 1)] = rng.randrange(256)


def _set_number(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    """A length, count or offset, in either order of bytes."""
    number = rng.choice((*_NUMBERS, len(data), len(data) - 12, rng.randrange(1 << 32)))
    packed = struct.pack(rng.choice((">I", "<I")), number & 0xFFFFFFFF)
    packed = packed if rng.random() < 0.6 else packed[2:] if rng.random() < 0.5 else packed[:2]
    at = _place(data, rng)
    data[at:at + len(packed)] = packed


def _nudge(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    if data:
        at = min(_place(data, rng), len(data) - 1)
        data[at] = (data[at] + rng.choice((-2, -1, 1, 2, 16, -16))) & 255


def _cut_off(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    if rng.random() < 0.3:
        del data[rng.randrange(len(data) + 1):]


def _cut_out(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    at = _place(data, rng)
    del data[at:at + rng.choice((1, 2, 4, 12, rng.randrange(200)))]


def _insert_token(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    at, token = _place(data, rng), rng.choice(_TOKENS)
    data[at:at + rng.choice((0, len(token)))] = token


def _repeat(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    at = _place(data, rng)
    piece = data[at:at + rng.choice((1, 4, 12, 25, rng.randrange(1, 400)))]
    data[at:at] = piece * rng.choice((1, 1, 2, 10))


def _splice(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    other = rng.choice(others)
    start = rng.randrange(len(other) + 1)
    at = _place(data, rng)
    data[at:at + rng.choice((0, 50, len(data)))] = other[start:start + rng.randrange(600)]


def _repeat_chunk(data: bytearray, others: list[bytes], rng: random.Random) -> None:
    """A whole part of a PNG or WebP once more, somewhere among the others."""
    parts = _parts(bytes(data))
    if parts:
        start, end = rng.choice(parts)
        at = rng.choice(parts)[0]
        data[at:at] = data[start:end] * rng.choice((1, 1, 3, 40))


_WAYS = (_flip, _flip, _set_byte, _set_number, _set_number, _nudge, _cut_off, _cut_out, _insert_token, _repeat, _splice, _repeat_chunk)


def _parts(data: bytes) -> list[tuple[int, int]]:
    is_png = data[:4] == b"\x89PNG"
    offset, parts = 8 if is_png else 12, []
    while offset + 8 <= len(data) and len(parts) < 200:
        at = offset if is_png else offset + 4
        end = offset + (12 if is_png else 8) + int.from_bytes(data[at:at + 4], "big" if is_png else "little")
        if end > len(data):
            break
        parts.append((offset, end))
        offset = end
    return parts


def _grow(data: bytearray, rng: random.Random) -> None:
    """To a MB: one piece over and over, or a text that unpacks to much more."""
    if rng.random() < 0.3:
        body = b"parameters\0\0" + zlib.compress(bytes(rng.choice((2, 30)) * ONE_MB), 1)
        data[33:33] = struct.pack(">I", len(body)) + b"zTXt" + body + bytes(4)
        return
    parts = _parts(bytes(data))
    at = rng.choice(parts)[0] if parts and rng.random() < 0.6 else _place(data, rng)
    end = next((end for start, end in parts if start == at), at + rng.choice((1, 2, 4, 8, 12, 30, 200)))
    piece = bytes(data[at:end]) or rng.choice((*_TOKENS, _DIGIT_BOMB))
    data[at:at] = piece * (ONE_MB // len(piece) + 1)


def _mend_checksums(data: bytearray) -> None:
    for start, end in _parts(bytes(data)):
        data[end - 4:end] = struct.pack(">I", zlib.crc32(data[start + 4:end - 4]))


def _mutate_json(data: bytes, rng: random.Random) -> bytes:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return data
    for _ in range(rng.choice((1, 1, 2, 4))):
        holders = list(_holders(document, 0))
        if not holders:
            break
        holder = rng.choice(holders)
        key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
        if rng.random() < 0.1:
            del holder[key]
        elif rng.random() < 0.1 and isinstance(holder, dict):
            holder[rng.choice(_FIELDS)] = copy.deepcopy(rng.choice(_VALUES))
        else:
            holder[key] = copy.deepcopy(rng.choice(_VALUES))
    if rng.random() < 0.003:
        depth = rng.choice((50, 900, 100_000))
        return b'{"config": ' + b"[" * depth + b"]" * depth + b"}"
    try:
        return json.dumps(document).encode()
    except (ValueError, RecursionError):
        return data


def _holders(value: Any, depth: int) -> Any:
    if isinstance(value, (dict, list)) and value and depth < 30:
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _holders(inner, depth + 1)
