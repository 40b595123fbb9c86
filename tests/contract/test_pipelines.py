"""The pipeline through its HTTP API, as a program uses it: chains, re-runs with their proof, the queue, what comes after a press.

An image is made again pixel-identical on a processor; where a device does not repeat itself, these tests say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.conftest import Generate, Made, base_request, box_mask, hires_request, noise
from tests.contract.test_extras import extras
from tests.contract.test_recording import ALWAYS
from tests.contract.test_scripts import plot
from tests.contract.webui import HttpError, WebUI, decode_picture, encode_picture

API = "/sdpipe/v1"
ENDS_WITHIN_SECONDS = 300.0
Json = dict[str, Any]


class Pipeline:
    """The queue of a host, as a program has it."""

    def __init__(self, host: WebUI) -> None:
        self.host = host

    def post(self, path: str, **body: Any) -> Any:
        return self.host.post(f"{API}/{path}", body)

    def queue(self) -> Json:
        return self.host.get(f"{API}/queue")

    def find(self, job_id: str) -> Json:
        return next(job for job in self.queue()["jobs"] if job["id"] == job_id)

    def wait(self, job_id: str, *statuses: str) -> Json:
        """The job once it has ended, or has one of these statuses."""
        wanted = statuses or ("done", "failed", "interrupted", "cancelled")
        deadline = time.monotonic() + ENDS_WITHIN_SECONDS
        while time.monotonic() < deadline:
            job = self.find(job_id)
            if job["status"] in wanted:
                return job
            time.sleep(0.1)
        raise AssertionError(f"the job is {self.find(job_id)} after {ENDS_WITHIN_SECONDS} s")

    def make(self, path: str = "jobs", **body: Any) -> Json:
        return self.wait(self.post(path, **body)["id"])

    def rerun(self, run_id: str, **wanted: Any) -> Json:
        """The run file's `replay` of a re-run that was made."""
        job = self.make("jobs/rerun", run_id=run_id, **wanted)
        assert job["status"] == "done", job
        replay = self.host.wait_closed(job["run_id"])["replay"]
        assert replay["of"]["run_id"] == run_id
        return replay

    def wait_working(self, job_id: str, stage: int = 1) -> Json:
        """What is being made, once this job is at that stage with a pass that has begun."""
        deadline = time.monotonic() + ENDS_WITHIN_SECONDS
        while time.monotonic() < deadline:
            working = self.queue()["working"]
            if working and working["job_id"] == job_id and working["stage"] == stage and working["share"] > 0:
                return working
            time.sleep(0.02)
        raise AssertionError(f"stage {stage} was never worked on: {self.find(job_id)}")

    def made(self, job: Json) -> Made:
        return Made(self.host, None, job["run_id"])


@pytest.fixture
def pipeline(host: WebUI) -> Iterator[Pipeline]:
    """An empty queue that goes on; what a test leaves is taken away."""
    queue = Pipeline(host)
    yield queue
    for job in queue.queue()["jobs"]:
        try:
            if job["status"] == "running":
                queue.post(f"jobs/{job['id']}/stop")
                queue.wait(job["id"])
            elif job["status"] == "waiting":
                queue.post(f"jobs/{job['id']}/cancel")
        except HttpError:
            pass  # it has ended meanwhile
    queue.post("queue/pause", paused=False)
    queue.post("queue/clear")


def stage(name: str, **settings: Any) -> Json:
    return {"stage": name, "settings": settings}


def four_stages(**first: Any) -> list[Json]:
    asked = {key: value for key, value in base_request().items() if key != "save_images"}
    return [
        stage("txt2img", **{**asked, "seed": 11, **first}), stage("img2img", denoising_strength=0.5, steps=2),
        stage("adetailer", adetailer=[{"ad_model": ALWAYS}]), stage("upscale", upscaler_1="Lanczos", upscaling_resize=2),
    ]


