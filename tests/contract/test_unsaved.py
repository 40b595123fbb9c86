"""What the host returns without saving it has manifests too; and whose task a call is."""

from __future__ import annotations

from typing import Any, Callable

import pytest

from lib_sdpipe.images.digest import pixel_sha256
from tests.contract.conftest import Generate, Made, detailer, hires_request, noise
from tests.contract.test_recording import ALWAYS
from tests.contract.webui import WebUI, decode_picture, encode_picture

Options = Callable[..., None]


def returned(made: Made) -> list[str]:
    return [pixel_sha256(decode_picture(p)) for p in made.answer["images"]]


@pytest.mark.parametrize("request_", [{}, hires_request(), {"alwayson_scripts": detailer(ALWAYS)}], ids=["plain", "hires", "adetailer"])
def test_images_that_are_not_saved_are_recorded_as_they_were_returned(generate: Generate, request_: dict[str, Any]) -> None:
    made = generate(save_images=False, **request_)
    (image,) = [m for m in made.manifests if m["role"] == "final" and m["stage"] != "grid"]
    assert (image["path"], image["root"], image["image"]["sha256"]) == (None, None, None)
    assert image["image"]["pixel_sha256"] == returned(made)[0]
    assert made.run["images"] == {"planned": 1, "returned": 1, "saved": 0}


def test_a_call_that_saves_nothing_has_no_grid(generate: Generate) -> None:
    made = generate(save_images=False, batch_size=2)
    assert [m["image"]["pixel_sha256"] for m in made.manifests] == returned(made)
    assert made.of("grid") == []


def test_a_grid_that_is_switched_off_only_in_saving_is_recorded(generate: Generate, options: Options) -> None:
    options(grid_save=False)
    made = generate(batch_size=2)
    (grid,) = made.of("grid")
    assert (grid["path"], grid["root"]) == (None, None) and all(m["path"] for m in made.of("txt2img"))
    assert grid["image"]["pixel_sha256"] == returned(made)[0]
    assert grid["members"] == [m["name"] for m in made.of("txt2img")]


def test_a_grid_that_is_neither_saved_nor_returned_is_not_recorded(generate: Generate, options: Options) -> None:
    options(grid_save=False, return_grid=False)
    made = generate(batch_size=2)
    assert made.of("grid") == [] and len(made.of("txt2img")) == 2


def test_an_unsaved_image_is_found_as_a_parent(generate: Generate) -> None:
    source = generate(save_images=False)
    made = generate("img2img", init_images=[encode_picture(decode_picture(source.answer["images"][0]))], denoising_strength=0.4)
    assert made.of("img2img")[0]["parent"]["run_id"] == source.run_id


def test_saving_switched_off_in_the_settings_is_like_not_asking_for_it(generate: Generate, options: Options) -> None:
    options(samples_save=False, grid_save=False)
    made = generate(batch_size=2)
    assert [m["path"] for m in made.manifests] == [None] * 3
    assert made.run["images"] == {"planned": 2, "returned": 2, "saved": 0}


def test_images_that_are_not_even_returned_are_recorded(generate: Generate) -> None:
    made = generate(send_images=False)
    assert made.answer["images"] in (None, []) and made.file(made.of("txt2img")[0]).exists()


def test_a_task_id_that_was_asked_for_is_the_job_id(generate: Generate) -> None:
    for name in ("task(sdpipe-test-1)", "my own id/2"):
        made = generate(force_task_id=name)
        assert made.run["job_id"] == made.of("txt2img")[0]["job_id"] == name


def test_the_same_task_id_twice_is_two_runs(generate: Generate) -> None:
    made = [generate(force_task_id="task(sdpipe-test-again)") for _ in range(2)]
    assert made[0].run_id != made[1].run_id


def test_an_image_made_of_an_unsaved_input_keeps_it(generate: Generate, host: WebUI) -> None:
    made = generate("img2img", init_images=[encode_picture(noise())], save_images=False, denoising_strength=0.4)
    (image,) = made.of("img2img")
    assert image["path"] is None
    assert host.layout.input_file(made.run["config"]["init_images"][0]["$input"]).exists()
