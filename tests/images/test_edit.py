from __future__ import annotations

import struct
import warnings
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.edit import UnsupportedEditError, edit_infotext
from lib_sdpipe.images.exif import INFOTEXT_LIMIT
from lib_sdpipe.images.head import parse_head
from lib_sdpipe.images.read import read_infotext
from tests.images.pictures import NEEDS_AVIF, TEXT, as_file, chunk, comment_exif, host_file, opened, png_chunks
from tests.images.test_digest import noise

FORMATS = ["PNG", "JPEG", "WEBP"]
TEXTS = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0"), min_size=1, max_size=60)


def rich_exif(comment: str | None, endian: str = "<") -> bytes:
    """As a camera has it: tags before and behind, a MakerNote, GPS, a thumbnail's directory; the comment in the middle of the block."""
    def pack(form: str, *values: int) -> bytes:
        return struct.pack(endian + form, *values)

    maker_note, make, value = b"Nikon\0" + bytes(range(60)), b"Nikon Corporation\0\0", b"UNICODE\0" + (comment or "").encode("utf-16-be")
    first, sub, gps, second = 8, 80, 140, 180
    entries = [(0x010F, 2, len(make), 220), (0x0112, 3, 1, 6), (0x8769, 4, 1, sub), (0x8825, 4, 1, gps)]
    sub_entries = [(0x9003, 2, 20, 250), (0x927C, 7, len(maker_note), 280)]
    sub_entries += [(0x9286, 7, len(value), 360)] if comment is not None else []
    sub_entries += [(0xA420, 2, 33, 360 + len(value))]
    block = bytearray(360 + len(value) + 34)

    def put(offset: int, data: bytes) -> None:
        block[offset:offset + len(data)] = data

    def directory(offset: int, rows: list[tuple[int, int, int, int]], link: int) -> None:
        # A SHORT stands in the first two of the four bytes.
        packed = [pack("HHI", *row[:3]) + (pack("HH", row[3], 0) if row[1] == 3 else pack("I", row[3])) for row in rows]
        put(offset, pack("H", len(rows)) + b"".join(packed) + pack("I", link))

    put(0, (b"II*\0" if endian == "<" else b"MM\0*") + pack("I", first))
    directory(first, entries, second)
    directory(sub, sub_entries, 0)
    directory(gps, [(0x001D, 2, 11, 348)], 0)
    directory(second, [(0x0131, 2, 4, 0x00414141 if endian == "<" else 0x41414100)], 0)
    for offset, data in ((220, make), (250, b"2025:12:25 14:30:22\0"), (280, maker_note), (348, b"2025:12:25\0"), (360, value)):
        put(offset, data)
    put(360 + len(value), b"a" * 32 + b"\0")
    return b"Exif\0\0" + bytes(block)


def tags(data: bytes) -> dict[Any, Any]:
    """Everything but the user comment and the offsets of directories, as Pillow reads it."""
    exif = opened(data).getexif()
    found: dict[Any, Any] = {("0th", k): v for k, v in exif.items() if k not in (0x8769, 0x8825)}
    for ifd in (0x8769, 0x8825, 1):
        found.update({(ifd, k): v for k, v in exif.get_ifd(ifd).items() if k != 0x9286})
    return found


def check_edit(data: bytes, text: str | None) -> bytes:
    """The edited file: text as told by both readers, same pixels, same other tags."""
    edited = edit_infotext(data, text)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before, after = opened(data), opened(edited)
        assert read_infotext(after) == text == parse_head(edited).infotext
        assert parse_head(edited).problem is None
        assert (before.mode, before.size, before.tobytes()) == (after.mode, after.size, after.tobytes())
        assert tags(edited) == tags(data)
    return edited


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L"])
@given(TEXTS, TEXTS)
@settings(max_examples=12, deadline=None)
def test_a_hosts_text_is_replaced_and_comes_back_byte_for_byte(image_format: str, mode: str, one: str, other: str) -> None:
    if image_format == "JPEG" and mode == "RGBA":
        return
    data = host_file(image_format, one, noise(9, 7).convert(mode))
    edited = check_edit(data, other)
    assert edited == edit_infotext(edited, other) and edit_infotext(edited, one) == data
    assert edited == host_file(image_format, other, noise(9, 7).convert(mode)) or image_format == "WEBP"


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_text_is_added_to_a_plain_file_and_taken_out_again(image_format: str) -> None:
    plain = host_file(image_format, None)
    edited = check_edit(plain, TEXT)
    assert check_edit(plain, None) == plain
    removed = check_edit(edited, None)
    assert removed == plain or image_format == "WEBP"  # an extended WebP stays one


