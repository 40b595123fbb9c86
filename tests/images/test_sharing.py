"""What somebody gives away: the same picture, and not a word about it."""

from __future__ import annotations

import gzip
import io
import random
import struct
import zlib

import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.images.exif import read_orientation
from lib_sdpipe.images.head import parse_head
from lib_sdpipe.images.sharing import NotSharableError, build_shared_copy, find_secrets
from lib_sdpipe.images.stealth import find_stealth_channels
from tests.images.pictures import NEEDS_AVIF, as_file, chunk, host_file, opened, png_chunks
from tests.images.test_digest import noise
from tests.images.test_edit import rich_exif
from tests.images.test_stealth import hide, message

PROMPT = "a very secret lighthouse, 夜の灯台, masterpiece"
TEXT = f"{PROMPT}\nNegative prompt: blurry thing\nSteps: 20, Seed: 1, Model: hiddenDreams_v9, Run ID: 20251225_143022_secret_pack"
SECRETS = [PROMPT, TEXT, "hiddenDreams_v9", "20251225_143022_secret_pack", "outputs/txt2img-images/00050-1.png"]
FORMATS = ["PNG", "JPEG", "WEBP", pytest.param("AVIF", marks=NEEDS_AVIF)]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><dc:description>a very secret lighthouse</dc:description></x:xmpmeta>'
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def assert_clean(clean: bytes, original: bytes) -> None:
    told = ["very secret lighthouse", "夜の灯台", "hiddenDreams_v9", "20251225_143022_secret_pack", "blurry thing"]
    assert find_secrets(clean, told) == []
    assert parse_head(clean).texts == {} and parse_head(clean).infotext is None and parse_head(clean).problem is None
    assert pixel_sha256(opened(clean)) == pixel_sha256(opened(original))
    assert opened(clean).size == opened(original).size


@pytest.mark.parametrize("image_format", FORMATS)
def test_what_a_host_wrote_is_gone_and_the_picture_is_the_same(image_format: str) -> None:
    data = host_file(image_format, TEXT)
    assert find_secrets(data, [PROMPT]) == [PROMPT]
    copy = build_shared_copy(data, SECRETS)
    assert_clean(copy.data, data)
    assert copy.is_exact and copy.suffix == "." + image_format.lower().replace("jpeg", "jpg")


@pytest.mark.parametrize("image_format", FORMATS)
def test_thumbnail_camera_notes_and_xmp_go_but_orientation_and_colours_stay(image_format: str) -> None:
    data = as_file(noise(), image_format, exif=rich_exif("a very secret lighthouse"), icc_profile=PROFILE, xmp=XMP)
    clean = build_shared_copy(data, SECRETS).data
    assert_clean(clean, data)
    assert b"Nikon" not in clean and b"secret" not in clean
    if image_format != "AVIF":  # there the picture is turned by a property of its own
        assert opened(clean).getexif().get(0x0112) == 6
    assert opened(clean).info["icc_profile"] == PROFILE


def test_packed_texts_of_a_png_go_wherever_they_stand() -> None:
    info = PngInfo()
    info.add_text("parameters", TEXT, zip=True)
    info.add_itxt("workflow", TEXT, zip=True)
    data = as_file(noise(), "PNG", pnginfo=info)
    end = data.rindex(b"IEND") - 4
    late = chunk(b"zTXt", b"late\0\0" + zlib.compress(TEXT.encode())) + chunk(b"prVt", TEXT.encode())
    data = data[:end] + late + data[end:] + TEXT.encode()
    clean = build_shared_copy(data, SECRETS).data
    assert_clean(clean, data)
    assert {kind for kind, _ in png_chunks(clean)} == {b"IHDR", b"IDAT", b"IEND"}


def test_texts_between_the_scans_and_behind_the_end_of_a_jpeg_go() -> None:
    data = as_file(noise(200, 150), "JPEG", progressive=True, quality=90, comment=TEXT.encode())
    second = data.index(b"\xff\xda", data.index(b"\xff\xda") + 2)
    note = b"\xff\xfe" + struct.pack(">H", len(TEXT.encode()) + 2) + TEXT.encode()
    data = data[:second] + note + data[second:] + TEXT.encode() + host_file("JPEG", TEXT)
    assert_clean(build_shared_copy(data, SECRETS).data, data)


