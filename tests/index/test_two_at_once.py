"""The index in use by several processes, damaged, deleted, on a full disk: it is derived, and nobody is told more than needed."""

from __future__ import annotations

import multiprocessing
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from lib_sdpipe.index import database
from lib_sdpipe.index.index import Index
from lib_sdpipe.store.layout import Layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.refresh import Refresh
from lib_sdpipe.store.runs import RunStore
from tests.store.picture_files import write_png
from tests.store.test_refresh import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    for number in range(4):
        place.record(f"20251225_14302{number}_a", count=3)
    yield place
    place.index.close()


def fresh(place: Place, tmp_path: Path) -> dict[str, list[dict[str, object]]]:
    index = Index(tmp_path / "fresh.sqlite3")
    place.look(index)
    content = index.content()
    index.close()
    return content


def look_often(layout: Layout, times: int) -> None:
    for _ in range(times):
        index = Index(layout.index_file)
        Refresh(layout, Library(layout), index).look(list(RunStore(layout).iter_run_ids()))
        index.close()


def test_several_processes_that_look_at_once_make_one_index(place: Place, tmp_path: Path) -> None:
    place.index.close()
    database.delete(place.layout.index_file)
    context = multiprocessing.get_context("spawn")
    looking = [context.Process(target=look_often, args=(place.layout, 5)) for _ in range(3)]
    for process in looking:
        process.start()
    for process in looking:
        process.join(60)
    assert [process.exitcode for process in looking] == [0, 0, 0]
    index = Index(place.layout.index_file)
    assert index.content() == fresh(place, tmp_path)
    index.close()


def test_who_records_while_another_looks_does_not_trip_it(place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every pause of a look another process writes what the look is about to find, or takes away what it has found."""
    webui = Index(place.layout.index_file)
    write_png(place.outputs / "gone" / "1.png", None)
    place.look()
    recorded = [f"20251226_1430{number:02d}_b" for number in range(12)]
    for run_id in recorded:
        place.record(run_id, count=3)
    monkeypatch.setattr("lib_sdpipe.store.refresh._BATCH_SECONDS", 0.0)
    go_on = Index.commit_and_go_on

    def write_between(index: Index) -> None:
        if index is place.index and recorded and index.files.claimed_by(recorded[0]):
            index._connection.execute("COMMIT")
            Refresh(place.layout, place.library, webui).look_at_run(recorded.pop())
            if not recorded:
                (place.outputs / "gone").rename(place.outputs / "elsewhere")
                place.look(webui)
            index._connection.execute("BEGIN IMMEDIATE")
        else:
            go_on(index)

    monkeypatch.setattr(Index, "commit_and_go_on", write_between)
    place.look()
    assert recorded == []
    monkeypatch.undo()
    place.look()
    assert place.index.content() == fresh(place, tmp_path)
    webui.close()


def test_a_writer_gets_its_turn_during_a_long_look(place: Place) -> None:
    """Who looks holds the lock nearly all the time; who records waits for one batch, not for the end."""
    is_over = threading.Event()

    def look() -> None:
        with place.index.transaction():
            while not is_over.is_set():
                time.sleep(0.1)
                place.index.commit_and_go_on()

    looking = threading.Thread(target=look)
    looking.start()
    other = Index(place.layout.index_file)
    waits = []
    for _ in range(3):
        started = time.monotonic()
        with other.transaction():
            waits.append(time.monotonic() - started)
        time.sleep(0.05)
    is_over.set()
    looking.join()
    other.close()
    assert sorted(waits)[1] < 1.5, waits


def test_a_check_goes_on_while_somebody_deletes_the_index(place: Place, tmp_path: Path) -> None:
    place.look()
    database.delete(place.layout.index_file)
    place.record("20251226_143020_b")
    assert place.look().runs == 5
    again = Index(place.layout.index_file)
    place.look(again)
    assert again.content() == fresh(place, tmp_path)
    again.close()


def damage_in_the_middle(file: Path) -> None:
    """The pages that say what tables there are stay whole: nobody notices before what is in them is read."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = connection.execute("SELECT rootpage FROM sqlite_master WHERE name IN ('files', 'pictures', 'runs')").fetchall()
    connection.close()
    data = bytearray(file.read_bytes())
    for (page,) in pages:
        data[(page - 1) * 4096:(page - 1) * 4096 + 200] = b"\x5a" * 200
    file.write_bytes(data)


def test_an_index_that_is_damaged_inside_is_made_anew_and_it_is_said(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place.look()
    place.index.close()
    damage_in_the_middle(place.layout.index_file)
    assert main(["check", "--runs", str(place.layout.runs), "--json"]) in (0, 1)
    said = capsys.readouterr()
    assert "damaged" in said.err and "made anew" in said.err and '"manifests": 12' in said.out and "Traceback" not in said.err
    index = Index(place.layout.index_file)
    assert index.content() == fresh(place, tmp_path)
    index.close()


def test_an_index_that_is_none_is_made_anew(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.index.close()
    database.delete(place.layout.index_file)
    place.layout.index_file.write_bytes(b"no index at all" * 1000)
    assert main(["check", "--runs", str(place.layout.runs)]) in (0, 1)
    assert "12 manifests" in capsys.readouterr().out


def test_a_full_disk_is_one_sentence_and_the_next_look_goes_on(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQLite reports it as it reports a disk without room: the limit of pages is a disk of that size."""
    place.record("20251226_143020_b", prompt="a very long prompt " * 5_000)
    place.index.close()
    database.delete(place.layout.index_file)
    real = database._open

    def on_a_small_disk(path: Path) -> tuple[sqlite3.Connection, bool]:
        connection, is_new = real(path)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection, is_new

    with monkeypatch.context() as patch:
        patch.setattr(database, "_open", on_a_small_disk)
        assert main(["check", "--runs", str(place.layout.runs)]) == 3
    said = capsys.readouterr()
    assert said.err.count("\n") == 1 and "the disk is full" in said.err and said.out == ""
    assert main(["check", "--runs", str(place.layout.runs)]) in (0, 1)
    index = Index(place.layout.index_file)
    assert index.content() == fresh(place, tmp_path)
    index.close()


_LOOK_SLOWLY = """
import sys
from pathlib import Path
from lib_sdpipe.index.index import Index
from lib_sdpipe.store import refresh
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
refresh._BATCH_SECONDS = 0.0
layout = find_layout(Path(sys.argv[1]))
print("ready", flush=True)
refresh.Refresh(layout, Library(layout), Index(layout.index_file)).look(list(RunStore(layout).iter_run_ids()))
print("done", flush=True)
"""


@pytest.fixture
def repository() -> Iterator[Path]:
    yield Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("milliseconds", [0, 5, 20, 60])
def test_killed_in_the_middle_of_a_look_the_next_one_goes_on(place: Place, tmp_path: Path, repository: Path, milliseconds: int) -> None:
    place.index.close()
    child = subprocess.Popen(
        [sys.executable, "-c", _LOOK_SLOWLY, str(place.layout.runs)], cwd=repository, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(milliseconds / 1000)
    child.kill()
    child.wait()
    child.stdout.close()
    index = Index(place.layout.index_file)
    place.look(index)
    assert index.content() == fresh(place, tmp_path)
    index.close()
