from __future__ import annotations

import hashlib

from hypothesis import given, settings
from hypothesis import strategies as st

from lib_sdpipe.reconcile.byte_ranges import find_ranges, restore_ranges

LONG = b"".join(hashlib.sha512(str(n).encode()).digest() for n in range(2000))


@settings(max_examples=60)
@given(
    st.lists(st.binary(max_size=600), max_size=6), st.lists(st.binary(max_size=600), max_size=6),
    st.sampled_from([b"", LONG[:9000], bytes(5000)]),
)
def test_the_ranges_lead_back_for_any_two_versions(old: list[bytes], new: list[bytes], both: bytes) -> None:
    first, second = both.join(old), both.join(new)
    assert restore_ranges(second, find_ranges(first, second)) == first


def test_equal_files_have_no_ranges() -> None:
    assert find_ranges(LONG, LONG) == ()


def test_pixels_that_only_moved_are_not_kept() -> None:
    """A WebP's text lies behind the pixels, and its header before them changes with it."""
    old = b"RIFF1" + LONG + b"old text" * 3
    new = b"RIFF22 longer" + LONG + b"new"
    ranges = find_ranges(old, new)
    assert sum(len(one.old) for one in ranges) < 100 and restore_ranges(new, ranges) == old


def test_a_text_that_moved_before_the_pixels() -> None:
    old, new = b"head" + LONG + b"text", b"head text, another" + LONG
    assert sum(len(one.old) for one in find_ranges(old, new)) < 50
