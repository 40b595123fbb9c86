"""What was asked becomes data: pictures taken out, nothing that cannot be stored, nothing secret."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_sdpipe.hosts.controls import read_options
from lib_sdpipe.hosts.request import PictureBox, read_request, to_data
from lib_sdpipe.record.facts import RunOptions
from tests.images.test_digest import noise


class Mode(enum.Enum):
    FAST = "fast"


def data_of(value: Any) -> tuple[Any, list[str], PictureBox]:
    box, problems = PictureBox(), []
    result = to_data(value, box, problems, "argument")
    json.dumps(result, allow_nan=False)
    return result, problems, box


@pytest.mark.parametrize(("value", "stored"), [
    (None, None), (True, True), (3, 3), (0.5, 0.5), ("夜", "夜"), ((1, [2.5, "x"]), [1, [2.5, "x"]]),
    ({"a": {"b": None}, 3: 4}, {"a": {"b": None}, "3": 4}), (Mode.FAST, "fast"), (np.float32(0.5), 0.5), (np.int64(7), 7),
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
    assert result == {"image": {"$picture": "p0"}, "again": {"$picture": "p0"}, "array": {"$picture": "p1"}}
    assert list(box.pictures) == ["p0", "p1"] and not problems


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


class Script:
    def __init__(self, title: str, start: int, end: int) -> None:
        self._title, self.args_from, self.args_to, self.filename = title, start, end, f"/x/scripts/{title}.py"

    def title(self) -> str:
        if self._title == "base":
            raise NotImplementedError
        return self._title


def control(value: Any, label: str = "", kind: str = "text") -> SimpleNamespace:
    return SimpleNamespace(value=value, label=label, type=kind)


def test_only_script_arguments_that_differ_from_their_default_are_recorded() -> None:
    scripts = [Script("one", 1, 3), Script("SDPipe", 3, 4), Script("base", 4, 5), Script("secretive", 5, 6), Script("lost", None, None)]  # type: ignore[arg-type]
    chosen = Script("X/Y/Z plot", 6, 7)
    inputs = [None, control(1, "a"), control("x", "b"), control(None), control(False), control("", "key", "password"), control(1, "axis")]
    runner = SimpleNamespace(alwayson_scripts=scripts, selectable_scripts=[chosen], inputs=inputs)
    p = SimpleNamespace(
        prompt="x", seed=-1, is_api=False, user="ann", scripts=runner, script_args=(1, 1, "changed", {"label": "l"}, True, "hunter2", 1),
    )
    request = read_request(p, PictureBox())
    assert [(s["title"], s["selected"], s["args"]) for s in request.config["scripts"]] == [
        ("one", False, [{"index": 1, "label": "b", "value": "changed"}]),
        ("base.py", False, [{"index": 0, "label": "", "value": True}]),
        ("X/Y/Z plot", True, [{"index": 0, "label": "axis", "value": 1}]),
    ]
    assert "hunter2" not in json.dumps(request.config)
    assert request.not_replayable == ("secretive argument 0 is a secret and was not stored",)
    assert (request.source, request.user) == ("ui", "ann")


def test_an_inpaint_request_names_its_mask_as_the_api_does() -> None:
    p = SimpleNamespace(prompt="x", init_images=[noise(4, 4)], image_mask=Image.new("L", (4, 4)), is_api=True, scripts=None)
    config = read_request(p, PictureBox()).config
    assert (config["endpoint"], config["init_images"], config["mask"]) == ("img2img", [{"$picture": "p0"}], {"$picture": "p1"})


SETTINGS = RunOptions(label="from settings", keep_images=True)


@pytest.mark.parametrize(("arguments", "is_api", "expected"), [
    ((), True, SETTINGS),
    ((None,), True, SETTINGS),
    ((None, False, False, False, True, False, "typed"), True, SETTINGS),
    (({},), True, SETTINGS),
    (({"record": False, "label": "mine"},), True, RunOptions(record=False, label="mine", keep_images=True)),
    (({"record": None, "keep_images": "yes", "nonsense": 1},), True, SETTINGS),
    (("text",), True, SETTINGS),
    ((None, False, False, False, True, False, "typed"), False, RunOptions(False, False, False, True, False, "typed")),
    ((None, False), False, RunOptions(record=False, label="from settings", keep_images=True)),
    ((None, True, True, True, True, True, "typed", "a later control"), False, RunOptions(True, True, True, True, True, "typed")),
])
def test_an_absent_or_wrong_choice_is_the_setting_as_it_is_now(arguments: tuple[Any, ...], is_api: bool, expected: RunOptions) -> None:
    assert read_options(arguments, is_api, SETTINGS) == expected
