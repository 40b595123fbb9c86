"""ADetailer is recorded as a stage also where its passes cannot be seen. Needs the test extension beside this file."""

from __future__ import annotations

import pytest

from tests.contract.conftest import Generate, detailer
from tests.contract.webui import WebUI

TITLE = "SDPipe test: around the wrapper"


@pytest.fixture
def around(host: WebUI) -> dict[str, object]:
    if TITLE.lower() not in host.get("/sdapi/v1/scripts")["txt2img"]:
        pytest.skip("the WebUI has no extension tests/contract/extension")
    return {TITLE: {"args": [True]}}


@pytest.mark.parametrize("keep", [False, True])
def test_the_stage_is_told_by_the_text_the_inner_pass_leaves(around: dict[str, object], generate: Generate, keep: bool) -> None:
    ours = {"SDPipe": {"args": [{"keep_stages": keep}]}}
    made = generate(n_iter=2, alwayson_scripts={**detailer("always_yolov8n.pt"), **around, **ours})
    images = made.of("adetailer")
    assert len(images) == 2 and made.of("txt2img") == []
    for image in images:
        before = image["stage_history"][-1]
        assert (before["stage"], before["role"]) == ("txt2img", "before-adetailer")
        assert before["pixel_sha256"] not in (None, image["image"]["pixel_sha256"])
        assert image["config"]["denoising_strength"] and image["config"]["steps"]
    kept = made.of("txt2img", "before-adetailer")
    assert len(kept) == (2 if keep else 0)
    assert {m["image"]["pixel_sha256"] for m in kept} <= {m["stage_history"][-1]["pixel_sha256"] for m in images}


def test_a_detailer_that_finds_nothing_is_still_no_stage(around: dict[str, object], generate: Generate) -> None:
    made = generate(alwayson_scripts={**detailer("never_yolov8n.pt"), **around})
    assert [m["stage"] for m in made.manifests] == ["txt2img"]
