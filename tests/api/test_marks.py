"""Marks: a person's words on images, in the run's own folder."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from fastapi.testclient import TestClient

from lib_sdpipe.store.marks import read_marks, write_marks
from tests.ui.sample_library import SampleLibrary


@pytest.fixture
def run_id(library: SampleLibrary) -> str:
    run_id = library.add_run("harbour", ago=60)
    for number in range(1, 4):
        library.add_image(run_id, f"txt2img_{number:03d}", number, (64, 64))
    return run_id


def mark(client: TestClient, run_id: str, **changes: Any) -> Any:
    return client.post(f"marks/{run_id}", json={"marks": {"txt2img_001": changes}}).json()


def test_marks_are_empty_then_kept_changed_by_field_and_taken_off(client: TestClient, run_id: str) -> None:
    assert client.get(f"marks/{run_id}").json() == {"schema": "sdpipe.marks/1", "marks": {}}
    mark(client, run_id, rating=4, tags=["sea"])
    mark(client, run_id, favourite=True, rating=5)
    first = client.get(f"marks/{run_id}").json()["marks"]["txt2img_001"]
    assert first.pop("updated_at").endswith("Z") and first == {"rating": 5, "favourite": True, "tags": ["sea"]}
    assert "rating" not in mark(client, run_id, rating=None)["marks"]["txt2img_001"]
    assert client.post(f"marks/{run_id}", json={"marks": {"txt2img_001": None}}).json()["marks"] == {}


def test_single_tags_are_added_and_taken_off_beside_those_of_others(client: TestClient, run_id: str) -> None:
    mark(client, run_id, tags=["sea", "Print"])
    assert mark(client, run_id, add_tags=[" night ", "print"])["marks"]["txt2img_001"]["tags"] == ["sea", "Print", "night"]
    assert mark(client, run_id, remove_tags=["SEA", "none"], add_tags=["x"])["marks"]["txt2img_001"]["tags"] == ["Print", "night", "x"]
    assert mark(client, run_id, remove_tags=["print", "night", "x"])["marks"] == {}
    assert "tags would no longer be" in mark(client, run_id, add_tags=[f"t{n}" for n in range(100)], tags=["a"])["detail"]


def test_what_is_marked_is_found_at_once(client: TestClient, run_id: str) -> None:
    client.get("images")
    mark(client, run_id, rating=5, tags=["sea"])
    found = client.get("images?q=tag:sea rating:5&as_indexed=true").json()["images"]
    assert [image["name"] for image in found] == ["txt2img_001"]


def test_marks_move_with_the_run(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    mark(client, run_id, note="for the wall")
    moved = library.layout.runs.with_name("other")
    library.layout.runs.rename(moved)
    moved.rename(library.layout.runs)
    assert client.get(f"marks/{run_id}").json()["marks"]["txt2img_001"]["note"] == "for the wall"
    assert library.layout.marks_file(run_id).parent == library.layout.run_folder(run_id)


@pytest.mark.parametrize("change", [
    {"rating": 6}, {"rating": -1}, {"rating": True}, {"rating": 4.5}, {"favourite": 1}, {"tags": "sea"}, {"tags": [""]}, {"tags": [1]},
    {"tags": ["x" * 101]}, {"tags": ["x"] * 101}, {"add_tags": "sea"}, {"add_tags": [" "]}, {"remove_tags": [1]},
    {"note": 3}, {"note": "x" * 10_001}, {"stars": 3}, {"updated_at": "now"}, [],
])
def test_what_is_no_mark_is_refused_and_nothing_is_written(
    client: TestClient, library: SampleLibrary, run_id: str, change: Any,
) -> None:
    answer = client.post(f"marks/{run_id}", json={"marks": {"txt2img_002": {"rating": 1}, "txt2img_001": change}})
    assert answer.status_code == 400 and "txt2img_001" in answer.json()["detail"]
    assert not library.layout.marks_file(run_id).exists()


def test_only_images_of_the_run_can_be_marked(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    for name in ("txt2img_009", "../x", "", "a/b"):
        answer = client.post(f"marks/{run_id}", json={"marks": {name: {"rating": 1}}})
        assert answer.status_code in (400, 404), name
    assert client.post("marks/20250101_000000_none", json={"marks": {}}).status_code == 404
    assert client.get("marks/20250101_000000_none").status_code == 404
    assert not library.layout.marks_file(run_id).exists()


def test_what_others_wrote_into_the_file_stays(library: SampleLibrary, run_id: str) -> None:
    file = library.layout.marks_file(run_id)
    known = {"schema": "sdpipe.marks/1", "marks": {"gone_001": {"rating": 2}, "txt2img_001": {"rating": 1, "colour": "red"}}, "by": "me"}
    file.write_text(json.dumps(known))
    document = write_marks(library.layout, run_id, {"txt2img_001": {"rating": 3}}, "2025-01-01T00:00:00.000Z")
    assert document["by"] == "me" and document["marks"]["gone_001"] == {"rating": 2}
    assert document["marks"]["txt2img_001"] == {"rating": 3, "updated_at": "2025-01-01T00:00:00.000Z", "colour": "red"}


@pytest.mark.parametrize("text", [
    "{", "[]", '{"schema": "sdpipe.marks/2", "marks": {}}', '{"schema": "sdpipe.marks/1", "marks": {"a": 1}}',
])
def test_a_damaged_or_newer_file_is_said_and_never_written_over(
    client: TestClient, library: SampleLibrary, run_id: str, text: str,
) -> None:
    library.layout.marks_file(run_id).write_text(text)
    assert client.get(f"marks/{run_id}").status_code == 400
    assert "marks.json" in mark(client, run_id, rating=1)["detail"]
    assert library.layout.marks_file(run_id).read_text() == text


def test_of_many_who_mark_at_once_nobodys_mark_is_lost(library: SampleLibrary, run_id: str) -> None:
    def add(number: int) -> None:
        change = {("rating", "favourite", "note")[number // 3]: (3, True, "x")[number // 3]}
        write_marks(library.layout, run_id, {f"txt2img_{number % 3 + 1:03d}": change}, "2025-01-01T00:00:00.000Z")

    with ThreadPoolExecutor(9) as pool:
        list(pool.map(add, range(9)))
    marks = read_marks(library.layout, run_id)["marks"]
    assert len(marks) == 3 and all(set(mark) == {"rating", "favourite", "note", "updated_at"} for mark in marks.values())


def test_a_check_has_nothing_to_say_about_marks(client: TestClient, run_id: str) -> None:
    before = client.post("check", json={}).json()["findings"]
    mark(client, run_id, rating=1)
    assert client.post("check", json={}).json()["findings"] == before
