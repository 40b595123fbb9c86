from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from lib_sdpipe.errors import RecordError
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.machine import process_mark


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    (tmp_path / "data" / "outputs").mkdir(parents=True)
    return find_layout(tmp_path / "data" / "runs")


def outputs(layout: Layout) -> Path:
    return layout.runs.parent / "outputs"


def test_a_file_is_named_by_its_root_and_its_path_in_it(layout: Layout) -> None:
    library = Library(layout)
    library.ensure_roots({"outputs": outputs(layout)})
    file = outputs(layout) / "txt2img-images" / "1.png"
    assert library.locate(file) == ("outputs", "txt2img-images/1.png")
    assert library.resolve("outputs", "txt2img-images/1.png") == file


def test_a_file_outside_all_roots_is_named_by_its_absolute_path(layout: Layout, tmp_path: Path) -> None:
    library = Library(layout)
    assert library.locate(tmp_path / "x.png") == (None, (tmp_path / "x.png").as_posix())
    assert library.resolve(None, (tmp_path / "x.png").as_posix()) == tmp_path / "x.png"


def test_the_runs_folder_is_a_root_of_its_own(layout: Layout) -> None:
    assert Library(layout).locate(layout.runs / "r" / "1.png") == ("runs", "r/1.png")


def test_roots_are_stored_relative_so_that_a_library_can_be_moved(layout: Layout) -> None:
    Library(layout).ensure_roots({"outputs": outputs(layout)})
    assert json.loads(layout.library_file.read_bytes())["roots"]["outputs"]["path"] == "../outputs"
    moved = layout.runs.parent.with_name("moved")
    layout.runs.parent.rename(moved)
    assert Library(find_layout(moved / "runs")).roots()["outputs"] == moved / "outputs"


def test_a_name_stays_with_its_folder_and_the_next_folder_gets_a_number(layout: Layout, tmp_path: Path) -> None:
    library = Library(layout)
    library.ensure_roots({"outputs": outputs(layout)})
    library.ensure_roots({"outputs": tmp_path / "elsewhere" / "outputs"})
    assert set(library.roots()) == {"runs", "outputs", "outputs-2"}
    assert library.roots()["outputs"] == outputs(layout)


def test_an_entry_for_this_machine_wins(layout: Layout, tmp_path: Path) -> None:
    Library(layout).ensure_roots({"outputs": outputs(layout)})
    document = json.loads(layout.library_file.read_bytes())
    document["roots"]["outputs"]["on"] = {process_mark().machine: str(tmp_path / "mounted")}
    layout.library_file.write_text(json.dumps(document))
    assert Library(layout).roots()["outputs"] == tmp_path / "mounted"


@pytest.mark.parametrize("elsewhere", [5, None, {}, ["x"]])
def test_a_wrong_entry_for_this_machine_is_passed_over(layout: Layout, elsewhere: object) -> None:
    Library(layout).ensure_roots({"outputs": outputs(layout)})
    document = json.loads(layout.library_file.read_bytes())
    document["roots"]["outputs"]["on"] = {process_mark().machine: elsewhere}
    layout.library_file.write_text(json.dumps(document))
    assert Library(layout).roots()["outputs"] == outputs(layout)


def test_a_library_file_that_was_removed_is_put_back(layout: Layout) -> None:
    library = Library(layout)
    library.ensure_roots({"outputs": outputs(layout)})
    layout.library_file.unlink()
    library.write_if_gone()
    assert Library(layout).roots() == library.roots()


@pytest.mark.parametrize("path", ["../secret.png", "a/../../secret.png", "/etc/passwd"])
def test_a_path_that_leads_out_of_its_root_leads_nowhere(layout: Layout, path: str) -> None:
    library = Library(layout)
    library.ensure_roots({"outputs": outputs(layout)})
    assert library.resolve("outputs", path) is None
    assert library.resolve("no such root", "1.png") is None


def test_reading_writes_nothing(layout: Layout) -> None:
    Library(layout).locate(outputs(layout) / "1.png")
    assert not layout.runs.exists()


def test_a_damaged_library_file_is_one_sentence(layout: Layout) -> None:
    layout.runs.mkdir()
    layout.library_file.write_text("{")
    with pytest.raises(RecordError, match="library.json"):
        Library(layout)


def test_the_cache_folder_holds_what_can_be_derived_when_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SDPIPE_CACHE", str(tmp_path / "cache"))
    one, other = find_layout(tmp_path / "a"), find_layout(tmp_path / "b")
    assert one.private.parent == tmp_path / "cache" != one.runs
    assert one.private != other.private
    assert os.path.isabs(one.private)


def test_of_a_damaged_library_file_what_was_known_stands_and_it_is_not_written_over(layout: Layout, tmp_path: Path) -> None:
    known = Library(layout)
    known.ensure_roots({"outputs": outputs(layout)})
    layout.library_file.write_text('{"schema": "sdpi')
    library = Library.unread(layout)
    fault = library.reload_tolerantly(known.document)
    assert fault is not None and "library.json" in str(fault)
    library.ensure_roots({"others": tmp_path / "others"})
    library.write_if_gone()
    assert library.locate(outputs(layout) / "1.png") == ("outputs", "1.png")
    assert library.locate(tmp_path / "others" / "1.png") == (None, (tmp_path / "others" / "1.png").as_posix())
    assert layout.library_file.read_text() == '{"schema": "sdpi', "it may be a slip in somebody's own edit"
    layout.library_file.unlink()
    assert library.reload_tolerantly(known.document) is None
    library.write_if_gone()
    assert Library(layout).document == known.document, "moved aside, it is made anew with the same id and roots"


def marks(layout: Layout) -> dict[str, object]:
    return {name: root.get("is_save_folder") for name, root in json.loads(layout.library_file.read_bytes())["roots"].items()}


def test_the_root_of_the_save_folder_is_marked_also_in_an_older_file(layout: Layout) -> None:
    log = layout.runs.parent / "log"
    roots = {"outputs": outputs(layout), "log": log}
    Library(layout).ensure_roots(roots)
    assert marks(layout) == {"outputs": None, "log": None}
    library = Library(layout)
    library.ensure_roots(roots, log)
    assert marks(layout) == {"outputs": None, "log": True} and library.save_roots() == {"log"}
    before = layout.library_file.stat().st_mtime_ns
    library.ensure_roots(roots, log)
    assert layout.library_file.stat().st_mtime_ns == before, "written only when something is new"
    assert Library(layout).save_roots() == {"log"}


def test_a_root_that_other_images_are_saved_to_is_no_save_folder_any_more(layout: Layout) -> None:
    log = layout.runs.parent / "log"
    Library(layout).ensure_roots({"outputs": outputs(layout), "log": log}, log)
    Library(layout).ensure_roots({"outputs": outputs(layout)})
    assert marks(layout)["log"] is True, "what was copied there is still there"
    Library(layout).ensure_roots({"log": log / "grids"})
    assert marks(layout)["log"] is False


def test_a_save_folder_inside_a_root_with_other_images_is_not_marked(layout: Layout) -> None:
    saved = outputs(layout) / "saved"
    Library(layout).ensure_roots({"outputs": outputs(layout)})
    Library(layout).ensure_roots({"outputs": outputs(layout), "saved": saved}, saved)
    assert marks(layout) == {"outputs": None}