def assert_unbroken(made: Made, stages: list[str], of_each: int) -> None:
    """Each image of a later stage has its parent in the stage before, and all earlier stages in its history."""
    images = {m["name"]: m for m in made.manifests if m["role"] == "final" and m["stage"] != "grid"}
    assert [sum(m["stage"] == one for m in images.values()) for one in stages] == [of_each] * len(stages)
    for number, one in enumerate(stages):
        parents = []
        for manifest in made.of(one):
            assert manifest["run_id"] == made.run_id and made.file(manifest).exists()
            assert [entry["stage"] for entry in manifest["stage_history"]][-number or len(manifest["stage_history"]):] == stages[:number]
            if number:
                assert manifest["parent"]["run_id"] == made.run_id
                parents.append(images[manifest["parent"]["name"]])
        assert {parent["stage"] for parent in parents} <= {stages[number - 1]}
        assert len({parent["name"] for parent in parents}) == (of_each if number else 0)
        assert [m["actual_seed"] for m in made.of(one)] == [m["actual_seed"] for m in made.of(stages[0])]


# --- chains ---

STAGES = ["txt2img", "img2img", "adetailer", "upscale"]


def test_a_chain_of_four_stages_on_a_batch_of_four(pipeline: Pipeline) -> None:
    before = pipeline.host.run_ids()
    job = pipeline.make(stages=four_stages(batch_size=2, n_iter=2), label="four stages")
    assert job["status"] == "done" and job["planned"] == 16, job
    assert pipeline.host.run_ids() - before == {job["run_id"]}
    made = pipeline.made(job)
    assert (made.run["status"], made.run["source"], made.run["label"]) == ("completed", "pipeline", "four_stages")
    assert made.run["images"] == {"planned": 16, "returned": 16, "saved": 16}
    assert_unbroken(made, STAGES, 4)
    assert {m["image"]["width"] for m in made.of("upscale")} == {128}
    assert [one["stage"] for one in made.run["config"]["stages"]] == STAGES


def test_a_chain_goes_on_from_images_of_other_runs(pipeline: Pipeline, generate: Generate) -> None:
    source = generate(batch_size=2)
    items = [{"run_id": source.run_id, "name": m["name"]} for m in source.of("txt2img")]
    made = pipeline.made(pipeline.make(items=items, stages=four_stages()[1:2] + four_stages()[3:]))
    assert [m["parent"]["name"] for m in made.of("img2img")] == [item["name"] for item in items]
    assert {m["parent"]["run_id"] for m in made.of("img2img")} == {source.run_id}
    assert [m["parent"]["name"] for m in made.of("upscale")] == [m["name"] for m in made.of("img2img")]
    assert made.run["images"] == {"planned": 4, "returned": 4, "saved": 4}
    assert [m["actual_seed"] for m in made.of("img2img")] == [m["actual_seed"] for m in source.of("txt2img")]


def test_a_prompt_pack_names_the_run_and_each_image_knows_its_row(pipeline: Pipeline) -> None:
    name = f"boats {time.time():.0f}"
    pipeline.post(f"packs/{name.replace(' ', '%20')}", suffix=".txt", text="a red boat\n\na blue boat\n")
    made = pipeline.made(pipeline.make(pack={"name": name}, stages=four_stages()[:1]))
    assert [m["prompt"] for m in made.of("txt2img")] == ["a red boat", "a blue boat"]
    assert [(m["variant"]["pack"], m["variant"]["row"]) for m in made.of("txt2img")] == [(name, 0), (name, 1)]


# --- re-runs ---

def assert_identical(replay: Json) -> None:
    assert replay["verdict"] == "identical", replay
    assert [image["verdict"] for image in replay["differences"]["images"]] == ["identical"]


_repeats: dict[str, bool] = {}


def assert_identical_if_the_host_is(host: WebUI, replay: Json) -> None:
    """PyTorch on a processor may round a few values otherwise from call to call; Forge's does."""
    if replay["verdict"] != "near" or does_img2img_repeat(host):
        assert_identical(replay)
    assert all(image["largest"] <= 1 for image in replay["differences"]["images"] if image["verdict"] == "near"), replay


