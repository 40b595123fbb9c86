"""Any value becomes data: pictures taken out, nothing that cannot be stored, nothing secret, nothing endless."""

from __future__ import annotations

import base64
import enum
import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_sdpipe.hosts.to_data import PictureBox, to_data
from lib_sdpipe.pydantic_v1 import BaseModel
from tests.images.test_digest import noise


class Mode(enum.Enum):
    FAST = "fast"


class Level(enum.IntEnum):
    HIGH = 3


class Word(str, enum.Enum):
    HELLO = "hello"


def data_of(value: Any) -> tuple[Any, list[str], PictureBox]:
    box, problems = PictureBox(), []
    result = to_data(value, box, problems, "argument")
    json.dumps(result, allow_nan=False)
    return result, problems, box


@pytest.mark.parametrize(("value", "stored"), [
    (None, None), (True, True), (3, 3), (0.5, 0.5), ("夜", "夜"), ((1, [2.5, "x"]), [1, [2.5, "x"]]),
    ({"a": {"b": None}, 3: 4}, {"a": {"b": None}, "3": 4}),
    (Mode.FAST, {"$type": "Mode", "value": "fast"}), (Level.HIGH, 3), (Word.HELLO, "hello"), (np.float32(0.5), 0.5), (np.int64(7), 7),
])
def test_plain_values_are_stored_as_they_are(value: Any, stored: Any) -> None:
    assert data_of(value)[:2] == (stored, [])


UNSTORABLE = [object(), lambda: 1, {1, 2}, b"bytes", np.zeros((2, 2, 2, 2)), float("nan"), float("inf"), SimpleNamespace()]


@pytest.mark.parametrize("value", UNSTORABLE)
def test_what_cannot_be_stored_is_none_and_a_reason(value: Any) -> None:
    result, problems, _ = data_of([value])
    assert result == [None]
    assert len(problems) == 1 and problems[0].startswith("argument is ")


def test_pictures_are_taken_out_once_each() -> None:
    picture = noise(4, 4)
    result, problems, box = data_of({"image": picture, "again": picture, "array": np.zeros((2, 2, 3), np.uint8)})
    assert result == {"image": {"$picture": "p0"}, "again": {"$picture": "p0"}, "array": {"$picture": "p1", "as": "array"}}
    assert list(box.pictures) == ["p0", "p1"] and not problems


def test_an_alpha_that_hides_a_text_is_told_as_the_hosts_reckon_with_it() -> None:
    plain, hiding = noise(4, 4).convert("RGBA"), noise(4, 4).convert("RGBA")
    hiding.putpixel((1, 1), (0, 0, 0, 254))
    assert data_of([plain, hiding])[0] == [{"$picture": "p0"}, {"$picture": "p1", "alpha": "hidden"}]


class Odd:
    """As other extensions' objects are: whatever one does with them raises."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("Boolean value of Tensor is ambiguous")


def test_objects_that_raise_at_every_touch_cost_nothing_but_themselves() -> None:
    cycle: list[Any] = []
    cycle.append(cycle)
    for value in (Odd(), cycle, 1 << 20_000, np.zeros((2, 2, 5), np.uint8), np.zeros((0, 4), np.uint8)):
        assert data_of(value)[1], value
    assert data_of(np.zeros((4, 4, 1), np.uint8))[1] == []


def test_a_lazy_picture_is_decoded_before_it_leaves_the_hosts_thread(tmp_path: Path) -> None:
    noise(8, 8).save(tmp_path / "x.png")
    lazy = Image.open(tmp_path / "x.png")
    box = PictureBox()
    box.put(lazy)
    assert lazy.fp is None, "Pillow has read the file to its end"


def test_a_broken_picture_is_a_reason_not_a_fault(tmp_path: Path) -> None:
    noise(64, 64).save(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes((tmp_path / "x.png").read_bytes()[:2000])
    with Image.open(tmp_path / "x.png") as broken:
        result, problems, box = data_of([broken])
    assert result is None and problems and not box.pictures


# --- pictures in other clothes ---


def encoded(picture: Image.Image, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    picture.save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_base64_and_data_urls_of_pictures_are_taken_out(kind: str) -> None:
    text = encoded(noise(16, 16), kind)
    unit = {"image": {"image": text, "mask": f"data:image/{kind.lower()};base64,{text}"}, "weight": 0.5}
    result, problems, box = data_of([unit, text])
    taken = {"$picture": "p0", "as": "base64"}
    assert result == [{"image": {"image": taken, "mask": {"$picture": "p1", "as": "base64"}}, "weight": 0.5}, taken]
    assert {picture.size for picture in box.pictures.values()} == {(16, 16)} and not problems


def test_line_breaks_in_base64_do_no_harm() -> None:
    text = encoded(noise(16, 16))
    result, _, box = data_of("\n".join(text[at:at + 76] for at in range(0, len(text), 76)))
    assert result == {"$picture": "p0", "as": "base64"} and box.pictures["p0"].size == (16, 16)


def test_damaged_base64_stays_text_if_it_is_short() -> None:
    text = encoded(noise(16, 16))
    for damaged in (text[:200], text[:100] + "!!!!" + text[104:], "data:image/png;base64," + "A" * 100):
        assert data_of(damaged)[:2] == (damaged, [])


def test_damaged_base64_that_is_long_is_dropped_with_a_reason() -> None:
    text = encoded(noise(128, 128))
    assert data_of(text[:60] + "!" + text[61:])[:2] == (None, ["argument is a damaged picture and was not stored"])


def test_ordinary_text_is_no_picture() -> None:
    for text in ("a cat, " * 40, "iVBORw0KGgo is how a PNG begins in base64, which few people know by heart", "A" * 400):
        assert data_of(text)[:2] == (text, [])


# --- objects ---


@dataclass
class Unit:
    module: str = "canny"
    mode: Mode = Mode.FAST
    image: Any = None
    weights: list[float] = field(default_factory=lambda: [0.5])


@dataclass
class Slotted:
    __slots__ = ("x",)
    x: int


class Declared(BaseModel):
    model: str = "none"
    image: Any = None


class Plain:
    """As older extensions' units are. Nothing of it may be called."""

    def __init__(self) -> None:
        self.weight, self.guidance, self._hidden = 1.0, (0.0, 1.0), object()

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} was asked for")

    @property
    def computed(self) -> Any:
        raise AssertionError("a property was evaluated")


