"""Extras through the API: the host saves nothing, the run knows all the same what was made from what."""

from __future__ import annotations

from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.images.digest import pixel_sha256
from tests.contract.conftest import Generate, Made, noise
from tests.contract.webui import HttpError, WebUI, decode_picture, encode_picture

LANCZOS = {"upscaler_1": "Lanczos", "upscaling_resize": 2}


def extras(host: WebUI, pictures: list[str], **settings: Any) -> Made:
    """One run of the single call, or of the batch call where there are several pictures."""
    before = host.run_ids()
    path, body = "extra-single-image", {"image": pictures[0]}
    if len(pictures) > 1:
        path, body = "extra-batch-images", {"imageList": [{"data": p, "name": f"{n}.png"} for n, p in enumerate(pictures)]}
    try:
        answer = host.post(f"/sdapi/v1/{path}", {**LANCZOS, **body, **settings})
    except HttpError as fault:
        if fault.status in (404, 405):
            pytest.skip(f"this host has no /sdapi/v1/{path}")
        raise
    made = host.run_ids() - before
    assert len(made) == 1, f"{len(made)} runs were made, not one"
    return Made(host, answer, made.pop())


def file_of(made: Made, number: int = 0) -> str:
    with Image.open(made.file(made.of("txt2img")[number])) as picture:
        return encode_picture(picture)


def test_a_single_picture_is_a_run_with_its_parent(generate: Generate, host: WebUI) -> None:
    source = generate()
    made = extras(host, [file_of(source)])
    (image,) = made.of("upscale")
    assert (image["path"], image["root"]) == (None, None)
    assert image["image"]["pixel_sha256"] == pixel_sha256(decode_picture(made.answer["image"]))
    assert (image["image"]["width"], image["image"]["height"]) == (128, 128)
    assert (image["parent"]["run_id"], image["parent"]["name"]) == (source.run_id, "txt2img_001")
    assert image["config"]["image"] == {"$image": {"run_id": source.run_id, "name": "txt2img_001"}}
    assert image["config"]["Postprocess upscaler"] == "Lanczos"
    assert made.run["source"] == "api" and made.run["status"] == "completed"
    assert (made.run["config"]["endpoint"], made.run["config"]["extras_mode"]) == ("extras", 0)
    assert [h["stage"] for h in image["stage_history"]] == ["txt2img"]


def test_the_run_id_is_in_the_text_of_the_returned_picture(generate: Generate, host: WebUI) -> None:
    made = extras(host, [encode_picture(noise())])
    assert f"Run ID: {made.run_id}" in made.of("upscale")[0]["infotext"]
    returned = decode_picture(made.answer["image"]).info.get("postprocessing")  # Forge returns it without
    assert returned is None or f"Run ID: {made.run_id}" in returned


def test_each_picture_of_a_batch_has_its_own_parent(generate: Generate, host: WebUI) -> None:
    source = generate(batch_size=2)
    made = extras(host, [file_of(source, 0), file_of(source, 1)])
    images = made.of("upscale")
    assert [m["parent"]["name"] for m in images] == ["txt2img_001", "txt2img_002"]
    assert [m["image"]["pixel_sha256"] for m in images] == [pixel_sha256(decode_picture(p)) for p in made.answer["images"]]
    assert made.run["config"]["extras_mode"] == 1
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 0}


def test_an_unknown_picture_is_kept_as_an_input(host: WebUI) -> None:
    picture = noise()
    made = extras(host, [encode_picture(picture)])
    (image,) = made.of("upscale")
    assert image["parent"] is None and image["actual_seed"] is None
    with Image.open(host.layout.input_file(image["config"]["image"]["$input"])) as kept:
        assert pixel_sha256(kept) == pixel_sha256(picture)


def test_every_call_is_a_run_of_its_own(host: WebUI) -> None:
    made = [extras(host, [encode_picture(noise())]) for _ in range(3)]
    assert len({m.run_id for m in made}) == len({m.run["job_id"] for m in made}) == 3
    assert all(len(m.of("upscale")) == 1 for m in made)


def test_a_call_that_fails_is_a_failed_run_and_the_next_is_whole(host: WebUI) -> None:
    before = host.run_ids()
    with pytest.raises(HttpError):
        host.post("/sdapi/v1/extra-single-image", {**LANCZOS, "image": encode_picture(noise()), "upscaler_1": "no such upscaler"})
    for run_id in host.run_ids() - before:
        assert host.wait_closed(run_id)["status"] == "failed"
    assert extras(host, [encode_picture(noise())]).run["status"] == "completed"