def test_webp_of_every_kind_keeps_its_alpha_and_its_frames() -> None:
    clear = noise().convert("RGBA")
    clear.putalpha(Image.linear_gradient("L").resize(clear.size))
    frames = {"save_all": True, "append_images": [noise(seed=1), noise(seed=2)]}
    for options in ({"lossless": True}, {"quality": 50}, frames):
        for image in (clear, noise()):
            check_edit(check_edit(as_file(image, "WEBP", **options), TEXT), None)
    assert opened(edit_infotext(as_file(noise(), "WEBP", **frames), TEXT)).n_frames == 3  # type: ignore[attr-defined]


@pytest.mark.parametrize("image_format", FORMATS)
@pytest.mark.parametrize("endian", ["<", ">"])
@pytest.mark.parametrize("old", [None, "old", "a long old text " * 20])
@pytest.mark.parametrize("new", [None, TEXT, "a longer new text " * 30])
def test_all_other_exif_tags_stay_where_they_are(image_format: str, endian: str, old: str | None, new: str | None) -> None:
    data = as_file(noise(), image_format, exif=rich_exif(old, endian))
    assert tags(data)[0x8769, 0xA420] == "a" * 32 and read_infotext(opened(data)) == old
    edited = check_edit(check_edit(data, "between"), new)
    assert b"Nikon\0" + bytes(range(60)) in edited
    assert "old".encode("utf-16-be") not in edited


def test_a_camera_file_without_exif_directory_gets_one() -> None:
    exif = Image.Exif()
    exif[0x010F], exif[0x0131] = "Make", "A program of some name"
    for image_format in ("JPEG", "WEBP"):
        data = as_file(noise(), image_format, exif=exif.tobytes())
        assert tags(check_edit(check_edit(data, TEXT), None))["0th", 0x0131] == "A program of some name"


def test_png_texts_keep_their_order_and_only_one_is_ours() -> None:
    info = PngInfo()
    for keyword, text in (("a", "1"), ("parameters", "old"), ("b", "2"), ("parameters", "older")):
        info.add_text(keyword, text)
    data = as_file(noise(), "PNG", pnginfo=info, dpi=(72, 72))
    data = data[:-12] + chunk(b"zTXt", b"parameters\0\0x") + data[-12:] + b"behind"
    edited = check_edit(data, "new")
    others = [c for c in png_chunks(data) if not c[1].startswith(b"parameters")]
    found = png_chunks(edited)
    assert [c for c in found if c != (b"tEXt", b"parameters\0new")] == others and len(found) == len(others) + 1
    assert [c[1][:1] for c in found if c[0] == b"tEXt"] == [b"a", b"p", b"b"] and edited.endswith(b"behind")


def test_a_user_comment_in_a_png_does_not_contradict() -> None:
    data = as_file(noise(), "PNG", exif=comment_exif("old"))
    edited = check_edit(data, TEXT)
    assert parse_head(edited).texts == {"parameters": TEXT, "exif:UserComment": TEXT}
    assert check_edit(edited, None) == host_file("PNG", None)


def test_jfif_profile_and_comments_of_a_jpeg_stay() -> None:
    data = as_file(noise(), "JPEG", icc_profile=b"profile" * 20, dpi=(300, 300))
    edited = check_edit(data, TEXT)
    assert opened(edited).info["icc_profile"] == b"profile" * 20 and opened(edited).info["jfif"] == opened(data).info["jfif"]


