from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.manifest.times import format_utc, parse_utc


def test_times_are_utc_with_milliseconds() -> None:
    assert format_utc(1766673022.123456) == "2025-12-25T14:30:22.123Z"


@given(st.integers(0, 4_000_000_000_000))
def test_a_time_comes_back_to_the_millisecond(milliseconds: int) -> None:
    seconds = parse_utc(format_utc(milliseconds / 1000))
    assert seconds is not None and abs(seconds * 1000 - milliseconds) < 1


def test_other_text_is_no_time() -> None:
    assert parse_utc("yesterday") is None
