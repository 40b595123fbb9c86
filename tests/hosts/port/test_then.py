"""A recipe after a press of Generate: one run, one task, one turn of the host; what breaks off can be resumed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lib_sdpipe.pipeline.chain import next_step
from lib_sdpipe.pipeline.records import Job
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.queue import change_queue, read_queue
from lib_sdpipe.workspace.recipes import save_recipe_text
from lib_sdpipe.workspace.workspace import Workspace
from tests.hosts.port import units
from tests.hosts.port.conftest import SMALL, Desk

IMG2IMG = {"stage": "img2img", "settings": {"denoising_strength": 0.4, "steps": 3}}
UPSCALE = {"stage": "upscale", "settings": {"upscaler_1": "Lanczos", "upscaling_resize": 2}}


@pytest.fixture(autouse=True)
def forget(desk: Desk) -> Iterator[None]:
    yield
    units.after.clear()
    units.calls.clear()
    layout = find_layout(desk.sandbox.data_dir / "runs")
    change_queue(layout, lambda queue: queue.copy(update={"jobs": []}))


class Made:
    """What a request with something after it left: its answer, its run, the run's manifests, what is in the queue."""

    def __init__(self, desk: Desk, then: Any, tab: str = "txt2img", **given: Any) -> None:
        self.layout = find_layout(desk.sandbox.data_dir / "runs")
        before = set(desk.store.iter_run_ids())
        asked = {**SMALL, "save_images": True, **given, "alwayson_scripts": {"SDPipe": {"args": [{"then": then}]}}}
        self.answer = desk.sandbox.generate(tab, **asked)
        desk.port.wait_recorded()
        (self.run_id,) = set(desk.store.iter_run_ids()) - before
        desk.port._session.recorder.close_job()
        desk.port.wait_recorded()
        self.run = desk.store.read_run(self.run_id).to_json()
        self.made = {m.name: m.to_json() for m in desk.store.iter_manifests(self.run_id)}  # type: ignore[union-attr]

    def of(self, stage: str) -> list[dict[str, Any]]:
        return [one for one in self.made.values() if one["stage"] == stage]

    @property
    def left(self) -> list[Job]:
        return read_queue(self.layout).jobs


def test_each_image_goes_through_every_stage_in_one_run(desk: Desk) -> None:
    from modules import call_queue, shared

    counts: list[tuple[int, int, str | None]] = []
    units.calls.append(lambda p: counts.append((shared.state.job_no, shared.state.job_count, shared.state.textinfo)))
    made = Made(desk, {"stages": [IMG2IMG, UPSCALE]}, batch_size=2, n_iter=2)
    assert (made.run["status"], made.run["images"]) == ("completed", {"planned": 12, "returned": 12, "saved": 12})
    assert {stage: len(made.of(stage)) for stage in ("txt2img", "img2img", "upscale", "grid")} == {
        "txt2img": 4, "img2img": 4, "upscale": 4, "grid": 1}
    for number in range(1, 5):
        chain = made.made[f"upscale_{number:03d}"]
        assert chain["parent"]["name"] == f"img2img_{number:03d}"
        assert made.made[f"img2img_{number:03d}"]["parent"]["name"] == f"txt2img_{number:03d}"
        assert [entry["stage"] for entry in chain["stage_history"]] == ["txt2img", "img2img"]
    assert made.run["config"]["then"]["stages"][1]["stage"] == "upscale"
    info = json.loads(made.answer["info"])
    assert len(made.answer["images"]) == len(info["infotexts"]) == 13 and info["index_of_first_image"] == 1
    assert len(info["all_seeds"]) == len(info["all_prompts"]) == 12
    assert made.left == [] and not call_queue.queue_lock._lock.locked()
    assert counts[-1][1] == 2 + 4 + 4, "the bar knew from the beginning"
    assert counts[-1][2] == "Stage 1 of 2 (img2img), image 4 of 4:"


def test_a_recipe_is_named_and_its_txt2img_is_the_press_itself(desk: Desk) -> None:
    from lib_sdpipe.manifest.codec import format_json

    layout = find_layout(desk.sandbox.data_dir / "runs")
    recipe = {"stages": [{"stage": "txt2img", "settings": {"prompt": "unused"}}, UPSCALE]}
    save_recipe_text(Workspace(layout), "Double", format_json(recipe).decode(), None)
    made = Made(desk, "Double")
    assert sorted(made.made) == ["txt2img_001", "upscale_001"] and made.run["config"]["then"]["recipe"] == "Double"
    assert (made.made["upscale_001"]["image"]["width"], made.run["images"]["planned"]) == (128, 2)