def test_a_thumbnail_in_the_jfif_segment_goes() -> None:
    data = as_file(noise(), "JPEG")
    assert data[2:4] == b"\xff\xe0"
    thumbnail = b"very secret lighthouse in pixels"[:30]
    segment = b"\xff\xe0" + struct.pack(">H", 16 + 30) + data[6:18] + b"\x02\x05" + thumbnail
    data = data[:2] + segment + data[20:]
    assert_clean(build_shared_copy(data, SECRETS).data, data)


@pytest.mark.parametrize("signature", ["stealth_pnginfo", "stealth_pngcomp"])
def test_a_text_hidden_in_alpha_goes_and_the_pixels_count_as_the_same(signature: str) -> None:
    body = TEXT.encode() if signature.endswith("info") else gzip.compress(TEXT.encode())
    data = host_file("PNG", TEXT, hide(noise(80, 90), message(signature, body), "A"))
    copy = build_shared_copy(data, SECRETS)
    assert_clean(copy.data, data)
    assert copy.is_exact and opened(copy.data).mode == "RGB"


def test_a_text_hidden_in_colours_costs_their_lowest_bits_and_the_copy_says_so() -> None:
    data = host_file("PNG", None, hide(noise(80, 90), message("stealth_rgbinfo", TEXT.encode()), "RGB"))
    copy = build_shared_copy(data, SECRETS)
    assert not copy.is_exact
    before, after = opened(data).tobytes(), opened(copy.data).tobytes()
    assert find_stealth_channels(opened(copy.data)) is None
    assert max(abs(a - b) for a, b in zip(before, after)) == 1


def test_real_transparency_stays_when_its_lowest_bits_carried_a_text() -> None:
    picture = noise(80, 90).convert("RGBA")
    picture.putalpha(Image.linear_gradient("L").resize(picture.size))
    data = host_file("PNG", None, hide(picture, message("stealth_pnginfo", TEXT.encode()), "A"))
    copy = build_shared_copy(data, SECRETS)
    before, after = opened(data).getchannel("A").tobytes(), opened(copy.data).getchannel("A").tobytes()
    assert not copy.is_exact and opened(copy.data).convert("RGB").tobytes() == opened(data).convert("RGB").tobytes()
    assert max(abs(a - b) for a, b in zip(before, after)) == 1


@pytest.mark.parametrize("data", [
    b"", b"no picture", as_file(noise(), "PNG")[:-30], as_file(noise(), "GIF"), as_file(noise(), "JPEG")[:-200],
    host_file("PNG", TEXT).replace(b"IDAT", b"IDAx"),
])
def test_what_cannot_be_proven_clean_is_not_given_away(data: bytes) -> None:
    with pytest.raises(NotSharableError):
        build_shared_copy(data, SECRETS)


def test_a_profile_that_carries_the_prompt_is_found_and_refused() -> None:
    data = as_file(noise(), "PNG", icc_profile=PROFILE + PROMPT.encode())
    with pytest.raises(NotSharableError, match="still in the copy"):
        build_shared_copy(data, SECRETS)


def test_the_orientation_of_damaged_blocks_is_none() -> None:
    for block in (None, b"", b"MM\0*", b"Exif\0\0MM\0*\0\0\0\x08\0\1\1\x12\0\3", b"MM\0*\xff\xff\xff\xff"):
        assert read_orientation(block) == 1


@pytest.mark.parametrize("image_format", FORMATS)
def test_damaged_files_are_refused_or_copied_never_an_error_of_ours(image_format: str) -> None:
    rng = random.Random(image_format)
    data = as_file(noise(32, 24), image_format, exif=rich_exif("secret"), icc_profile=PROFILE)
    for _ in range(150):
        broken = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            broken[rng.randrange(len(broken))] = rng.randrange(256)
        try:
            copy = build_shared_copy(bytes(broken[:rng.choice((len(broken), rng.randrange(len(broken)))) or None]))
        except NotSharableError:
            continue
        Image.open(io.BytesIO(copy.data)).load()
