"""What was asked becomes a run's config: changed arguments alone, by the API's names, without secrets and homes."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.hosts.controls import read_options
from lib_sdpipe.hosts.request import read_request
from lib_sdpipe.hosts.to_data import PictureBox
from lib_sdpipe.record.facts import RunOptions
from tests.images.test_digest import noise


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
        ("one", False, [{"index": 1, "label": "b", "value": "changed", "free_text": True}]),
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


def arguments_of(controls: list[SimpleNamespace], values: list[Any]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    runner = SimpleNamespace(alwayson_scripts=[Script("one", 0, len(controls))], selectable_scripts=[], inputs=controls)
    request = read_request(SimpleNamespace(prompt="x", scripts=runner, script_args=values), PictureBox())
    return request.config["scripts"][0]["args"], request.not_replayable


def test_an_argument_says_whether_somebody_may_have_typed_it() -> None:
    choice = SimpleNamespace(value=None, label="pick", choices=["a", ("B", "b")])
    arguments, _ = arguments_of([choice] * 5 + [control("")] * 3, ["a", "b", ["a", "b"], "c", ["a", "c"], "", 5, {"x": ["typed"]}])
    assert [argument.get("free_text", False) for argument in arguments] == [False, False, False, True, True, False, True]


def test_an_empty_text_field_is_the_default_however_the_page_holds_it() -> None:
    empty = SimpleNamespace(value=None, label="t", lines=1)
    arguments, _ = arguments_of([empty, empty, control("x")], ["", "typed", "y"])
    assert [argument["index"] for argument in arguments] == [1, 2]


def test_a_key_in_a_field_that_says_so_is_not_stored() -> None:
    choice = SimpleNamespace(value=None, label="API key", choices=["mine", "yours"])
    arguments, reasons = arguments_of([control("", "Civitai API key"), choice], ["k1", "mine"])
    assert [(argument["index"], argument["value"]) for argument in arguments] == [(1, "mine")]
    assert reasons == ("one argument 0 is a secret and was not stored",)


def test_the_home_folder_is_shortened_in_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("USERPROFILE", "/home/ann")
    arguments, _ = arguments_of([control("", "Folder")], ["/home/ann/wildcards"])
    assert arguments[0]["value"] == "~/wildcards"


SETTINGS = RunOptions(label="from settings", keep_images=True)


@pytest.mark.parametrize(("arguments", "is_api", "expected"), [
    ((), True, SETTINGS),
    (({"prompts": False},), True, RunOptions(label="from settings", keep_images=True, prompts=False)),
    ((None,), True, SETTINGS),
    ((None, False, False, False, True, False, "typed"), True, SETTINGS),
    (({},), True, SETTINGS),
    (({"record": False, "label": "mine"},), True, RunOptions(record=False, label="mine", keep_images=True)),
    (({"record": None, "keep_images": "yes", "nonsense": 1},), True, SETTINGS),
    (("text",), True, SETTINGS),
    ((None, False, False, False, True, False, "typed"), False, RunOptions(False, False, False, True, False, "typed")),
    ((None, False), False, RunOptions(record=False, label="from settings", keep_images=True)),
    (
        (None, True, True, True, True, True, "typed", "a recipe", "a later control"), False,
        RunOptions(True, True, True, True, True, "typed", then="a recipe"),
    ),
])
def test_an_absent_or_wrong_choice_is_the_setting_as_it_is_now(arguments: tuple[Any, ...], is_api: bool, expected: RunOptions) -> None:
    assert read_options(arguments, is_api, SETTINGS) == expected