def does_img2img_repeat(host: WebUI) -> bool:
    """Whether ten equal requests, with others between them, give ten equal pictures."""
    if host.url not in _repeats:
        unrecorded = {"alwayson_scripts": {"SDPipe": {"args": [{"record": False}]}}, "save_images": False}
        picture, request = encode_picture(noise()), {**base_request(), "seed": 5, "denoising_strength": 0.5, **unrecorded}
        made = set()
        for _ in range(10):
            made.add(decode_picture(host.post("/sdapi/v1/img2img", {**request, "init_images": [picture]})["images"][0]).tobytes())
            host.post("/sdapi/v1/txt2img", {**base_request(), **unrecorded, "batch_size": 2})
        _repeats[host.url] = len(made) == 1
    return _repeats[host.url]


def test_txt2img_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    made = generate()
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id))
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id, name="txt2img_001"))


def test_hires_fix_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(generate(**hires_request()).run_id))


def test_img2img_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    made = generate("img2img", init_images=[encode_picture(noise())], denoising_strength=0.5)
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id))


def test_inpaint_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    mask = encode_picture(box_mask((64, 64), (16, 16, 48, 48)))
    made = generate("img2img", init_images=[encode_picture(noise())], mask=mask, denoising_strength=0.7)
    assert len(made.of("inpaint")) == 1
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id))


def test_adetailer_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(alwayson_scripts={"ADetailer": {"args": [True, False, {"ad_model": ALWAYS}]}})
    assert len(made.of("adetailer")) == 1
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id))


def test_an_upscale_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    source = generate()
    made = extras(pipeline.host, [encode_picture_of(source)])
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id))


def test_each_image_of_a_chain_again_is_the_same(pipeline: Pipeline) -> None:
    job = pipeline.make(stages=four_stages(batch_size=2))
    for name in ("txt2img_002", "img2img_001", "adetailer_002", "upscale_001"):
        assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(job["run_id"], name=name))


def test_one_of_a_batch_again_is_the_same_made_with_its_batch(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(batch_size=3, n_iter=2)
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id, name="txt2img_005"))
    rerun = Made(pipeline.host, None, pipeline.queue()["jobs"][-1]["run_id"])
    assert [m["actual_seed"] for m in rerun.of("txt2img") if m["path"]] == [made.of("txt2img")[4]["actual_seed"]]
    alone = pipeline.rerun(made.run_id, name="txt2img_002", alone=True)
    assert alone["verdict"] in ("identical", "near"), alone


def test_a_cell_of_an_xyz_plot_again_is_the_same(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(seed=5, **plot(pipeline.host, {"Steps": "1,2"}))
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id, name="txt2img_002"))


def test_a_changed_option_is_named_first_in_the_preflight_and_the_verdict(pipeline: Pipeline, generate: Generate, options: Any) -> None:
    options(img2img_color_correction=False)
    made = generate("img2img", init_images=[encode_picture(noise())], denoising_strength=0.5)
    options(img2img_color_correction=True)
    field = "options.img2img_color_correction"
    seen = pipeline.post("jobs/rerun/preview", run_id=made.run_id)
    assert seen["preflight"][0]["field"] == field and seen["preflight"][0]["can_set_back"], seen["preflight"][:3]
    replay = pipeline.rerun(made.run_id)
    assert replay["verdict"] == "different" and replay["differences"]["images"][0]["largest"] > 2, replay
    assert replay["differences"]["environment"][0]["field"] == field, replay["differences"]["environment"][:3]
    assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id, set_back=[field]))


