"""A page sees the index as it is; the watch brings it up to the disk behind it."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest
from PIL import Image

from lib_sdpipe.index.index import open_index
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace import watch as watch_module
from lib_sdpipe.workspace.browsing import browse_images, browse_runs
from lib_sdpipe.workspace.watch import LibraryWatch
from tests.ui.sample_library import SampleLibrary

LONG = 60.0


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    return SampleLibrary(tmp_path / "library")


def labels(library: SampleLibrary, query: str = "") -> list[str | None]:
    page = browse_runs(Workspace(library.layout), query, 10)
    return [run.label for run in page.runs] if page is not None else []


def test_the_first_ask_begins_a_look_at_everything_and_says_how_it_goes(library: SampleLibrary) -> None:
    library.add_image(library.add_run("recorded", ago=60), "txt2img_001", 1)
    Image.new("RGB", (8, 8)).save(library.outputs / "old.png")
    watch = LibraryWatch(library.layout)
    assert browse_images(Workspace(library.layout), "", 10) is None and watch.facets() is None, "there is no index yet"
    assert watch.ask().doing is not None
    done = watch.ask(patience=LONG)
    assert done.doing is None and done.has_looked and done.fault is None
    page = browse_images(Workspace(library.layout), "", 10)
    assert page is not None and page.total == 2 and labels(library) == ["recorded"]
    facets = watch.facets()
    assert facets is not None and (facets.recorded, facets.unrecorded) == (1, 1)


def test_a_short_look_sees_new_runs_and_how_running_ones_ended(library: SampleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = LibraryWatch(library.layout)
    watch.ask(patience=LONG)
    monkeypatch.setattr(watch_module.Refresh, "look", lambda *_: pytest.fail("everything is looked at again"))
    run_id = library.add_run("now", ago=2, status="running")
    assert watch.ask(patience=LONG).fault is None
    assert [run.status for run in browse_runs(Workspace(library.layout), "", 9).runs] == ["running"]
    run = library.store.read_run(run_id)
    run.status = "completed"
    library.store.write_run(run)
    os.utime(library.layout.run_file(run_id), ns=(1, 1))
    watch.ask(patience=LONG)
    assert [run.status for run in browse_runs(Workspace(library.layout), "", 9).runs] == ["completed"]


def test_asking_again_looks_at_everything_and_one_look_goes_at_a_time(library: SampleLibrary, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = LibraryWatch(library.layout)
    watch.ask(patience=LONG)
    Image.new("RGB", (8, 8)).save(library.outputs / "new.png")
    gate, looks = threading.Event(), []
    original = watch_module.Refresh.look
    monkeypatch.setattr(watch_module.Refresh, "look", lambda self, ids: (looks.append(1), gate.wait(LONG), original(self, ids)))
    assert [watch.ask(again=True).doing for _ in range(3)] == ["folders"] * 3
    started = time.monotonic()
    page = browse_images(Workspace(library.layout), "", 10)
    assert page is not None and page.total == 0 and time.monotonic() - started < 5, "the page does not wait for the look"
    gate.set()
    watch.ask(patience=LONG)
    assert len(looks) == 1 and browse_images(Workspace(library.layout), "", 10).total == 1


def test_an_index_that_is_deleted_under_a_page_is_made_again(library: SampleLibrary) -> None:
    library.add_image(library.add_run("recorded", ago=60), "txt2img_001", 1)
    Image.new("RGB", (8, 8)).save(library.outputs / "old.png")
    watch = LibraryWatch(library.layout)
    watch.ask(patience=LONG)
    library.layout.private.rename(library.outputs.parent / "deleted")
    looking = watch.looking()
    assert looking.doing == "folders" and not looking.has_looked
    assert watch.ask(patience=LONG).has_looked and browse_images(Workspace(library.layout), "", 10).total == 2


def test_an_index_that_was_begun_again_since_is_filled(library: SampleLibrary) -> None:
    Image.new("RGB", (8, 8)).save(library.outputs / "old.png")
    watch = LibraryWatch(library.layout)
    watch.ask(patience=LONG)
    library.layout.private.rename(library.outputs.parent / "deleted")
    with open_index(library.layout.index_places):
        pass  # as the recorder does it, for one run
    watch.ask(patience=LONG)
    assert browse_images(Workspace(library.layout), "", 10).total == 1


def test_a_fault_is_told_and_the_next_look_is_possible(library: SampleLibrary) -> None:
    watch = LibraryWatch(library.layout)
    library.layout.library_file.write_text("{", encoding="utf-8")
    assert "library.json" in (watch.ask(patience=LONG).fault or "")
    library.layout.library_file.unlink()
    assert watch.ask(again=True, patience=LONG).fault is None


def test_a_library_that_is_not_there_yet_stays_unwritten(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "runs", tmp_path / "cache")
    assert LibraryWatch(layout).ask(patience=LONG).doing is None and browse_runs(Workspace(layout), "", 5) is None
    assert list(tmp_path.iterdir()) == []
