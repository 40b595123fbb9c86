"""Recipes and packs on disk: by safe names, never over what somebody else has written, kept aside when they go."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lib_sdpipe.errors import ChangedMeanwhileError, RecordError, UnknownNameError, UsageError
from lib_sdpipe.store import recipes as shelf
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.recipes import (
    ASIDE_NAME, LARGEST_FILE, PACKS, RECIPES, bring_back, delete_file, digest_of, list_files, read_file, write_file,
)
from lib_sdpipe.store.runs import RunStore
from lib_sdpipe.store.scan import scan_beside_runs


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "runs").mkdir()
    return Layout(tmp_path / "runs", tmp_path / "runs" / ".sdpipe")


def test_files_are_written_listed_read_and_deleted(layout: Layout) -> None:
    assert list_files(layout, PACKS) == {}
    write_file(layout, PACKS, "Möwen (2)", ".txt", b"gull", None)
    digest = write_file(layout, PACKS, "a b", ".json", b"{}", None)
    write_file(layout, PACKS, "a b", ".txt", b"x", None)
    assert list_files(layout, PACKS) == {"a b": (".txt", ".json"), "Möwen (2)": (".txt",)} and list_files(layout, RECIPES) == {}
    found = read_file(layout, PACKS, "a b", ".json")
    assert (found.data, found.digest) == (b"{}", digest) == (b"{}", digest_of(b"{}"))
    delete_file(layout, PACKS, "a b", ".json", digest)
    assert list_files(layout, PACKS)["a b"] == (".txt",)
    with pytest.raises(UnknownNameError):
        read_file(layout, PACKS, "a b", ".json")


def test_what_was_deleted_comes_back_and_what_was_written_over_is_kept(layout: Layout) -> None:
    first = write_file(layout, RECIPES, "a", ".json", b"1", None)
    second = write_file(layout, RECIPES, "a", ".json", b"2", first)
    aside = delete_file(layout, RECIPES, "a", ".json", second)
    kept = sorted((layout.recipes / ASIDE_NAME).iterdir())
    assert [path.read_bytes() for path in kept] == [b"1", b"2"]
    assert bring_back(layout, RECIPES, aside) == "a" and read_file(layout, RECIPES, "a", ".json").data == b"2"
    with pytest.raises(ChangedMeanwhileError, match="there is a recipe 'a' already"):
        bring_back(layout, RECIPES, aside)
    stamp = "20260101T000000Z.1"
    for wrong in ("a.json", f"../a.{stamp}.json", f"../../x.{stamp}.json", f"a.{stamp}.txt", f"b.{stamp}.json"):
        with pytest.raises((UnknownNameError, UsageError)):
            bring_back(layout, RECIPES, wrong)


def test_there_is_an_end_to_what_is_kept_aside(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_MOST_ASIDE", 3)
    digest = write_file(layout, RECIPES, "a", ".json", b"0", None)
    for number in range(1, 6):
        digest = write_file(layout, RECIPES, "a", ".json", b"%d" % number, digest)
    assert sorted(path.read_bytes() for path in (layout.recipes / ASIDE_NAME).iterdir()) == [b"2", b"3", b"4"]


def test_nobody_writes_over_what_he_has_not_read(layout: Layout) -> None:
    mine = write_file(layout, RECIPES, "a", ".json", b"1", None)
    assert write_file(layout, RECIPES, "a", ".json", b"1", mine) == mine
    layout.recipes.joinpath("a.json").write_bytes(b"by hand")
    for act in (
        lambda: write_file(layout, RECIPES, "a", ".json", b"2", mine), lambda: write_file(layout, RECIPES, "a", ".json", b"2", None),
        lambda: delete_file(layout, RECIPES, "a", ".json", mine),
    ):
        with pytest.raises(ChangedMeanwhileError):
            act()
    assert layout.recipes.joinpath("a.json").read_bytes() == b"by hand"
    layout.recipes.joinpath("a.json").unlink()
    with pytest.raises(ChangedMeanwhileError, match="deleted meanwhile"):
        write_file(layout, RECIPES, "a", ".json", b"2", mine)


def test_a_name_that_differs_in_capitals_alone_is_taken(layout: Layout) -> None:
    write_file(layout, PACKS, "Sea", ".txt", b"1", None)
    with pytest.raises(ChangedMeanwhileError, match="there is a prompt pack 'Sea' already"):
        write_file(layout, PACKS, "sea", ".txt", b"2", None)
    write_file(layout, PACKS, "sea", ".json", b"{}", None)


@pytest.mark.parametrize("name", [
    "", " a", "a ", ".a", "a.", "..", "../a", "a/b", "a\\b", "a\0b", "a\nb", "con", "nul.x", "a:b", "a*", "x" * 101, "ü" * 95,
    "a\x1b[31m", "a\u202eb",
])
def test_what_cannot_be_a_name_everywhere_is_none(layout: Layout, name: str) -> None:
    for act in (
        lambda: write_file(layout, PACKS, name, ".txt", b"x", None), lambda: read_file(layout, PACKS, name, ".txt"),
        lambda: delete_file(layout, PACKS, name, ".txt", "x"),
    ):
        with pytest.raises(UsageError):
            act()
    assert not layout.packs.exists()


def test_other_kinds_of_files_are_none(layout: Layout) -> None:
    for suffix in (".py", "", ".txt/../../x", ".png"):
        with pytest.raises(UsageError):
            write_file(layout, PACKS, "a", suffix, b"x", None)
    with pytest.raises(UsageError, match="4 MB"):
        write_file(layout, PACKS, "a", ".txt", b"x" * (LARGEST_FILE + 1), None)


def test_what_else_lies_there_is_no_recipe(layout: Layout) -> None:
    layout.recipes.mkdir()
    for name in ("readme.md", ".hidden.json", "a.json.bak", " b.json"):
        (layout.recipes / name).write_bytes(b"{}")
    (layout.recipes / "folder.json").mkdir()
    assert list_files(layout, RECIPES) == {}
    with pytest.raises(RecordError):
        read_file(layout, RECIPES, "folder", ".json")
    (layout.recipes / "huge.json").write_bytes(b" " * (LARGEST_FILE + 1))
    with pytest.raises(RecordError, match="larger than"):
        read_file(layout, RECIPES, "huge", ".json")


@pytest.mark.skipif(os.name == "nt", reason="links and pipes as POSIX has them")
def test_no_link_leads_out_and_no_pipe_is_waited_for(layout: Layout, tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_bytes(b"secret")
    layout.packs.mkdir()
    (layout.packs / "a.txt").symlink_to(secret)
    os.mkfifo(layout.packs / "b.txt")
    for act in (
        lambda: read_file(layout, PACKS, "a", ".txt"), lambda: read_file(layout, PACKS, "b", ".txt"),
        lambda: write_file(layout, PACKS, "a", ".txt", b"x", digest_of(b"secret")),
        lambda: delete_file(layout, PACKS, "a", ".txt", digest_of(b"secret")),
    ):
        with pytest.raises(RecordError) as fault:
            act()
        assert str(tmp_path) not in str(fault.value)
    assert secret.read_bytes() == b"secret"
    (tmp_path / "elsewhere").mkdir()
    layout.recipes.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RecordError, match="a link leads out"):
        write_file(layout, RECIPES, "a", ".json", b"x", None)
    assert list((tmp_path / "elsewhere").iterdir()) == []


WRITER = """
import sys
from pathlib import Path
from lib_sdpipe.errors import ChangedMeanwhileError
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.recipes import RECIPES, read_file, write_file
runs = Path(sys.argv[1])
layout, done = Layout(runs, runs / ".sdpipe"), 0
while done < 15:
    found = read_file(layout, RECIPES, "count", ".json")
    try:
        write_file(layout, RECIPES, "count", ".json", b"%d" % (int(found.data) + 1), found.digest)
        done += 1
    except ChangedMeanwhileError:
        pass
"""


def test_two_processes_lose_nothing_of_each_other(layout: Layout) -> None:
    write_file(layout, RECIPES, "count", ".json", b"0", None)
    command = [sys.executable, "-c", WRITER, str(layout.runs)]
    writers = [subprocess.Popen(command, cwd=Path(__file__).parents[2]) for _ in range(2)]
    assert [writer.wait(60) for writer in writers] == [0, 0]
    assert read_file(layout, RECIPES, "count", ".json").data == b"30"


def test_they_are_neither_runs_nor_images(layout: Layout) -> None:
    write_file(layout, PACKS, "a", ".txt", b"x", None)
    write_file(layout, RECIPES, "a", ".json", b"{}", None)
    (layout.packs / "example.png").write_bytes(b"x")
    assert list(RunStore(layout).iter_run_ids()) == [] and list(scan_beside_runs(layout.runs)) == []
