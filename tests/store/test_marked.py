"""marks.json reaches the index: at a look, and at once."""

from __future__ import annotations

import pytest

from lib_sdpipe.store.marked import take_marks
from lib_sdpipe.store.marks import write_marks
from tests.store.test_refresh import RUN, Place, place  # noqa: F401  (fixture)

NOW = "2025-12-25T13:30:22.123Z"


def test_a_look_takes_up_what_is_new_and_nothing_twice(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    place.record()
    place.look()
    write_marks(place.layout, RUN, {"txt2img_001": {"rating": 4, "tags": ["sea"]}}, NOW)
    place.look()
    assert [(row["name"], row["rating"]) for row in place.index.content()["marks"]] == [("txt2img_001", 4)]
    monkeypatch.setattr("lib_sdpipe.store.refresh.take_scanned_marks", lambda *_: pytest.fail("read again"))
    place.look()


def test_marks_are_told_at_once(place: Place) -> None:  # noqa: F811
    place.record()
    place.look()
    write_marks(place.layout, RUN, {"txt2img_002": {"favourite": True}}, NOW)
    assert take_marks(place.layout, RUN)
    assert [(row["name"], row["is_favourite"]) for row in place.index.content()["marks"]] == [("txt2img_002", 1)]
    place.layout.marks_file(RUN).unlink()
    place.look()
    assert place.index.content()["marks"] == []


def test_marks_that_cannot_be_read_say_nothing(place: Place) -> None:  # noqa: F811
    place.record()
    for data in (b"{", b"[]", b'{"schema": "sdpipe.marks/9", "marks": {}}', b'{"schema": "sdpipe.marks/1", "marks": {"a": 5}}'):
        place.layout.marks_file(RUN).write_bytes(data)
        place.look()
        assert place.index.content()["marks"] == []


def test_a_run_that_is_gone_takes_its_marks_along(place: Place) -> None:  # noqa: F811
    place.record()
    write_marks(place.layout, RUN, {"txt2img_001": {"rating": 4}}, NOW)
    place.look()
    for path in sorted(place.layout.run_folder(RUN).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    place.layout.run_folder(RUN).rmdir()
    place.look()
    assert place.index.content()["marks"] == [] and place.index.marks.stamps() == {}
