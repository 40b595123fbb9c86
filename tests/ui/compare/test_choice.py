"""What is to be compared: from presses, from what is picked, from what somebody types."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.errors import UsageError
from lib_sdpipe.ui.ask import Ask
from lib_sdpipe.ui.compare.choice import Choice, format_typed, image_data, parse_typed, read_choice
from lib_sdpipe.workspace.picked import Pick

ONE, OTHER = "20251225_143022_one", "20251225_143023_other"
A, B = Pick(ONE, "txt2img_001"), Pick(OTHER, "img2img_001")


def _read(**data: Any) -> Choice:
    return read_choice(Ask(data, None))  # type: ignore[arg-type]


def test_a_press_names_images_or_runs() -> None:
    assert _read(images=[image_data(A), image_data(B)]) == Choice(images=(A, B))
    assert _read(runs=[ONE, OTHER]) == Choice(runs=(ONE, OTHER))
    assert _read(run=ONE) == Choice(runs=(ONE,)) and _read(run=ONE, name="txt2img_001") == Choice(images=(A,))
    assert _read(picked=[image_data(B), {"root": "outputs", "path": "old.png"}]).images == (B, Pick(root="outputs", path="old.png"))


def test_each_is_compared_once_and_no_more_than_four() -> None:
    assert _read(images=[image_data(A), image_data(A)]).images == (A,)
    many = [{"run": ONE, "name": f"txt2img_{number:03}"} for number in range(1, 8)]
    assert (len(_read(picked=many).images), _read(picked=many).left_out) == (4, 3)
    assert _read(runs=[ONE, OTHER, f"{ONE}_2"]).left_out == 1


@pytest.mark.parametrize("data", [
    {}, {"images": "x"}, {"images": [None, 1, [], {"run": 1}]}, {"runs": [1, {}, "../..", "x"]}, {"run": "../../etc", "name": "passwd"},
    {"picked": {"run": ONE}},
])
def test_what_no_page_of_ours_sends_names_nothing(data: dict[str, Any]) -> None:
    assert _read(**data) == Choice()


@pytest.mark.parametrize("text", [
    f"{ONE}/txt2img_001 {OTHER}/img2img_001", f"  {ONE} txt2img_001,\n{OTHER} img2img_001 ", f"{ONE}/txt2img_001;{OTHER}/img2img_001",
])
def test_images_are_typed_with_their_runs(text: str) -> None:
    assert parse_typed(text).images == (A, B)


def test_what_is_shown_can_be_typed_again() -> None:
    for choice in (Choice(images=(A, B)), Choice(runs=(ONE, OTHER)), Choice()):
        assert parse_typed(format_typed(choice)) == choice
    assert parse_typed(f"{ONE} txt2img_001 txt2img_002").images == (A, Pick(ONE, "txt2img_002"))


@pytest.mark.parametrize(("text", "sentence"), [
    ("a cat", "neither a run nor an image"), ("txt2img_001", "neither a run nor an image"),
    (f"{ONE}/../../x", "neither a run nor an image"),
    (f"{ONE}/txt2img_001 {OTHER}", "images or runs, not both"), ("x" * 9000, "neither a run nor an image"),
])
def test_what_names_nothing_is_said(text: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as fault:
        parse_typed(text)
    assert len(str(fault.value)) < 300
