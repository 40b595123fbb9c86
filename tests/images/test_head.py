from __future__ import annotations

import os
import struct
import warnings
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.exif import INFOTEXT_LIMIT
from lib_sdpipe.images.head import parse_head, read_head
from lib_sdpipe.images.png import SIGNATURE
from lib_sdpipe.images.read import read_infotext
from tests.images.pictures import NEEDS_AVIF, TEXT, as_file, chunk, comment_exif, host_file, opened
from tests.images.test_digest import noise

FORMATS = ["PNG", "JPEG", "WEBP", pytest.param("AVIF", marks=NEEDS_AVIF)]
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), max_size=60)


def pillow_head(data: bytes) -> tuple[str | None, int, int, str | None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = opened(data)
        return image.format, image.width, image.height, read_infotext(image)


def our_head(data: bytes) -> tuple[str | None, int | None, int | None, str | None]:
    head = parse_head(data)
    assert head.problem is None
    return head.format, head.width, head.height, head.infotext


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("text", [TEXT, "plain", "café", "", None])
def test_a_hosts_file_reads_as_pillow_reads_it(image_format: str, text: str | None, tmp_path: Path) -> None:
    data = host_file(image_format, text, noise(37, 21))
    assert our_head(data) == pillow_head(data) == (image_format, 37, 21, text or None)
    (tmp_path / "x").write_bytes(data)
    assert read_head(str(tmp_path / "x")) == parse_head(data) == read_head(str(tmp_path / "x"), len(data))


@given(TEXTS, st.sampled_from(["text", "itxt", "zip", "utf8 as latin-1"]), st.sampled_from(["RGB", "RGBA", "L", "P", "1", "I;16"]))
@settings(max_examples=60, deadline=None)
def test_png_text_of_every_kind_reads_as_pillow_reads_it(text: str, kind: str, mode: str) -> None:
    info = PngInfo()
    if kind == "utf8 as latin-1":
        info.add(b"tEXt", b"parameters\0" + text.encode())
    elif kind == "itxt":
        info.add_itxt("parameters", text, zip=len(text) % 2 == 1)
    else:
        info.add_text("parameters", text, zip=kind == "zip")
    info.add_text("Software", "x" * 5000)
    picture = Image.new("I;16", (9, 9), 777) if mode == "I;16" else noise(9, 9).convert(mode)
    data = as_file(picture, "PNG", pnginfo=info)
    assert our_head(data) == pillow_head(data)
    assert parse_head(data).texts["Software"] == "x" * 5000


@given(TEXTS, st.sampled_from(["JPEG", "WEBP", "PNG"]), st.binary(min_size=8, max_size=8))
@settings(max_examples=60, deadline=None)
def test_a_user_comment_of_any_encoding_reads_as_pillow_reads_it(text: str, image_format: str, code: bytes) -> None:
    ascii_text, jis = text.encode("ascii", "replace"), text.encode("shift_jis", "replace")
    for comment in (b"ASCII\0\0\0" + ascii_text, b"JIS\0\0\0\0\0" + jis, code + text.encode()):
        data = as_file(noise(8, 8), image_format, exif=comment_exif("", comment))
        assert our_head(data) == pillow_head(data)


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP", "PNG"])
def test_other_exif_tags_are_texts_too(image_format: str) -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0131], exif[0x0110] = 'workflow:{"1": {}}', "Paint", "Fuji"
    data = as_file(noise(), image_format, exif=exif.tobytes())
    assert parse_head(data).texts == {"exif:Make": 'workflow:{"1": {}}', "exif:Software": "Paint", "exif:Model": "Fuji"}


def test_png_text_behind_the_pixels_is_found() -> None:
    plain = host_file("PNG", None, noise(200, 200))
    data = plain[:-12] + chunk(b"tEXt", b"parameters\0late") + plain[-12:]
    assert parse_head(data).infotext == "late"


def test_jpeg_comments_and_xmp_are_read() -> None:
    xmp = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>"
    data = host_file("JPEG", None)
    data = data[:2] + b"\xff\xe1" + struct.pack(">H", len(xmp) + 2) + xmp + b"\xff\xfe\0\5abc" + data[2:]
    assert parse_head(data).texts == {"xmp": "<x:xmpmeta/>", "comment": "abc"}