@pytest.mark.parametrize("text", ["", "a\0b", "\ud800", "x" * (INFOTEXT_LIMIT + 1), "夜" * INFOTEXT_LIMIT])
def test_a_text_that_no_file_can_carry_is_refused(text: str) -> None:
    with pytest.raises(UnsupportedEditError, match="the text"):
        edit_infotext(host_file("PNG", "old"), text)


def test_a_text_too_long_for_a_jpeg_segment_is_refused_and_fits_elsewhere() -> None:
    long = "x" * 40_000
    with pytest.raises(UnsupportedEditError, match="65,533"):
        edit_infotext(host_file("JPEG", "old"), long)
    for image_format in ("PNG", "WEBP"):
        check_edit(host_file(image_format, "old"), long)
        check_edit(host_file(image_format, "old"), "x" * INFOTEXT_LIMIT)


@pytest.mark.parametrize("image_format", ["GIF", "BMP", "TIFF", pytest.param("AVIF", marks=NEEDS_AVIF)])
def test_other_formats_are_refused_by_name(image_format: str) -> None:
    with pytest.raises(UnsupportedEditError, match=image_format):
        edit_infotext(as_file(noise(), image_format), "x")


@pytest.mark.parametrize("image_format", FORMATS)
def test_a_damaged_file_is_refused(image_format: str) -> None:
    data = host_file(image_format, TEXT)
    for damaged in (data[:-20], data[:len(data) // 2], data[:40], b"text", b""):
        with pytest.raises(UnsupportedEditError):
            edit_infotext(damaged, "x")
    changed = bytearray(host_file("PNG", None))
    changed[len(changed) // 2] ^= 1
    with pytest.raises(UnsupportedEditError, match="IDAT"):
        edit_infotext(bytes(changed), "x")


@pytest.mark.parametrize(("at", "value"), [(0, b"XX"), (8, b"\xff\xff"), (14, b"\xff\xff\xff\x7f"), (4, b"\xff\xff\0\0"), (80, b"\xff")])
def test_a_damaged_exif_block_is_refused_not_lost(at: int, value: bytes) -> None:
    """Its header, the number of its entries, the length of a value, where its directories lie."""
    block = bytearray(rich_exif("old")[6:])
    block[at:at + len(value)] = value
    plain = host_file("PNG", None)
    with pytest.raises(UnsupportedEditError, match="EXIF block is damaged"):
        edit_infotext(as_file(noise(), "WEBP", exif=bytes(block)), "x")
    assert parse_head(plain[:33] + chunk(b"eXIf", bytes(block)) + plain[33:]).problem is None


@given(st.data(), st.sampled_from(FORMATS), st.sampled_from(["x", None]))
@settings(max_examples=120, deadline=None)
def test_any_change_of_a_file_is_edited_or_refused(data: st.DataObject, image_format: str, text: str | None) -> None:
    whole = bytearray(as_file(noise(6, 6), image_format, exif=rich_exif("old")))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, min(len(whole) - 5, 500)))
        whole[at:at + 4] = data.draw(st.sampled_from([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\7\0\0\0", b"\0\0\0\1", b"\x69\x87\4\0"]))
    try:
        edited = edit_infotext(bytes(whole), text)
    except UnsupportedEditError:
        return
    assert parse_head(edited).infotext == text


@pytest.mark.parametrize("image_format", FORMATS)
def test_many_edits_do_not_grow_a_file(image_format: str) -> None:
    """Found by the fuzzer: a text that was added to a camera's block did not stand at its end, and each edit appended one more."""
    data = edited = as_file(noise(), image_format, exif=rich_exif("old"))
    plain = Image.Exif()
    plain[0x010F], plain[0x0131] = "workflow:{}", "Paint"
    for start in (data, as_file(noise(), image_format, exif=plain.tobytes())):
        edited = edit_infotext(start, "a longer text")
        once = len(edited)
        for text in ("a longer text", "short", "a longer test"):
            edited = check_edit(edited, text)
        assert len(edited) == once
        assert edit_infotext(edited, "a longer test") == edited
