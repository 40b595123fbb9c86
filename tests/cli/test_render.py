"""Terminal text: nothing obeyed, nothing misaligned, nothing wider than asked."""

from __future__ import annotations

import string

from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.cli.render import (
    Column, build_fields, build_table, cell_width, cut_text, escape_text, format_seconds, wrap_text,
)

TEXT = st.text(st.characters() | st.sampled_from("日本語é\u0301\x1b\x9b\u202e\ud800\U000e0001"))


@given(TEXT)
def test_nothing_a_terminal_obeys_is_left(text: str) -> None:
    assert [c for c in escape_text(text) if not c.isprintable() and c not in "\u200c\u200d" and not _is_blank_or_unassigned(c)] == []


def _is_blank_or_unassigned(character: str) -> bool:
    import unicodedata

    return unicodedata.category(character) in ("Zs", "Cn", "Co")


@given(st.text(string.ascii_letters + string.digits + " äñ日本語\u200d"))
def test_ordinary_text_is_not_changed(text: str) -> None:
    assert escape_text(text) == text


@given(TEXT.map(escape_text), st.integers(0, 40))
def test_cut_text_fits(text: str, width: int) -> None:
    assert cell_width(cut_text(text, width)) <= width


@given(TEXT.map(escape_text), st.integers(20, 80))
def test_wrapped_text_fits_and_loses_nothing(text: str, width: int) -> None:
    lines = wrap_text(text, width)
    assert all(cell_width(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_table_narrows_first_and_drops_columns_then_but_never_the_others() -> None:
    columns = (Column("A"), Column("WORDS", least=5, drop=1), Column("EXTRA", drop=2), Column("ID"))
    rows = [["1", "some longer words", "extra", "20251225_143022_my_pack"]]
    assert build_table(columns, rows, None)[1] == "1  some longer words  extra  20251225_143022_my_pack"
    assert build_table(columns, rows, 45)[1] == "1  some lo...  extra  20251225_143022_my_pack"
    assert build_table(columns, rows, 35)[1] == "1  some...  20251225_143022_my_pack"
    assert build_table(columns, rows, 10)[1] == "1  20251225_143022_my_pack"


def test_wide_characters_keep_the_columns_aligned() -> None:
    lines = build_table((Column("NAME"), Column("N")), [["日本", "1"], ["abcd", "2"]], None)
    assert [line[-1] for line in lines] == ["N", "1", "2"]
    assert len({cell_width(line) for line in lines}) == 1


def test_fields_align_and_leave_out_what_is_unknown() -> None:
    assert build_fields([("A", ["x"]), ("Long", ["y z"]), ("None", [""]), ("Never", [])], None, indent=1) == [" A     x", " Long  y z"]


def test_durations_read_as_people_say_them() -> None:
    assert [format_seconds(n) for n in (None, -1, 40, 59_900, 61_000, 7_260_000)] == ["", "", "0.0 s", "59.9 s", "1 min 1 s", "2 h 1 min"]
