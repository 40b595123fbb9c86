from __future__ import annotations

import unicodedata
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_sdpipe.manifest.names import build_label, build_manifest_name, build_run_id, is_manifest_file, is_manifest_name, is_run_id

START = datetime(2025, 12, 25, 14, 30, 22)


@pytest.mark.parametrize(("typed", "label"), [
    ("my pack", "my_pack"),
    ("  my/pack: v2* ", "my_pack_v2"),
    ("キャット 夜", "キャット_夜"),
    ("../../etc/passwd", "etc_passwd"),
    ("a.b-c_d", "a.b-c_d"),
    ("...", ""),
    ("", ""),
    ("<script>", "script"),
    ("e\u0301t\u00e9", "\u00e9t\u00e9"),
])
def test_a_label_keeps_letters_and_digits_of_any_script(typed: str, label: str) -> None:
    assert build_label(typed) == label


@pytest.mark.parametrize("typed", ["CON", "nul", "com1", "Lpt9.txt", "aux."])
def test_names_that_windows_reserves_are_avoided(typed: str) -> None:
    assert build_label(typed).split(".")[0].lower() not in {"con", "nul", "com1", "lpt9", "aux"}


@given(st.text(max_size=400))
def test_a_label_is_always_a_short_safe_name_and_stays_as_it_is(typed: str) -> None:
    label = build_label(typed)
    assert len(label) <= 64 and len(label.encode("utf-8")) <= 120
    assert not label or (label[0] not in "._" and label[-1] not in "._")
    assert all(c.isalnum() or c in "-_." for c in label)
    assert label == unicodedata.normalize("NFC", label) or not label
    assert build_label(label) == label


@given(st.text(min_size=1, max_size=50).map(build_label).filter(bool), st.integers(1, 99))
def test_every_run_id_is_recognised(label: str, attempt: int) -> None:
    assert is_run_id(build_run_id(START, label, attempt))


def test_the_second_run_of_one_second_gets_a_number() -> None:
    assert build_run_id(START, "my_pack") == "20251225_143022_my_pack"
    assert build_run_id(START, "my_pack", 2) == "20251225_143022_my_pack_2"


@pytest.mark.parametrize("name", ["..", "inputs", "20251225_143022_", "20251225_143022_a/../b", "20251225_143022_a\\b", ".sdpipe"])
def test_other_folders_are_no_runs(name: str) -> None:
    assert not is_run_id(name)


def test_manifest_names_count_from_001_and_grow() -> None:
    assert build_manifest_name("txt2img", 1) == "txt2img_001"
    assert build_manifest_name("txt2img", 1000) == "txt2img_1000"


@pytest.mark.parametrize(("name", "is_one"), [
    ("adetailer_012", True), ("txt2img_p01_v01_my pack_copy1", True), ("", False), ("../txt2img_001", False), ("a\\b", False),
    ("a\0", False), (".hidden", False), ("x" * 251, False),
])
def test_a_manifest_name_is_one_part_of_a_path(name: str, is_one: bool) -> None:
    assert is_manifest_name(name) is is_one


@pytest.mark.parametrize(("file", "is_one"), [
    ("txt2img_001.json", True), ("txt2img_p01_v01_my.pack_copy1.json", True), (".txt2img_001.json", False), ("notes.txt", False),
    ("a.prompt_optimizer_v3.json", False), ("a.prompt_optimization.json", False),
])
def test_what_older_programs_keep_beside_manifests_is_none(file: str, is_one: bool) -> None:
    assert is_manifest_file(file) is is_one
