from __future__ import annotations

import hashlib
import io
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_sdpipe.images.digest import near_pixel_difference, perceptual_hash, pixel_sha256


def noise(width: int = 64, height: int = 48, seed: int = 0) -> Image.Image:
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def painting(seed: int, edge: int = 256) -> Image.Image:
    """Soft blobs of colour: smooth as a picture is, unlike noise."""
    small = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((edge, edge), Image.BICUBIC)


def test_the_pixel_digest_is_size_then_rgb_rows() -> None:
    image = noise(5, 3)
    expected = hashlib.sha256(struct.pack(">II", 5, 3) + np.asarray(image).tobytes()).hexdigest()
    assert pixel_sha256(image) == expected


def test_alpha_of_254_and_255_hides_text_and_does_not_count() -> None:
    image = noise()
    alpha = np.where(np.arange(48 * 64).reshape(48, 64) % 2, 254, 255).astype(np.uint8)
    stealth = image.copy()
    stealth.putalpha(Image.fromarray(alpha))
    assert pixel_sha256(stealth) == pixel_sha256(image)


def test_real_transparency_counts() -> None:
    image = noise()
    clear = image.copy()
    clear.putalpha(Image.new("L", image.size, 253))
    assert pixel_sha256(clear) != pixel_sha256(image)
    plane = np.full((48, 64), 253, np.uint8).tobytes()
    expected = hashlib.sha256(struct.pack(">II", 64, 48) + np.asarray(image).tobytes() + plane).hexdigest()
    assert pixel_sha256(clear) == expected


def test_sixteen_bits_are_taken_as_the_high_byte() -> None:
    deep = Image.fromarray((np.arange(64 * 48, dtype=np.uint16) * 21).reshape(48, 64))
    high = (np.asarray(deep) >> 8).astype(np.uint8)
    assert pixel_sha256(deep) == pixel_sha256(Image.fromarray(np.repeat(high[:, :, None], 3, axis=2)))


@given(st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_every_size_has_a_perceptual_hash_of_the_documented_form(width: int, height: int) -> None:
    version, steps, colours = perceptual_hash(noise(width, height)).split(":")
    assert (version, len(steps), len(colours)) == ("1", 64, 96)


def test_tile_colours_are_exact_means_of_4_by_4_tiles() -> None:
    array = np.zeros((8, 8, 3), np.uint8)
    array[:2, :2] = (10, 20, 30)
    assert perceptual_hash(Image.fromarray(array)).split(":")[2][:6] == "0a141e"


def test_brightness_steps_count_only_when_the_right_is_clearly_brighter() -> None:
    ramp = Image.fromarray(np.tile(np.linspace(0, 255, 170).astype(np.uint8), (64, 1)))
    flat = Image.new("L", (170, 64), 128)
    assert perceptual_hash(ramp).split(":")[1] == "f" * 64
    assert perceptual_hash(flat).split(":")[1] == "0" * 64


@pytest.mark.parametrize("seed", range(20))
def test_a_halved_jpeg_still_matches_and_another_picture_does_not(seed: int) -> None:
    buffer = io.BytesIO()
    painting(seed).resize((128, 128), Image.LANCZOS).save(buffer, "JPEG", quality=70)
    assert _distance(painting(seed), Image.open(buffer)) <= (32, 1.0)
    steps, colour = _distance(painting(seed), painting(seed + 100))
    assert steps > 32 or colour > 1.0


def _distance(one: Image.Image, other: Image.Image) -> tuple[int, float]:
    a, b = (perceptual_hash(image).split(":") for image in (one, other))
    steps = bin(int(a[1], 16) ^ int(b[1], 16)).count("1")
    colours = [np.frombuffer(bytes.fromhex(h[2]), np.uint8).astype(int) for h in (a, b)]
    return steps, float(np.abs(colours[0] - colours[1]).mean())


def test_near_pixels_are_within_two_everywhere() -> None:
    array = np.asarray(noise()).clip(2, 253)
    for by, near in ((2, True), (3, False)):
        other = array.copy()
        other[7, 7, 1] += by
        assert (near_pixel_difference(Image.fromarray(array), Image.fromarray(other)) is not None) is near
    assert near_pixel_difference(noise(4, 4), noise(4, 5)) is None
