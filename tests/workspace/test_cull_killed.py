"""A kill before every step of a cull and of a restore that touches the disk.

After the next deed each image is wholly in the bin, or wholly back.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib_sdpipe.workspace import bin as bin_module
from lib_sdpipe.workspace import cull_deed
from lib_sdpipe.workspace.bin import restore, settle_stopped, view_bin
from tests.store.death import Death, Killed
from tests.workspace.culling import CullLibrary, recorded, unrecorded

MORE_THAN_ALL_STEPS = 300


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The journal is what counts: the index is told after all is done, and would be told by the next look."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    monkeypatch.setattr(cull_deed, "tell_index", lambda *ignored: None)
    monkeypatch.setattr(bin_module, "tell_index", lambda *ignored: None)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("first") / "library"
    CullLibrary(top)
    return top


def copy_of(first: Path, top: Path) -> CullLibrary:
    shutil.copytree(first, top)
    image = top / "outputs" / "day" / "1.png"
    for kept in (top / "runs").glob("*/txt2img/*.png"):
        kept.unlink()
        os.link(image, kept)  # copytree makes two files of one
    return CullLibrary(top, is_copy=True)


def throw_away(library: CullLibrary) -> None:
    library.cull(recorded(1), unrecorded(5))


def each_kill(first: Path, folder: Path, work: Callable[[CullLibrary], object]) -> Iterator[CullLibrary]:
    for n in range(1, MORE_THAN_ALL_STEPS):
        library = copy_of(first, folder / str(n))
        with pytest.MonkeyPatch.context() as patched:
            death = Death(patched, n)
            try:
                work(library)
            except Killed:
                pass
        if not death.is_dead:
            assert n > 30, "the kills reach every step"
            return
        yield library
    raise AssertionError("more steps than were killed")


def assert_whole(library: CullLibrary) -> None:
    """Of each image all is in its place, or all in the bin."""
    names = {name for name in library.contents() if ".sdpipe-quarantine" not in name}
    own = [f"outputs/day/1.{suffix}" in names for suffix in ("png", "txt", "jpg")] + [any("txt2img/txt2img_001.png" in n for n in names)]
    is_lost = b"Z" in library.manifest(1).read_bytes().partition(b'"lost_at"')[2].partition(b",")[0]
    assert own in ([True] * 4, [False] * 4) and is_lost is not own[0]
    assert ("outputs/old/5.png" in names) is ("outputs/old/5.txt" in names)
    assert not any(".sdpipe-tmp" in name for name in library.contents())


def test_a_cull_that_was_killed_anywhere_is_whole_after_the_next_deed_and_can_be_taken_back(first: Path, quick_path: Path) -> None:
    before = copy_of(first, quick_path / "before").tree()
    for library in each_kill(first, quick_path, throw_away):
        settle_stopped(library.workspace)
        assert_whole(library)
        assert not any(cull.is_stopped for cull in view_bin(library.workspace).culls)
        for cull in view_bin(library.workspace).culls:
            assert restore(library.workspace, cull.apply_id).failed == []
        assert library.tree() == before


def test_a_restore_of_one_that_was_killed_anywhere_is_finished_by_the_next_deed(first: Path, quick_path: Path) -> None:
    whole = copy_of(first, quick_path / "whole")
    before = whole.tree()
    throw_away(whole)

    def restore_one(library: CullLibrary) -> None:
        (cull,) = view_bin(library.workspace).culls
        restore(library.workspace, cull.apply_id, [cull.items[0].image.op])

    for library in each_kill(whole.top, quick_path, restore_one):
        settle_stopped(library.workspace)
        assert_whole(library)
        for cull in view_bin(library.workspace).culls:
            assert restore(library.workspace, cull.apply_id).failed == []
        assert library.tree() == before


@pytest.mark.parametrize("code", [28, 30], ids=["full", "read-only"])
def test_a_disk_that_refuses_any_step_leaves_every_image_whole(first: Path, quick_path: Path, code: int) -> None:
    before = copy_of(first, quick_path / "before").tree()
    for n in range(1, MORE_THAN_ALL_STEPS, 3):
        library = copy_of(first, quick_path / str(n))
        with pytest.MonkeyPatch.context() as patched:
            death = Death(patched, n, OSError(code, "the disk refuses"))
            try:
                throw_away(library)
            except OSError:
                assert library.tree() == before, "without its lock it does not begin"
        if death.count < n:
            return
        settle_stopped(library.workspace)
        assert_whole(library)
        for cull in view_bin(library.workspace).culls:
            assert restore(library.workspace, cull.apply_id).failed == []
        assert library.tree() == before
    raise AssertionError("more steps than were refused")