def test_with_variations_the_run_says_what_it_was_made_from(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(seed=3)
    replay = pipeline.rerun(made.run_id, changes={"seed": 4})
    assert replay["verdict"] is None
    (image,) = Made(pipeline.host, None, pipeline.queue()["jobs"][-1]["run_id"]).of("txt2img")
    assert (image["actual_seed"], image["prompt"]) == (4, made.of("txt2img")[0]["prompt"])


def test_a_deleted_image_is_regenerated_to_the_same_pixels(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(batch_size=2)
    lost = made.of("txt2img")[1]
    made.file(lost).unlink()
    job = pipeline.make("jobs/rerun", run_id=made.run_id, name=lost["name"], kind="regenerate")
    assert job["status"] == "done" and job["replay"]["verdict"] == "identical", job
    assert made.file(lost).exists() and pipeline.host.manifests(made.run_id)[1]["image"]["pixel_sha256"] == lost["image"]["pixel_sha256"]


# --- interruption, failure, the queue ---

@pytest.mark.parametrize("at", [1, 2, 3])
def test_a_chain_that_is_stopped_in_a_stage_goes_on_from_there(pipeline: Pipeline, at: int) -> None:
    stages = four_stages(batch_size=2, steps=25 if at == 1 else 2)
    stages[1]["settings"]["steps"] = 40 if at == 2 else 2
    if at == 3:
        stages[2]["settings"]["steps"] = 40
    job_id = pipeline.post("jobs", stages=stages)["id"]
    pipeline.wait_working(job_id, at)
    began = time.monotonic()
    pipeline.post(f"jobs/{job_id}/stop")
    job = pipeline.wait(job_id)
    assert job["status"] == "interrupted" and time.monotonic() - began < 10, job
    assert pipeline.host.wait_closed(job["run_id"])["status"] == "interrupted"
    pipeline.post(f"jobs/{job_id}/resume")
    again = pipeline.wait(job_id)
    assert again["status"] == "done" and again["run_id"] == job["run_id"], again
    assert_whole(pipeline.made(again), 2)


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_a_chain_that_fails_in_a_stage_keeps_what_was_made_and_makes_nothing_twice(pipeline: Pipeline, at: int) -> None:
    stages = four_stages(batch_size=2)
    gone = {"upscaler_1": "None such"} if at == 3 else {"override_settings": {"sd_model_checkpoint": "gone.ckpt"}}
    stages[at]["settings"].update(gone)
    job = pipeline.make(stages=stages)
    assert job["status"] == "failed" and job["error"]["stage"] == STAGES[at], job
    made = pipeline.made(job)
    assert made.run["status"] == "failed" and made.run["error"]["stage"] == STAGES[at] and made.run["error"]["message"]
    assert [len(made.of(one)) for one in STAGES] == [2] * at + [0] * (4 - at)
    pipeline.post(f"jobs/{job['id']}/resume")
    assert pipeline.wait(job["id"])["status"] == "failed"
    assert [len(pipeline.made(job).of(one)) for one in STAGES] == [2] * at + [0] * (4 - at)


def test_the_hosts_interrupt_ends_the_job(pipeline: Pipeline) -> None:
    job_id = pipeline.post("jobs", stages=four_stages(steps=60)[:1])["id"]
    pipeline.wait_working(job_id)
    pipeline.host.post("/sdapi/v1/interrupt")
    assert pipeline.wait(job_id)["status"] == "interrupted"


def test_a_job_waits_while_somebody_generates_and_the_users_run_is_their_own(pipeline: Pipeline, generate: Generate) -> None:
    ended: list[Made] = []
    job_id = pipeline.post("jobs", stages=four_stages(steps=20)[:1] + [stage("img2img", steps=20)] * 3)["id"]
    pipeline.wait_working(job_id)
    before = pipeline.host.run_ids()
    user = threading.Thread(target=lambda: ended.append(pipeline.host.post("/sdapi/v1/txt2img", {**base_request(), "steps": 10})))
    user.start()
    user.join(60)
    assert ended and pipeline.wait(job_id)["status"] == "done"
    theirs = pipeline.host.run_ids() - before
    assert len(theirs) == 1 and pipeline.host.wait_closed(theirs.pop())["images"]["saved"] == 1
    assert_unbroken_simple(pipeline.made(pipeline.find(job_id)))


def test_the_queue_is_paused_put_in_order_and_cancelled(pipeline: Pipeline) -> None:
    pipeline.post("queue/pause", paused=True)
    first, second, third = (pipeline.post("jobs", stages=four_stages()[:1], label=name)["id"] for name in ("one", "two", "three"))
    time.sleep(1.5)
    assert [pipeline.find(job)["status"] for job in (first, second, third)] == ["waiting"] * 3
    pipeline.post(f"jobs/{third}/move", places=-2)
    pipeline.post(f"jobs/{second}/cancel")
    pipeline.post("queue/pause", paused=False)
    ended = [pipeline.wait(job) for job in (first, second, third)]
    assert [job["status"] for job in ended] == ["done", "cancelled", "done"]
    assert ended[2]["started_at"] < ended[0]["started_at"] and ended[1]["run_id"] is None


# --- then ---

def then(*stages: Json, **options: Any) -> Json:
    return {"SDPipe": {"args": [{"then": {"stages": list(stages)}, **options}]}}


def test_a_chain_after_a_request_is_one_run_and_its_pictures_are_answered(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(seed=11, batch_size=2, n_iter=2, alwayson_scripts=then(*four_stages()[1:]))
    assert (made.run["status"], made.run["source"]) == ("completed", "api")
    assert made.run["images"] == {"planned": 16, "returned": 16, "saved": 16}
    assert_unbroken(made, STAGES, 4)
    assert len(made.answer["images"]) == 17  # the grid is first
    for name in ("txt2img_003", "img2img_002", "upscale_004"):
        assert_identical_if_the_host_is(pipeline.host, pipeline.rerun(made.run_id, name=name))


def test_a_chain_after_a_request_that_fails_is_resumed_from_the_queue(pipeline: Pipeline, generate: Generate) -> None:
    made = generate(batch_size=2, alwayson_scripts=then(four_stages()[1], stage("upscale", upscaler_1="None such")))
    assert made.run["status"] == "failed" and made.run["error"]["stage"] == "upscale"
    assert len(made.of("txt2img")) == len(made.of("img2img")) == 2
    job = next(job for job in pipeline.queue()["jobs"] if job["run_id"] == made.run_id)
    assert (job["status"], job["items"], job["passes"]) == ("failed", 2, 2)
    pipeline.post(f"jobs/{job['id']}/resume")
    assert pipeline.wait(job["id"])["status"] == "failed"


def test_an_interrupted_chain_after_a_request_is_finished_in_the_same_run(pipeline: Pipeline, host: WebUI) -> None:
    before = host.run_ids()
    request = {**base_request(), "batch_size": 2, "alwayson_scripts": then(stage("img2img", steps=60), four_stages()[3])}
    thread = threading.Thread(target=lambda: host.post("/sdapi/v1/txt2img", request))
    thread.start()
    deadline = time.monotonic() + 60
    while "img2img" not in str(host.get("/sdapi/v1/progress?skip_current_image=true").get("textinfo")) and time.monotonic() < deadline:
        time.sleep(0.02)
    host.post("/sdapi/v1/interrupt")
    thread.join(60)
    (run_id,) = host.run_ids() - before
    job = next(job for job in pipeline.queue()["jobs"] if job["run_id"] == run_id)
    assert job["status"] == "interrupted", job
    pipeline.post(f"jobs/{job['id']}/resume")
    assert pipeline.wait(job["id"])["status"] == "done"
    made = Made(host, None, run_id)
    assert made.run["status"] == "completed" and len(made.of("upscale")) == 2, made.run
    assert {m["parent"]["name"] for m in made.of("upscale")} <= {m["name"] for m in made.of("img2img")}


def test_without_a_word_nothing_comes_after_an_api_call(generate: Generate, host: WebUI) -> None:
    host.set_options(sdpipe_then="some recipe")
    try:
        made = generate()
    finally:
        host.set_options(sdpipe_then="")
    assert len(made.manifests) == 1 and not made.run.get("warnings")


# --- parts ---

def encode_picture_of(made: Made) -> str:
    from tests.contract.conftest import open_picture

    return encode_picture(open_picture(made.file(made.of("txt2img")[0])))


def assert_whole(made: Made, of_each: int) -> None:
    """Resumed: every stage has its images, whatever a broken pass may have left besides."""
    assert made.run["status"] == "completed" and made.run["images"]["planned"] == 4 * of_each
    ends = made.of("upscale")
    assert len(ends) == of_each
    images = {m["name"]: m for m in made.manifests}
    for end in ends:
        way = [end]
        while way[-1]["stage"] != "txt2img":
            way.append(images[way[-1]["parent"]["name"]])
        assert [one["stage"] for one in way] == STAGES[::-1]


def assert_unbroken_simple(made: Made) -> None:
    assert made.run["status"] == "completed" and [m["stage"] for m in made.manifests] == ["txt2img"] + ["img2img"] * 3
    assert [m["parent"]["name"] for m in made.of("img2img")] == ["txt2img_001", "img2img_001", "img2img_002"]
