"""What was recorded of the host's own API is asked again through the port, and comes out the same, pixel by pixel."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from dataclasses import dataclass, replace
from typing import Any

import pytest
from PIL import Image

from lib_sdpipe.conduct.pictures import Pictures
from lib_sdpipe.manifest.records import ImageFacts, Json, Manifest, Run
from lib_sdpipe.pipeline.build import build_request
from lib_sdpipe.pipeline.port import RunStart
from lib_sdpipe.pipeline.preflight import check_rerun, set_back
from lib_sdpipe.pipeline.records import Item, Stage
from lib_sdpipe.pipeline.replay import Replay, Wanted, plan_rerun
from lib_sdpipe.pipeline.verdict import Judgement, find_changes, judge_digests, judge_pictures
from lib_sdpipe.store.library import Library
from tests.contract.conftest import noise
from tests.contract.webui import encode_picture
from tests.hosts.port.conftest import SMALL, Desk

HIRES: Json = {"enable_hr": True, "hr_scale": 2.0, "hr_upscaler": "Latent", "denoising_strength": 0.5,
               "hr_additional_modules": ["Use same choices"], "hr_cfg": 7.0}
DETAILER: Json = {"ADetailer": {"args": [True, False, {"ad_model": "always_yolov8n.pt"}]}}


@dataclass
class Recorded:
    """A run that the host's API made, as it stands on disk."""

    desk: Desk
    run: Run
    manifests: list[Manifest]
    environment: Json

    def plan(self, name: str | None = None, **wanted: Any) -> Replay:
        return plan_rerun(self.run, self.manifests, self.environment, Wanted(name=name, **wanted))

    def again(self, replay: Replay) -> dict[str, Judgement]:
        """What comes of it, by the original's name."""
        made = []
        for request in replay.requests:
            outcome = self.desk.port.run_pass(self.desk.run_id, request, Pictures(self.desk.store.layout).find)
            assert outcome.error is None, outcome.error
            made += outcome.images
        by_name = {manifest.name: manifest for manifest in self.manifests}
        return {one.of.name: self._judge(by_name[one.of.name], made[one.place].picture) for one in replay.compare if one.role is None}

    def _judge(self, original: Manifest, picture: Image.Image) -> Judgement:
        if original.path is None:
            from lib_sdpipe.images.read import build_facts

            facts = build_facts(picture, None)
            return judge_digests(original.image, ImageFacts(pixel_sha256=facts.pixel_sha256, decoder=facts.decoder))
        with Image.open(str(Library(self.desk.store.layout).resolve(original.root, original.path))) as file:
            return judge_pictures(file, picture)


def record(desk: Desk, tab: str = "txt2img", **given: Any) -> Recorded:
    before = set(desk.store.iter_run_ids())
    if tab == "extras":
        from modules import postprocessing

        postprocessing.run_extras(0, given.pop("image"), None, "", "", True, save_output=True, **given)
    else:
        desk.sandbox.generate(tab, **{**SMALL, "seed": -1, "save_images": True, **given})
    began, seen = time.monotonic(), ""
    while time.monotonic() < began + 120:  # a disk to which everybody writes can take long
        new = set(desk.store.iter_run_ids()) - before
        if new and desk.store.layout.run_file(min(new)).exists() and desk.store.read_run(min(new)).status != "running":
            return read_recorded(desk, min(new))
        time.sleep(0.05)
        if not seen and time.monotonic() > began + 20:
            seen = show_writer()
    found = {run_id: desk.store.layout.run_file(run_id).read_text() for run_id in new if desk.store.layout.run_file(run_id).exists()}
    raise AssertionError(f"the run was not closed: {new} {found}; after 20 s the writer stood in\n{seen}")


def show_writer() -> str:
    names = {thread.ident: thread.name for thread in threading.enumerate()}
    return "\n".join(
        "".join([names[ident], "\n", *traceback.format_stack(frame)]) for ident, frame in sys._current_frames().items()
        if names.get(ident, "").startswith("SDPipe")
    )


def read_recorded(desk: Desk, run_id: str) -> Recorded:
    run = desk.store.read_run(run_id)
    manifests = [found for found in desk.store.iter_manifests(run_id) if isinstance(found, Manifest)]
    return Recorded(desk, run, manifests, desk.store.read_environment(run.environment or ""))


def verdicts(found: dict[str, Judgement]) -> set[str]:
    return {judgement.verdict for judgement in found.values()}


@pytest.mark.parametrize("given", [
    {"batch_size": 2, "n_iter": 2}, {"subseed_strength": 0.4, "n_iter": 2, "batch_size": 2}, HIRES, {"alwayson_scripts": DETAILER},
    {**HIRES, "alwayson_scripts": DETAILER, "batch_size": 2},
])
def test_a_run_with_a_random_seed_comes_out_the_same(desk: Desk, given: Json) -> None:
    recorded = record(desk, **given)
    found = recorded.again(recorded.plan())
    assert len(found) == given.get("batch_size", 1) * given.get("n_iter", 1)
    assert verdicts(found) == {"identical"}


