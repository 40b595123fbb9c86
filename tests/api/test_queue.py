"""The queue over HTTP: what is asked becomes a job or is refused with a sentence, and each user sees own jobs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_sdpipe.conduct.conductor import Working
from lib_sdpipe.pipeline.chain import Step
from lib_sdpipe.pipeline.port import PassProgress
from lib_sdpipe.pipeline.queue import change_job
from lib_sdpipe.pipeline.records import DonePass, Job
from lib_sdpipe.store.queue import change_queue, read_queue
from tests.api.conftest import Serve
from tests.pace import assert_quick
from tests.ui.sample_library import SampleLibrary

TXT2IMG = {"stage": "txt2img", "settings": {"prompt": "a harbour", "steps": 2}}
IMG2IMG = {"stage": "img2img", "settings": {"denoising_strength": 0.4}}


class Worker:
    """What the API needs of the conductor."""

    def __init__(self, job_id: str = "") -> None:
        self.job, self.woken, self.stopped, self.fault = Job(id=job_id, run_id="a_run"), 0, [], None

    @property
    def job_id(self) -> str:
        return self.job.id or ""

    def wake(self) -> None:
        self.woken += 1

    def stop_job(self, job_id: str) -> bool:
        self.stopped.append(job_id)
        return job_id == self.job_id

    def working(self) -> Working | None:
        progress = PassProgress(0.5, "Step 1 of 2")
        return Working(self.job, Step(0, "0"), 2, len(self.job.done), None, progress, False, False) if self.job_id else None


@pytest.fixture
def run_id(library: SampleLibrary) -> str:
    run_id = library.add_run("harbour", ago=60)
    for number in range(1, 3):
        library.add_image(run_id, f"txt2img_{number:03d}", number, (64, 64))
    return run_id


def post(client: TestClient, path: str, **body: Any) -> Any:
    answer = client.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def refusal(client: TestClient, path: str, status: int = 400, **body: Any) -> str:
    answer = client.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()["detail"]


def test_a_chain_waits_in_the_queue_with_what_it_will_make(serve: Serve, library: SampleLibrary, run_id: str) -> None:
    worker = Worker()
    client = serve(works=worker)
    items = [{"run_id": run_id, "name": "txt2img_001"}, {"run_id": run_id, "name": "txt2img_002"}]
    job = post(client, "jobs", items=items, stages=[IMG2IMG, IMG2IMG], label="my series")
    assert (job["kind"], job["status"], job["items"], job["stages"], job["planned"]) == ("chain", "waiting", 2, ["img2img"] * 2, 4)
    assert job["label"] == "my_series" and worker.woken == 1
    assert [one["id"] for one in client.get("queue").json()["jobs"]] == [job["id"]]
    whole = client.get(f"jobs/{job['id']}").json()
    assert [item["source"]["name"] for item in whole["items"]] == ["txt2img_001", "txt2img_002"] and "owner" not in whole


def test_a_run_stands_for_its_last_images(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    library.add_image(run_id, "upscale_001", 3, (64, 64), stage="upscale", parent={"run_id": run_id, "name": "txt2img_001"})
    job = post(client, "jobs", runs=[run_id], stages=[IMG2IMG])
    items = client.get(f"jobs/{job['id']}").json()["items"]
    assert [item["source"]["name"] for item in items] == ["txt2img_002", "upscale_001"]


def test_a_recipe_and_a_pack_are_taken_by_name(client: TestClient) -> None:
    post(client, "recipes/Portrait", recipe={"stages": [TXT2IMG, IMG2IMG]})
    post(client, "packs/boats", suffix=".txt", text="a red boat\n\na blue boat\nneg: fog\n")
    job = post(client, "jobs", recipe="Portrait", pack={"name": "boats"})
    assert (job["items"], job["stages"]) == (2, ["txt2img", "img2img"])
    assert "there is no recipe" in refusal(client, "jobs", 404, recipe="None")
    assert "either" in refusal(client, "jobs", recipe="Portrait", stages=[TXT2IMG])


@pytest.mark.parametrize(("body", "words"), [
    ({}, "either"), ({"stages": []}, "at least one"), ({"stages": "txt2img"}, "must be a list"),
    ({"stages": [{"stage": "paint"}]}, "stage must be"),
    ({"stages": [IMG2IMG]}, "choose the images"), ({"stages": [TXT2IMG], "items": [3]}, "item 1"),
    ({"stages": [TXT2IMG], "item": []}, "'item'"),
    ({"stages": [TXT2IMG], "items": [{"run_id": "x"}]}, "item 1"), ({"stages": [TXT2IMG] * 30}, "at most"),
    ({"stages": [TXT2IMG], "items": [{"settings": {"steps": 1e9}}]}, "item 1: steps"),
    ({"stages": [TXT2IMG], "items": [{"settings": {"__class__": "x"}}]}, "item 1"), ({"stages": [TXT2IMG], "pack": {"name": 3}}, "pack"),
    ({"stages": [{"stage": "txt2img", "settings": {"prompt": {"$eval": "1"}}}]}, "prompt must be"),
    ({"stages": [TXT2IMG], "label": 3}, "label"), ({"stages": [TXT2IMG], "pack": {"name": "a", "rows": "all"}}, "rows"),
])
def test_what_cannot_be_made_is_refused_and_nothing_is_queued(client: TestClient, body: Any, words: str) -> None:
    assert words in refusal(client, "jobs", **body)
    assert client.get("queue").json()["jobs"] == []


def test_images_that_are_not_there_are_refused(client: TestClient, run_id: str) -> None:
    for link in ({"run_id": run_id, "name": "txt2img_009"}, {"run_id": "20200101_000000_none", "name": "txt2img_001"},
                 {"run_id": "../x", "name": "txt2img_001"}, {"run_id": run_id, "name": "../../x"}):
        assert client.post("jobs", json={"items": [link], "stages": [IMG2IMG]}).status_code in (400, 404), link
        masked = {"stage": "inpaint", "settings": {"mask": {"$image": link}}}
        good = {"run_id": run_id, "name": "txt2img_001"}
        assert client.post("jobs", json={"items": [good], "stages": [masked]}).status_code in (400, 404), link
    assert client.get("queue").json()["jobs"] == []


def test_a_re_run_is_looked_at_first_then_queued(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("again", ago=30, config={"endpoint": "txt2img", "prompt": "a boat", "seed": 1, "batch_size": 1, "n_iter": 1})
    library.add_image(run_id, "txt2img_001", 5, (64, 64))
    seen = post(client, "jobs/rerun/preview", run_id=run_id, name="txt2img_001")
    assert seen["requests"][0]["config"]["endpoint"] == "txt2img" and seen["exactness"] in ("exact", "near") and seen["planned"] == 1
    assert [image["of"]["name"] for image in seen["compare"]] == ["txt2img_001"]
    assert client.get("queue").json()["jobs"] == []
    job = post(client, "jobs/rerun", run_id=run_id, name="txt2img_001", label="again")
    assert (job["kind"], job["requests"], job["replay_of"]["name"]) == ("rerun", 1, "txt2img_001")
    varied = post(client, "jobs/rerun/preview", run_id=run_id, changes={"seed": 9})
    assert varied["requests"][0]["config"]["seed"] == 9 and varied["compare"] == []
    assert "kind" in refusal(client, "jobs/rerun", run_id=run_id, kind="erase")
    assert "cannot be changed" in client.post("jobs/rerun", json={"run_id": run_id, "changes": {"init_images": []}}).json()["detail"]
    assert client.post("jobs/rerun", json={"run_id": run_id, "name": "nobody"}).status_code in (400, 404)


def test_jobs_are_moved_cancelled_resumed_and_the_queue_paused(client: TestClient) -> None:
    first, second = (post(client, "jobs", stages=[TXT2IMG], label=name)["id"] for name in ("first", "second"))
    assert [job["id"] for job in post(client, f"jobs/{second}/move", places=-1)["jobs"]] == [second, first]
    assert post(client, f"jobs/{first}/cancel")["status"] == "cancelled"
    assert post(client, f"jobs/{first}/resume")["status"] == "waiting"
    assert post(client, "queue/pause", paused=True)["paused"] is True and post(client, "queue/pause", paused=False)["paused"] is False
    post(client, f"jobs/{first}/cancel")
    assert [job["id"] for job in post(client, "queue/clear")["jobs"]] == [second]
    for path, body in ((f"jobs/{second}/resume", {}), (f"jobs/{second}/stop", {}), (f"jobs/{second}/move", {"places": "1"}),
                       (f"jobs/{second}/move", {}), ("queue/pause", {}), (f"jobs/{second}/cancel", {"why": 1})):
        refusal(client, path, **body)
    assert "no job" in refusal(client, "jobs/none/cancel", 404)


def test_only_the_job_that_is_being_made_here_is_stopped(serve: Serve, library: SampleLibrary) -> None:
    worker = Worker()
    client = serve(works=worker)
    job_id = post(client, "jobs", stages=[TXT2IMG, IMG2IMG])["id"]
    now = "2025-01-01T00:00:00.000Z"
    change_queue(library.layout, lambda queue: change_job(queue, job_id, {"status": "running", "started_at": now}))
    assert "another WebUI" in refusal(client, f"jobs/{job_id}/stop")
    worker.job = Job(id=job_id, run_id="a_run")
    assert post(client, f"jobs/{job_id}/stop") == {"id": job_id} and worker.stopped[-1] == job_id
    working = client.get("queue").json()["working"]
    assert (working["stage"], working["stage_name"], working["stages"], working["image"], working["share"]) == (1, "txt2img", 2, 1, 0.5)
    assert working["seconds"] > 0


def test_what_was_made_of_a_job_is_told_before_the_file_says_it(serve: Serve) -> None:
    worker = Worker()
    client = serve(works=worker)
    job_id = post(client, "jobs", stages=[TXT2IMG, IMG2IMG])["id"]
    done = DonePass(stage=0, input="0", images=["txt2img_001", "txt2img_002"])
    worker.job = Job(id=job_id, run_id="a_run", done=[done])
    queue = client.get("queue").json()
    assert (queue["jobs"][0]["passes"], queue["jobs"][0]["made"], queue["working"]["image"]) == (1, 2, 2)
    assert client.get(f"jobs/{job_id}").json()["done"] == [done.to_json()]


def test_each_user_sees_and_changes_own_jobs(serve: Serve, library: SampleLibrary) -> None:
    app = FastAPI()
    app.auth_dependency = lambda request: request.headers.get("x-user")  # type: ignore[attr-defined]
    client = serve(app=app, users={"program": "secret"}, own_only=True)

    def as_user(user: str) -> None:
        client.headers["x-user"] = user

    run_id = library.add_run("of bob", ago=60, user="bob")
    library.add_image(run_id, "txt2img_001", 1, (64, 64))
    as_user("bob")
    job_id = post(client, "jobs", stages=[{"stage": "txt2img", "settings": {"prompt": "a secret of bob"}}])["id"]
    as_user("ann")
    assert client.get("queue").json()["jobs"] == []
    for path in ("cancel", "resume", "stop"):
        assert refusal(client, f"jobs/{job_id}/{path}", 403)
    assert refusal(client, f"jobs/{job_id}/move", 403, places=1) and client.get(f"jobs/{job_id}").status_code == 403
    link = {"run_id": run_id, "name": "txt2img_001"}
    for body in ({"items": [link], "stages": [IMG2IMG]}, {"runs": [run_id], "stages": [IMG2IMG]},
                 {"stages": [{"stage": "txt2img", "settings": {"scripts": [{"title": "x", "args": [{"value": {"$image": link}}]}]}}]}):
        assert client.post("jobs", json=body).status_code == 404, body
    for path in ("jobs/rerun", "jobs/rerun/preview"):
        assert client.post(path, json=link).status_code == 404
    mine = post(client, "jobs", stages=[TXT2IMG])
    assert mine["user"] == "ann" and [job["id"] for job in client.get("queue").json()["jobs"]] == [mine["id"]]


@pytest.mark.parametrize("body", [
    {"items": [{"settings": {"prompt": "x" * 1000}}] * 20_000, "stages": [TXT2IMG]},
    {"stages": [{"stage": "txt2img", "settings": {"scripts": [[]]}}]},
    {"stages": [{"stage": "txt2img", "settings": {f"a{n}": 1 for n in range(100_000)}}]}, {"stages": [TXT2IMG] * 100_000},
    {"stages": [{"stage": "txt2img", "settings": {"seed": 10 ** 400}}]}, {"stages": [TXT2IMG], "label": "\ud800"},
    {"stages": [TXT2IMG], "pack": {"name": "../../x"}}, {"recipe": "../queue"}, {"recipe": "x\0"},
    {"runs": ["x"] * 50_000, "stages": [TXT2IMG]},
], ids=lambda body: "-".join(body))
def test_too_much_is_refused_soon(client: TestClient, library: SampleLibrary, body: Any) -> None:
    sent = json.dumps(body)
    answer = assert_quick(lambda: client.post("jobs", content=sent, headers={"Content-Type": "application/json"}), seconds=5)
    assert answer.status_code in (200, 400, 404), answer.text[:200]
    assert len(read_queue(library.layout).jobs) == (answer.status_code == 200)


Make = Callable[[], Any]


def test_recipes_are_saved_read_and_moved_aside_by_who_has_read_them(client: TestClient) -> None:
    saved = post(client, "recipes/Two steps", recipe={"description": "for prints", "stages": [TXT2IMG, IMG2IMG]})
    assert client.get("recipes").json() == {"recipes": ["Two steps"]}
    opened = client.get("recipes/Two steps").json()
    assert opened["recipe"]["description"] == "for prints" and opened["faults"] == [] and opened["digest"] == saved["digest"]
    assert client.post("recipes/Two steps", json={"recipe": {"stages": [TXT2IMG]}}).status_code == 423
    post(client, "recipes/Two steps", recipe={"stages": [TXT2IMG]}, digest=saved["digest"])
    assert client.post("recipes/Two steps/delete", json={"digest": saved["digest"]}).status_code == 423
    post(client, "recipes/Two steps/delete", digest=client.get("recipes/Two steps").json()["digest"])
    assert client.get("recipes").json() == {"recipes": []} and client.get("recipes/Two steps").status_code == 404
    for recipe in ({}, {"stages": 3}, {"stages": [{"stage": "x"}]}, {"stages": [{"stage": "upscale", "settings": {}}]}):
        assert refusal(client, "recipes/x", recipe=recipe)
    for name in ("..%2fx", "a%2fb", "con", ".x", "x%00"):
        assert client.post(f"recipes/{name}", json={"recipe": {"stages": [TXT2IMG]}}).status_code in (400, 404), name
        assert client.get(f"packs/{name}").status_code in (400, 404), name


def test_packs_are_saved_read_previewed_and_moved_aside(client: TestClient) -> None:
    saved = post(client, "packs/boats", suffix=".txt", text="a red boat\n\na blue boat\n")
    assert client.get("packs").json() == {"packs": [{"name": "boats", "suffixes": [".txt"]}]}
    opened = client.get("packs/boats").json()
    assert (opened["stages"], opened["notes"]) == ([], [])
    preset = {"pack_data": {"slots": []}, "preset_data": {"txt2img": {"steps": 9}}}
    post(client, "packs/set", suffix=".json", text=json.dumps(preset))
    assert [stage["settings"] for stage in client.get("packs/set").json()["stages"]] == [{"steps": 9}]
    post(client, "packs/set/delete", digests=client.get("packs/set").json()["digests"])
    assert opened["texts"][".txt"].startswith("a red boat") and opened["digests"] == {".txt": saved["digest"]} and opened["fault"] is None
    seen = post(client, "packs/boats/preview", first=1)
    assert (seen["count"], len(seen["items"]), seen["refusal"]) == (2, 1, None)
    assert post(client, "packs/other/preview", texts={".txt": "one\n\ntwo\n\nthree\n"}, rows=[0, 2])["count"] == 2
    post(client, "packs/boats/delete", digests={".txt": saved["digest"]})
    assert client.get("packs").json() == {"packs": []} and client.get("packs/boats").status_code == 404
    for body in ({"suffix": ".exe", "text": "x"}, {"suffix": ".txt"}, {"suffix": ".json", "text": "{"}, {"suffix": "../.txt", "text": "x"}):
        assert refusal(client, "packs/x", **body)
