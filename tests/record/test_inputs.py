"""Each picture of a request becomes a reference that says how it was handed over; what cannot be kept is a reason."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from lib_sdpipe.record.inputs import InputKeeper
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore
from tests.images.test_digest import noise


def make_keeper(folder: Path) -> InputKeeper:
    store = RunStore(find_layout(folder))
    return InputKeeper(store, Library(store.layout), None, keeps=True)


def test_a_picture_that_came_as_base64_says_so(tmp_path: Path) -> None:
    keeper = make_keeper(tmp_path)
    placed = keeper.place({"image": {"$picture": "p0", "as": "base64"}, "mask": {"$picture": "p0"}}, {"p0": noise()})
    sha256 = placed["mask"]["$input"]
    assert placed == {"image": {"$input": sha256, "as": "base64"}, "mask": {"$input": sha256}} and keeper.reasons == []


def test_a_picture_that_turns_out_damaged_is_a_reason(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    noise().save(buffer, "PNG")
    cut = Image.open(io.BytesIO(buffer.getvalue()[:-40]))
    keeper = make_keeper(tmp_path)
    assert keeper.place([{"$picture": "p0", "as": "base64"}], {"p0": cut}) == [None]
    assert keeper.reasons == ["an input picture is damaged and was not stored"]


def test_a_lost_picture_is_a_reason(tmp_path: Path) -> None:
    keeper = make_keeper(tmp_path)
    assert keeper.place({"$picture": "p0", "as": "base64"}, {}) is None
    assert keeper.reasons == ["an input picture was lost when the process ended"]