def test_one_image_of_a_batch_comes_out_the_same_with_its_batch_and_is_saved_alone(desk: Desk) -> None:
    recorded = record(desk, batch_size=3, n_iter=2)
    assert recorded.again(recorded.plan("txt2img_005")) == {"txt2img_005": Judgement("identical", 0, 0.0, 0)}
    assert [bool(made["path"]) for made in desk.manifests()] == [False, True, False]


def test_an_image_from_a_picture_and_a_mask_comes_out_the_same(desk: Desk) -> None:
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (16, 16, 48, 48))
    given: Json = {"init_images": [encode_picture(noise())], "denoising_strength": 0.6}
    for masked in ({}, {"mask": encode_picture(mask), "inpainting_fill": 1, "mask_blur": 2}):
        recorded = record(desk, "img2img", batch_size=2, **given, **masked)
        assert verdicts(recorded.again(recorded.plan())) == {"identical"}
        name = recorded.manifests[1].name
        assert verdicts(recorded.again(recorded.plan(name))) == {"identical"}


def test_a_cell_of_a_plot_comes_out_the_same_by_the_whole_plot_and_alone(desk: Desk) -> None:
    choices = ["Nothing", "Seed", "Var. seed", "Var. strength", "Steps"]
    arguments = [choices.index("Steps"), "2,3", [], 0, "", [], 0, "", [], True, False, False, False, False, False, False, 0, False]
    recorded = record(desk, script_name="X/Y/Z plot", script_args=arguments)
    cells = [manifest.name for manifest in recorded.manifests if manifest.stage == "txt2img"]
    assert len(cells) == 2
    assert verdicts(recorded.again(recorded.plan(cells[1]))) == {"identical"}
    assert verdicts(recorded.again(recorded.plan(cells[1], alone=True))) == {"identical"}


def test_an_upscaled_picture_comes_out_the_same(desk: Desk) -> None:
    given: Json = {"resize_mode": 0, "upscaling_resize": 2, "upscaling_resize_w": 512, "upscaling_resize_h": 512, "upscaling_crop": True,
                   "upscaler_1": "Lanczos", "upscaler_2": "Nearest", "extras_upscaler_2_visibility": 0.5}
    recorded = record(desk, "extras", image=noise(), **given)
    assert verdicts(recorded.again(recorded.plan())) == {"identical"}


def test_nothing_differs_right_afterwards(desk: Desk) -> None:
    recorded = record(desk, **HIRES, alwayson_scripts=DETAILER)
    assert check_rerun(recorded.plan(), recorded.run, recorded.manifests, recorded.environment, desk.port.facts()) == []


def test_an_option_that_was_changed_is_named_first_and_set_back(desk: Desk) -> None:
    from modules import shared

    shared.opts.data["upscaler_for_img2img"] = "Nearest"
    recorded = record(desk, "img2img", init_images=[encode_picture(noise(32, 32))], denoising_strength=0.2)
    shared.opts.data["upscaler_for_img2img"] = "Lanczos"
    replay, now = recorded.plan(), desk.port.facts()
    assert verdicts(recorded.again(replay)) == {"different"}
    assert find_changes(recorded.run, recorded.run, (recorded.environment, now.environment))[0].field == "options.upscaler_for_img2img"
    (found,) = check_rerun(replay, recorded.run, recorded.manifests, recorded.environment, now)
    assert (found.field, found.then, found.now, found.can_set_back) == ("options.upscaler_for_img2img", "Nearest", "Lanczos", True)
    assert verdicts(recorded.again(set_back(replay, [found]))) == {"identical"}


def test_a_chain_comes_out_the_same_pass_by_pass(desk: Desk) -> None:
    stages = [
        Stage(stage="txt2img", settings={**SMALL, "seed": -1, "batch_size": 2}),
        Stage(stage="img2img", settings={"denoising_strength": 0.5}),
        Stage(stage="adetailer", settings={"adetailer": [{"ad_model": "always_yolov8n.pt"}]}),
        Stage(stage="upscale", settings={"upscaler": "Lanczos", "upscaling_resize": 2}),
    ]
    config = {"endpoint": "chain", "items": [{}], "stages": [stage.to_json() for stage in stages]}
    run_id = desk.port.open_run(RunStart("chain", "txt2img", config, None, 8))
    made = [(build_request(stages[0], Item()), {"stage": 0, "input": "0"})]
    for number in range(len(stages)):
        names = []
        for request, step in made:
            outcome = desk.port.run_pass(run_id, replace(request, step=step), Pictures(desk.store.layout).find)
            assert outcome.error is None, outcome.error
            names += [image.name for image in outcome.images]
        desk.port.wait_recorded()
        if number + 1 < len(stages):
            sources = [desk.store.read_manifest(run_id, name) for name in names]
            made = [(build_request(stages[number + 1], None, one), {"stage": number + 1, "input": one.name}) for one in sources]
    desk.port.close_run(run_id, None, None, None)
    desk.port.wait_recorded()
    recorded = read_recorded(desk, run_id)
    assert [manifest.stage for manifest in recorded.manifests].count("upscale") == 2
    found = recorded.again(recorded.plan())
    assert (len(found), verdicts(found)) == (8, {"identical"})
    for stage in ("adetailer", "upscale"):
        assert verdicts(recorded.again(recorded.plan(stage=stage))) == {"identical"}
