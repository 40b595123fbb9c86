"""A disk that is away is not an empty library."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lib_sdpipe.errors import UnreachableLibraryError
from lib_sdpipe.store import place as place_module
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.place import Place, is_of_folder


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    return find_layout(tmp_path / "disk" / "runs")


@pytest.fixture
def used(layout: Layout, tmp_path: Path) -> Place:
    """A place where a library was seen."""
    place = Place(layout)
    place.ensure()
    library = Library(layout)
    library.ensure_roots({"outputs": tmp_path / "outputs"})
    place.remember(library.document)
    return place


def unmount(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk goes; an empty folder of another file system is left."""
    layout.runs.parent.rename(layout.runs.parent.with_name("unmounted"))
    layout.runs.mkdir(parents=True)
    monkeypatch.setattr(place_module, "_mount_point", lambda folder: "/elsewhere")


def test_an_empty_folder_of_another_disk_is_not_filled(layout: Layout, used: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    unmount(layout, monkeypatch)
    for place in (used, Place(layout)):  # this process, and the next
        with pytest.raises(UnreachableLibraryError, match="disk is not there"):
            place.ensure()
    assert os.listdir(layout.runs) == []


def test_the_disk_is_back(layout: Layout, used: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = used.changes
    with monkeypatch.context() as patched:
        unmount(layout, patched)
        with pytest.raises(UnreachableLibraryError):
            used.ensure()
    layout.runs.rmdir()
    layout.runs.parent.rmdir()
    layout.runs.parent.with_name("unmounted").rename(layout.runs.parent)
    used.ensure()
    assert used.changes == changes, "the same folder: what is open on it stays open"


def test_who_wants_to_begin_anew_there_can(layout: Layout, used: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    unmount(layout, monkeypatch)
    with pytest.raises(UnreachableLibraryError) as fault:
        used.ensure()
    told = str(fault.value).split("delete ")[1].split(")")[0]
    Path(told).unlink()
    used.ensure()
    Place(layout).ensure()


def test_a_runs_folder_that_somebody_removed_is_made_again_with_its_id_and_roots(layout: Layout, used: Place) -> None:
    known = Library(layout).document
    for path in sorted(layout.runs.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    layout.runs.rmdir()
    used.ensure()
    library = Library.unread(layout)
    assert library.reload_tolerantly(used.known_library) is None
    assert library.document == known


def test_another_library_in_its_place_is_used_by_the_next_process_only(layout: Layout, used: Place, tmp_path: Path) -> None:
    layout.library_file.unlink()
    Library(layout).ensure_roots({"outputs": tmp_path / "outputs"})
    with pytest.raises(UnreachableLibraryError, match="another library"):
        used.ensure(look=True)
    after = Place(layout)
    after.ensure()
    assert after.known_library is None


def test_a_folder_that_was_never_seen_is_made(layout: Layout) -> None:
    Place(layout).ensure()
    assert layout.runs.is_dir()


def test_a_memory_that_cannot_be_read_or_written_is_done_without(layout: Layout, used: Place) -> None:
    file = layout.apart / "place.json"
    for content in (b"", b"{", b"\0" * 50, b'{"schema": "sdpipe.place/1", "mount": 5}', b'{"schema": "sdpipe.place/2"}'):
        file.write_bytes(content)
        Place(layout).ensure()
        assert Place(layout).known_library is None


@pytest.mark.parametrize(("fault", "expected"), [
    (OSError(28, "No space left on device"), True),
    (OSError(30, "Read-only file system", "/elsewhere/copied-from.png"), True),
    (OSError(5, "Input/output error", "{runs}/x/run_metadata.json"), True),
    (OSError(5, "Input/output error", "/elsewhere/image.png"), False),
    (OSError(13, "Permission denied", "/elsewhere/image.png"), False),
    (FileNotFoundError(2, "No such file or directory", "{runs}/x"), False),
    (ValueError("x"), False),
])
def test_the_folders_fault_is_told_from_an_images(layout: Layout, fault: Exception, expected: bool) -> None:
    if isinstance(fault, OSError) and fault.filename:
        fault.filename = fault.filename.replace("{runs}", str(layout.runs))
    assert is_of_folder(layout, fault) is expected
