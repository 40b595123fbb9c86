"""A recorded chain from its beginning."""

from __future__ import annotations

from typing import Any

import pytest

from lib_sdpipe.errors import RefusedError
from lib_sdpipe.manifest.records import Manifest, Run
from lib_sdpipe.pipeline.chain_again import plan_chain
from tests.pipeline.recorded import ENVIRONMENT, a_run, an_image


def a_chain(**later: Any) -> tuple[Run, list[Manifest]]:
    """Two prompts, the first with two images; of those the second was painted over first: the run was resumed."""
    images = [
        an_image(1, index=0, size=2, seed=55, step={"stage": 0, "input": "0"}),
        an_image(2, index=1, size=2, seed=55, step={"stage": 0, "input": "0"}),
        an_image(3, seed=77, step={"stage": 0, "input": "1"}),
        an_image(1, "img2img", seed=56, step={"stage": 1, "input": "txt2img_002"}, model="other"),
        an_image(2, "img2img", seed=55, step={"stage": 1, "input": "txt2img_001"}, model="other"),
    ]
    stages = [{"stage": "txt2img", "settings": {"batch_size": 2}}, {"stage": "img2img", "settings": later}]
    items = [{"settings": {"prompt": "a boat"}}, {"settings": {"prompt": "a hill", "seed": -1, "batch_size": 1}}]
    return a_run(images, endpoint="chain", stages=stages, items=items), images


def test_each_item_has_the_seed_it_had_and_each_stage_its_model() -> None:
    found = plan_chain(*a_chain(), ENVIRONMENT)
    assert [item.settings["seed"] for item in found.items] == [55, 77]
    assert [item.settings["prompt"] for item in found.items] == ["a boat", "a hill"]
    assert [stage.settings["override_settings"]["sd_model_checkpoint"] for stage in found.stages] == ["tiny", "other"]
    assert found.notes == []


def test_images_are_compared_in_the_order_a_job_makes_them() -> None:
    found = plan_chain(*a_chain(), ENVIRONMENT)
    assert [(one.of.name, one.place) for one in found.compare if one.of] == [
        ("txt2img_001", 0), ("txt2img_002", 1), ("txt2img_003", 2), ("img2img_002", 3), ("img2img_001", 4),
    ]


def test_a_stage_that_drew_its_own_seeds_is_named() -> None:
    (note,) = plan_chain(*a_chain(seed=-1), ENVIRONMENT).notes
    assert note.startswith("Stage 2, img2img, drew its own seeds")


def test_a_seed_that_nobody_knows_is_refused() -> None:
    run, images = a_chain()
    with pytest.raises(RefusedError, match="no image tells which one"):
        plan_chain(run, images[:2], ENVIRONMENT)


def test_what_is_no_chain_is_refused() -> None:
    with pytest.raises(RefusedError, match="is no chain"):
        plan_chain(a_run(), [an_image()], ENVIRONMENT)