@pytest.mark.parametrize("image_format", FORMATS)
def test_every_truncation_is_told(image_format: str) -> None:
    data = host_file(image_format, TEXT, noise(40, 40))
    told = {size: parse_head(data[:size]).problem for size in range(len(data) - 1, 0, -max(1, len(data) // 150))}
    assert None not in told.values() and "truncated" in told.values()
    assert parse_head(b"").problem == "empty"


@pytest.mark.parametrize("image_format", FORMATS[:3])
@pytest.mark.parametrize("behind", [b"\0" * 5000, b"PK\3\4 a zip that somebody hid" * 300])
def test_bytes_behind_the_end_are_no_damage(image_format: str, behind: bytes) -> None:
    data = host_file(image_format, TEXT, noise(200, 200)) + behind
    assert our_head(data) == (image_format, 200, 200, TEXT)


def test_a_file_whose_end_became_zeros_is_damaged() -> None:
    for image_format in ("PNG", "JPEG"):
        data = host_file(image_format, TEXT, noise(200, 200))
        assert parse_head(data[:-5000] + b"\0" * 5000).problem in ("damaged", "truncated")


def test_a_changed_text_is_damage() -> None:
    data = host_file("PNG", "a lighthouse")
    assert parse_head(data.replace(b"a light", b"a tight")).problem == "damaged"


def test_a_file_that_grew_since_it_was_listed_is_whole(tmp_path: Path) -> None:
    data = host_file("PNG", TEXT, noise(100, 100))
    (tmp_path / "x.png").write_bytes(data)
    assert read_head(str(tmp_path / "x.png"), len(data) // 2).problem is None


@pytest.mark.parametrize(("data", "name"), [(b"text", None), (b"II*\0" + bytes(40), "TIFF"), (b"BM" + bytes(40), None)])
def test_other_files_are_named_by_their_first_bytes(data: bytes, name: str | None) -> None:
    head = parse_head(data)
    assert (head.format, head.problem) == (name, None if name else "not an image")
    assert parse_head(as_file(noise(), "GIF")).width == 64
    assert parse_head(as_file(noise(), "BMP")).format == "BMP"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_among_the_pictures_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    assert read_head(str(tmp_path / "x.png")).problem == "empty"


def test_a_folder_or_missing_file_is_an_os_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing.png"):
        with pytest.raises(OSError):
            read_head(str(path))


@pytest.mark.parametrize("kind", [b"tEXt", b"zTXt", b"iTXt"])
def test_a_giant_text_is_cut_and_a_bomb_does_not_go_off(kind: bytes) -> None:
    giant = b"x" * (5 * INFOTEXT_LIMIT)
    body = {b"tEXt": b"\0" + giant, b"zTXt": b"\0\0" + zlib.compress(giant), b"iTXt": b"\0\1\0\0\0" + zlib.compress(giant)}[kind]
    texts = b"".join(chunk(kind, name + body) for name in (b"parameters", b"again", b"and again"))
    plain = host_file("PNG", None)
    head = parse_head(plain[:33] + texts + plain[33:])
    assert head.infotext == "x" * INFOTEXT_LIMIT
    assert sum(map(len, head.texts.values())) == INFOTEXT_LIMIT


STARTS = [
    SIGNATURE, b"\xff\xd8\xff\xe1", b"RIFF\x50\0\0\0WEBPVP8X\x0a\0\0\0\x08\0\0\0", b"\0\0\0\x18ftypavif\0\0\0\0avifmif1",
]


@given(st.binary(max_size=400), st.sampled_from(STARTS))
@settings(max_examples=150, deadline=None)
def test_any_bytes_have_a_head(data: bytes, start: bytes) -> None:
    assert parse_head(start + data).problem


@given(st.data(), st.sampled_from(["PNG", "JPEG", "WEBP"]))
@settings(max_examples=80, deadline=None)
def test_any_change_of_a_file_has_a_head(data: st.DataObject, image_format: str) -> None:
    whole = bytearray(host_file(image_format, TEXT, noise(8, 8)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(whole) - 5))
        whole[at:at + 4] = data.draw(st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\0\0\0\1"]))
    parse_head(bytes(whole))
