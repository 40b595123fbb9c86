from __future__ import annotations

import io
import os
import warnings
from pathlib import Path

import pytest
from PIL import Image

from lib_sdpipe.images.inputs import encode_input
from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.read import INFOTEXT_LIMIT, UnreadableImageError, read_image, read_infotext
from lib_sdpipe.images import thumbnail
from lib_sdpipe.images.thumbnail import ensure_thumbnail
from tests.images.pictures import NEEDS_AVIF, TEXT, host_file, opened
from tests.images.test_digest import noise


@pytest.mark.parametrize("image_format", ["PNG", "JPEG", "WEBP", pytest.param("AVIF", marks=NEEDS_AVIF)])
def test_infotext_is_read_from_png_text_or_the_user_comment(image_format: str) -> None:
    assert read_infotext(opened(host_file(image_format, TEXT))) == TEXT


def test_a_giant_text_is_cut() -> None:
    image = noise()
    image.info["parameters"] = "x" * (2 * INFOTEXT_LIMIT)
    assert len(read_infotext(image) or "") == INFOTEXT_LIMIT


def test_damaged_exif_is_no_text() -> None:
    image = noise()
    image.info["exif"] = b"Exif\0\0MM\0*garbage"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert read_infotext(image) is None


@pytest.mark.parametrize("data", [b"", b"not an image", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_broken_file_is_one_sentence(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(UnreadableImageError, match="not a readable image"):
        read_image(str(tmp_path / "x.png"))


def test_a_picture_of_too_many_pixels_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noise().save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(UnreadableImageError, match="too many"):
        read_image(str(tmp_path / "x.png"))


def test_a_truncated_png_is_unreadable(tmp_path: Path) -> None:
    noise().save(tmp_path / "x.png")
    whole = (tmp_path / "x.png").read_bytes()
    (tmp_path / "x.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UnreadableImageError):
        read_image(str(tmp_path / "x.png"))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "1", "P", "CMYK", "I;16"])
def test_an_input_is_stored_without_text_and_with_its_pixels(mode: str) -> None:
    picture = Image.new("I;16", (4, 4), 777) if mode == "I;16" else noise(4, 4).convert(mode)
    picture.info["parameters"] = "secret prompt"
    sha256, data = encode_input(picture)
    assert b"secret" not in data and encode_input(picture)[0] == sha256
    assert pixel_sha256(Image.open(io.BytesIO(data))) == pixel_sha256(picture)


@NEEDS_AVIF
@pytest.mark.parametrize(("old", "new"), [(b"pitm\0\0\0\0\0\1", b"pitm\0\0\0\0\0\7"), (b"av01Color", b"xxxxColor")])
def test_a_broken_avif_is_one_sentence_too(tmp_path: Path, old: bytes, new: bytes) -> None:
    """Found by the fuzzer: its decoder raises RuntimeError."""
    data = host_file("AVIF", TEXT)
    assert old in data
    (tmp_path / "x.avif").write_bytes(data.replace(old, new))
    with pytest.raises(UnreadableImageError, match="not a readable image"):
        read_image(str(tmp_path / "x.avif"))
    assert ensure_thumbnail(tmp_path / "x.avif", tmp_path, "key") is None


def test_thumbnails_do_not_pile_up_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thumbnail, "_MOST_A_FOLDER", 4)
    monkeypatch.setattr(thumbnail, "_GONE_AT_ONCE", 2)
    Image.new("RGB", (8, 8)).save(tmp_path / "one.png")
    for number in range(5):
        made = ensure_thumbnail(tmp_path / "one.png", tmp_path / "small", f"ab{number}")
        assert made is not None
        os.utime(made, ns=(number, number))
    assert sorted(path.stem for path in (tmp_path / "small" / "ab").iterdir()) == ["ab2", "ab3", "ab4"]
