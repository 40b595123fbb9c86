"""The same, near, different: and by how much."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from lib_sdpipe.manifest.records import ImageFacts, ImageLink
from lib_sdpipe.pipeline.likely_causes import Change
from lib_sdpipe.pipeline.verdict import JudgedImage, Judgement, build_replay, find_changes, judge_digests, judge_pictures, worst_verdict
from tests.pipeline.recorded import RUN_ID, a_run, an_image

SIZE = (40, 30)


def picture(changes: dict[tuple[int, int, int], int] | None = None, mode: str = "RGB") -> Image.Image:
    """A grey picture in which some values are others, by (row, column, channel)."""
    pixels = np.full((SIZE[1], SIZE[0], len(mode)), 100, np.uint8)
    if mode == "RGBA":
        pixels[:, :, 3] = 255
    for place, value in (changes or {}).items():
        pixels[place] = value
    return Image.fromarray(pixels)


def test_the_same_pixels_are_identical_whatever_the_file_was() -> None:
    assert judge_pictures(picture(), picture()) == Judgement("identical", 0, 0.0, 0)
    assert judge_pictures(picture(), picture(mode="RGBA")).verdict == "identical"


def test_text_hidden_in_alpha_makes_no_difference() -> None:
    assert judge_pictures(picture(), picture({(0, 0, 3): 254}, "RGBA")).verdict == "identical"


def test_within_two_of_255_is_near() -> None:
    found = judge_pictures(picture(), picture({(0, 0, 0): 102, (29, 39, 2): 99}))
    assert (found.verdict, found.values, found.largest, found.share) == ("near", 2, 2, 2 / 3600)
    assert found.psnr == round(10 * math.log10(255**2 / ((4 + 1) / 3600)), 2)


def test_one_value_off_by_three_is_different() -> None:
    assert judge_pictures(picture(), picture({(7, 7, 1): 103})).verdict == "different"


def test_another_opacity_is_different_and_counts_its_channel() -> None:
    found = judge_pictures(picture(mode="RGBA"), picture({(3, 3, 3): 10}, "RGBA"))
    assert (found.verdict, found.values, found.share) == ("different", 1, 1 / 4800)


def test_another_size_is_different_without_numbers() -> None:
    found = judge_pictures(picture(), Image.new("RGB", (80, 60)))
    assert (found.verdict, found.values, found.reason) == ("different", None, "It has another size: 40×30 then, 80×60 now.")


def test_what_is_too_large_is_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lib_sdpipe.images.difference.MOST_PIXELS", 1000)
    found = judge_pictures(picture(), picture())
    assert found.verdict == "not-compared" and "too large" in (found.reason or "")


def facts(shown: Image.Image, **fields: Any) -> ImageFacts:
    return ImageFacts(**{"pixel_sha256": pixel_sha256(shown), "format": "PNG", "decoder": "a", **fields})


def test_a_lost_file_is_compared_by_what_is_recorded_of_it() -> None:
    assert judge_digests(facts(picture()), facts(picture())).verdict == "identical"
    assert judge_digests(facts(picture()), facts(picture({(0, 0, 0): 9}))).verdict == "different"
    assert judge_digests(None, facts(picture())).verdict == "not-compared"
    assert judge_digests(facts(picture(), pixel_sha256=None), facts(picture())).verdict == "not-compared"


def test_a_lost_lossy_file_is_not_compared_across_decoders() -> None:
    lossy = facts(picture(), format="JPEG", decoder="old")
    other = facts(picture({(0, 0, 0): 9}), format="JPEG", decoder="new")
    assert judge_digests(lossy, other).verdict == "not-compared"
    assert judge_digests(lossy, other.copy(update={"decoder": "old"})).verdict == "different"


@pytest.mark.parametrize(("verdicts", "worst"), [
    ([], "not-compared"), (["identical", "identical"], "identical"), (["identical", "near"], "near"),
    (["near", "not-compared"], "not-compared"), (["not-compared", "different", "identical"], "different"),
])
def test_a_runs_verdict_is_the_worst_of_its_images(verdicts: list[str], worst: str) -> None:
    assert worst_verdict([Judgement(verdict) for verdict in verdicts]) == worst


def test_the_run_file_gets_images_and_environment() -> None:
    of = ImageLink(run_id=RUN_ID, name="txt2img_001")
    image = JudgedImage(of, "txt2img_004", Judgement("near", 2, 0.01, 1, 60.5))
    assert build_replay(of, [image], [Change("options.eta_ancestral", 1, 0.5, "sampling")]) == {
        "of": {"run_id": RUN_ID, "name": "txt2img_001"},
        "verdict": "near",
        "differences": {
            "images": [{
                "of": {"run_id": RUN_ID, "name": "txt2img_001"}, "name": "txt2img_004", "verdict": "near", "values": 2, "share": 0.01,
                "largest": 1, "psnr": 60.5, "reason": None,
            }],
            "environment": [{"field": "options.eta_ancestral", "then": 1, "now": 0.5}],
        },
    }


def test_an_option_that_was_changed_is_the_first_cause() -> None:
    then = {"options": {"eta_ancestral": 1, "ui_order": 1}, "packages": {"torch": "2.1"}, "extensions": [{"name": "a", "commit": "1"}]}
    now = {"options": {"eta_ancestral": 0.5, "ui_order": 2}, "packages": {"torch": "2.2"}, "extensions": [{"name": "a", "commit": "2"}]}
    changes = find_changes(a_run(), a_run(), (then, now))
    assert [change.field for change in changes][0] == "options.eta_ancestral"


def test_another_model_or_setting_comes_before_any_option() -> None:
    then, now = a_run(), a_run()
    then.models, now.models = [{"kind": "checkpoint", "name": "tiny", "hash": "1"}], [{"kind": "checkpoint", "name": "tiny", "hash": "2"}]
    old, new = an_image(), an_image(prompt="a windmill", config={**an_image().config, "steps": 5})
    changes = find_changes(then, now, ({"options": {"randn_source": "CPU"}}, {"options": {"randn_source": "GPU"}}), [(old, new)])
    assert [change.field for change in changes] == ["config.steps", "prompt", "models.checkpoint", "options.randn_source"]