@pytest.mark.parametrize(("value", "stored"), [
    (Unit(), {"$type": "Unit", "module": "canny", "mode": {"$type": "Mode", "value": "fast"}, "image": None, "weights": [0.5]}),
    (Slotted(3), {"$type": "Slotted", "x": 3}),
    (Declared(model="depth"), {"$type": "Declared", "model": "depth", "image": None}),
    (SimpleNamespace(a=1), {"$type": "SimpleNamespace", "a": 1}),
])
def test_objects_become_dicts_with_their_class(value: Any, stored: Any) -> None:
    assert data_of(value)[:2] == (stored, [])


def test_nothing_of_an_object_is_called() -> None:
    assert data_of(Plain())[:2] == ({"$type": "Plain", "weight": 1.0, "guidance": [0.0, 1.0]}, [])


def test_pictures_inside_objects_are_taken_out() -> None:
    result, problems, _ = data_of([Unit(image=noise(4, 4)), Declared(image=np.zeros((2, 2, 3), np.uint8))])
    assert [unit["image"] for unit in result] == [{"$picture": "p0"}, {"$picture": "p1", "as": "array"}] and not problems


def test_what_is_more_than_its_attributes_is_no_object(tmp_path: Path) -> None:
    with open(tmp_path / "x", "w", encoding="utf-8") as file:
        for value in (file, Unit, io, ValueError("x"), iter([1])):
            assert data_of(value)[0] is None and len(data_of(value)[1]) == 1


def test_a_pydantic_2_object_keeps_its_unknown_fields() -> None:
    pydantic = pytest.importorskip("pydantic", minversion="2")

    class Later(pydantic.BaseModel):
        model_config = {"extra": "allow"}
        weight: float = 1.0

    assert data_of(Later(more="x"))[:2] == ({"$type": "Later", "weight": 1.0, "more": "x"}, [])


# --- limits ---


def test_a_long_text_is_not_stored_and_says_so() -> None:
    assert data_of({"text": "x" * 1_000_001})[:2] == ({"text": None}, ["argument.text is a text of over 1 MB and was not stored"])


def test_an_object_that_leads_everywhere_ends() -> None:
    everywhere = SimpleNamespace(name="n")
    everywhere.friends = [everywhere] * 10
    _, problems, _ = data_of(everywhere)
    assert any("too many parts" in problem for problem in problems)


def test_a_key_under_any_name_that_says_so_is_dropped() -> None:
    result, problems, _ = data_of({"api_key": "k", "units": [{"HF token": "t", "token_merging": 0.5, "free": "hf_abcdefghijklmnopqrst"}]})
    assert result == {"api_key": None, "units": [{"HF token": None, "token_merging": 0.5, "free": None}]}
    assert [problem.endswith("is a secret and was not stored") for problem in problems] == [True] * 3


def test_somebody_elses_key_is_not_taken_for_one_of_ours() -> None:
    assert data_of({"$picture": "p0", "$type": "x"})[0] == {"$$picture": "p0", "$$type": "x"}