@pytest.mark.parametrize("then", [
    "no such recipe", {"stages": []}, {"stages": [{"stage": "paint"}]}, {"code": "1"}, "../x", {"recipe": 3}, 7, [],
])
def test_what_cannot_come_after_costs_the_press_nothing(desk: Desk, then: Any) -> None:
    made = Made(desk, then)
    assert made.run["status"] == "completed" and list(made.made) == ["txt2img_001"] and made.left == []
    if isinstance(then, (str, dict)):
        assert any("Nothing came after" in text for text in made.run.get("warnings") or []), made.run


def test_images_that_are_not_saved_are_gone_on_from_all_the_same(desk: Desk) -> None:
    made = Made(desk, {"stages": [IMG2IMG]}, save_images=False, batch_size=2)
    assert len(made.answer["images"]) == 4 + 0 and made.run["images"] == {"planned": 4, "returned": 4, "saved": 0}
    assert {one["path"] for one in made.made.values()} == {None}


def test_a_stage_that_fails_leaves_what_was_made_and_the_rest_to_be_resumed(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from modules import processing

    sampled: list[Any] = []
    sample = processing.StableDiffusionProcessingImg2Img.sample

    def fail_second(p: Any, *args: Any, **kwargs: Any) -> Any:
        sampled.append(p)
        if len(sampled) == 2:
            raise RuntimeError("out of paint")
        return sample(p, *args, **kwargs)

    monkeypatch.setattr(processing.StableDiffusionProcessingImg2Img, "sample", fail_second)
    made = Made(desk, {"stages": [IMG2IMG, UPSCALE]}, batch_size=3, do_not_save_grid=True)
    assert made.run["status"] == "failed" and made.run["error"]["stage"] == "img2img" and "out of paint" in made.run["error"]["message"]
    assert made.run["images"]["planned"] == 9 and len(made.of("img2img")) == 1 and len(made.of("txt2img")) == 3
    (job,) = made.left
    assert (job.status, job.run_id, job.planned, len(job.items)) == ("failed", made.run_id, 9, 3)
    assert job.error is not None and job.error.stage == "img2img"
    step = next_step(job)
    assert step is not None and (step.stage, step.input) == (0, "1")


def test_an_interrupted_chain_says_so_and_can_be_resumed(desk: Desk) -> None:
    from modules import shared

    def interrupt(p: Any) -> None:
        if hasattr(p, "init_images"):
            shared.state.interrupted = True

    units.calls.append(interrupt)
    made = Made(desk, {"stages": [IMG2IMG, UPSCALE]}, batch_size=2)
    assert made.run["status"] == "interrupted" and len(made.of("txt2img")) == 2 and made.of("upscale") == []
    assert [job.status for job in made.left] == ["interrupted"]


def test_x_y_z_goes_on_from_each_cell_and_makes_its_grid_as_ever(desk: Desk) -> None:
    plain = desk.sandbox.generate("txt2img", **{**SMALL, "save_images": True}, script_name="x/y/z plot", script_args=_axes())
    made = Made(desk, {"stages": [UPSCALE]}, script_name="x/y/z plot", script_args=_axes())
    assert len(made.of("txt2img")) == 2 == len(made.of("upscale")) and len(made.of("grid")) >= 1
    assert [one["variant"]["values"] for one in made.of("upscale")] == [one["variant"]["values"] for one in made.of("txt2img")]
    assert [one["variant"]["row"] for one in made.of("txt2img")] == [0, 1]
    assert made.of("grid")[0]["members"] == ["txt2img_001", "txt2img_002"]
    assert len(made.answer["images"]) == len(plain["images"])


def test_pieces_that_a_script_puts_together_are_not_gone_on_from(desk: Desk) -> None:
    from tests.contract.webui import encode_picture
    from tests.contract.conftest import noise

    made = Made(
        desk, {"stages": [UPSCALE]}, "img2img", init_images=[encode_picture(noise(128, 128))], script_name="sd upscale",
        script_args=[None, 16, "None", 1.5], denoising_strength=0.3,
    )
    assert made.of("upscale") == [] and any("pieces" in text for text in made.run.get("warnings") or []), made.run


def _axes() -> list[Any]:
    return [4, "3,4", [], 0, "", [], 0, "", [], True, False, False, False, False, False, False, 0, False]
