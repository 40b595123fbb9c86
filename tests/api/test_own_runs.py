"""With "Each user sees own runs" on, nothing tells of somebody else's run, by no route; without it nothing is hidden."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_sdpipe.pipeline.queue import add_job
from lib_sdpipe.pipeline.records import Job, Stage
from lib_sdpipe.store.queue import change_queue, read_queue
from lib_sdpipe.workspace import Workspace
from lib_sdpipe.workspace.picked import Pick, find_pick
from lib_sdpipe.workspace.page_address import API_PREFIX
from tests.api.conftest import Serve
from tests.ui.sample_library import SampleLibrary, draw_picture


@dataclass
class Shared:
    """A library of two users, a run of nobody's and a picture without a run."""

    library: SampleLibrary
    anns: str
    bobs: str
    nobodys: str

    def picture(self, run_id: str) -> bytes:
        return (self.library.outputs / f"{run_id}-txt2img_001.png").read_bytes()


@pytest.fixture
def shared(library: SampleLibrary) -> Shared:
    ids = []
    for number, user in enumerate(("ann", "bob", None)):
        ids.append(library.add_run(f"of {user}", ago=60 - number, user=user))
        library.add_image(ids[-1], "txt2img_001", number, (64, 64), prompt=f"painted by {user}")
    (library.outputs / "old.png").write_bytes(draw_picture(9, (64, 64)))
    return Shared(library, *ids)


@pytest.fixture
def as_user(serve: Serve, shared: Shared) -> Callable[..., TestClient]:
    """A client that is logged in at the page; None by the API's password."""

    def log_in(user: str | None, own_only: bool = True) -> TestClient:
        app = FastAPI()
        app.auth_dependency = lambda request: request.headers.get("x-user")  # type: ignore[attr-defined]
        client = serve(app=app, users={"program": "secret"}, own_only=own_only)
        client.headers.update({"x-user": user} if user else {"Authorization": "Basic cHJvZ3JhbTpzZWNyZXQ="})
        return client

    return log_in


def test_nothing_of_somebody_elses_is_picked(shared: Shared) -> None:
    workspace = Workspace(shared.library.layout, viewer="ann")
    places = (f"{shared.bobs}-txt2img_001.png", "old.png")
    for pick in (Pick(shared.bobs, "txt2img_001"), *(Pick(root="outputs", path=path) for path in places)):
        assert find_pick(workspace, pick).file is None, pick
    assert find_pick(workspace, Pick(shared.anns, "txt2img_001")).file is not None


def everything(client: TestClient, shared: Shared) -> Iterator[tuple[str, Any]]:
    """(route, answer) of all that looks."""
    for run_id in (shared.anns, shared.bobs, shared.nobodys):
        for path in (f"runs/{run_id}", f"runs/{run_id}/zip", f"runs/{run_id}/images/txt2img_001", f"thumbnails/{run_id}/txt2img_001",
                     f"marks/{run_id}"):
            yield path, client.get(path)
        yield f"POST marks/{run_id}", client.post(f"marks/{run_id}", json={"marks": {"txt2img_001": {"rating": 1}}})
        yield f"image of {run_id}", client.get("image", params={"root": "outputs", "path": f"{run_id}-txt2img_001.png"})
        yield f"trace {run_id}", client.post("trace", json={"root": "outputs", "path": f"{run_id}-txt2img_001.png"})


def test_a_user_finds_own_runs_and_nobodys(as_user: Callable[..., TestClient], shared: Shared) -> None:
    client = as_user("ann")
    runs = client.get("runs").json()
    assert runs["total"] == 2 and [run["run_id"] for run in runs["runs"]] == [shared.nobodys, shared.anns]
    first = client.get("runs", params={"limit": 1}).json()
    assert first["next"] and client.get("runs", params={"after": first["next"]}).json()["runs"][0]["run_id"] == shared.anns
    found = client.get("images").json()
    assert found["total"] == 2 and {image["run_id"] for image in found["images"]} == {shared.anns, shared.nobodys}
    for query in ("painted", "NOT nothing", "size:64x64", "stage:txt2img", f"run:{shared.bobs} OR run:{shared.anns}"):
        page = client.get("images", params={"q": query}).json()
        assert {image["run_id"] for image in page["images"]} <= {shared.anns, shared.nobodys} and page["total"] == len(page["images"])
    assert client.get("images", params={"q": "bob"}).json()["total"] == 0


def test_no_route_tells_of_somebody_elses_run(as_user: Callable[..., TestClient], shared: Shared) -> None:
    for path, answer in everything(as_user("ann"), shared):
        if shared.bobs in path:
            assert answer.status_code == 404 and "bob.png" not in answer.text and "painted by bob" not in answer.text, path
        else:
            assert answer.status_code == 200, (path, answer.text)
    assert not shared.library.layout.marks_file(shared.bobs).exists()


def test_a_run_of_somebody_elses_is_told_of_like_one_that_is_not_there(as_user: Callable[..., TestClient], shared: Shared) -> None:
    client, unknown = as_user("ann"), "20200101_000000_none"
    for path in ("runs/{}", "runs/{}/zip", "runs/{}/images/txt2img_001", "thumbnails/{}/txt2img_001", "marks/{}"):
        answers = [client.get(path.format(run_id)).json()["detail"].replace(run_id, "") for run_id in (shared.bobs, unknown)]
        assert answers[0] == answers[1], path


def test_a_picture_that_was_sent_is_not_traced_to_somebody_elses_run(as_user: Callable[..., TestClient], shared: Shared) -> None:
    client = as_user("ann")
    for run_id, expected in ((shared.anns, [shared.anns]), (shared.bobs, []), (shared.nobodys, [shared.nobodys])):
        sent = {"image": base64.b64encode(shared.picture(run_id)).decode("ascii")}
        answer = client.post("trace", json=sent).json()
        assert [match["run_id"] for match in answer["matches"]] == expected
    assert client.get("image", params={"root": "outputs", "path": "old.png"}).status_code == 404


def test_repairs_are_not_for_who_sees_own_runs_only(as_user: Callable[..., TestClient], shared: Shared) -> None:
    for path, body in (("check", {}), ("plan", {}), ("apply", {"plan": {}}), ("undo", {})):
        answer = as_user("ann").post(path, json=body)
        assert answer.status_code == 403 and "--api-auth" in answer.json()["detail"], path
        assert as_user(None).post(path, json=body).status_code != 403, path


@pytest.mark.parametrize("user, own_only", [("ann", False), (None, True)])
def test_without_the_setting_and_with_the_apis_password_all_is_shown(
    as_user: Callable[..., TestClient], shared: Shared, user: str | None, own_only: bool,
) -> None:
    client = as_user(user, own_only)
    assert client.get("runs").json()["total"] == 3 and client.get("images").json()["total"] == 4
    assert {answer.status_code for _, answer in everything(client, shared)} == {200}


def test_a_run_whose_file_cannot_be_read_is_nobodys_to_see(as_user: Callable[..., TestClient], shared: Shared) -> None:
    shared.library.layout.run_file(shared.nobodys).write_text("{")
    client = as_user("ann")
    assert client.get("images").json()["total"] == client.get("runs").json()["total"] == 1
    assert client.get(f"runs/{shared.nobodys}").status_code == 404


def fill(path: str, run_id: str, user: str) -> str:
    """The address of a route for somebody's run, with everything in it that could name what is that user's."""
    values = {
        "run_id": run_id, "name": "txt2img_001", "sha256": hashlib.sha256(user.encode()).hexdigest(), "key": "x", "file": "1",
        "stamp": "0" * 16, "apply_id": "20250101T000000000-00000000", "operation": "1",
        "job_id": f"job-of-{user}",
    }
    return path.removeprefix(API_PREFIX + "/").format(**values) + f"?root=outputs&path={run_id}-txt2img_001.png&q=painted"


def bodies(run_id: str) -> list[dict[str, Any]]:
    key = {"run_id": run_id, "name": "txt2img_001"}
    return [
        {}, {"marks": {"txt2img_001": {"rating": 5}}}, {"root": "outputs", "path": f"{run_id}-txt2img_001.png"},
        {"images": [key], "preview": True}, {"images": [key]}, {"runs": [run_id]},
        {"images": [{"root": "outputs", "path": f"{run_id}-txt2img_001.png"}]}, {"older_than_days": 0, "yes": True},
        {"apply_id": "20250101T000000000-00000000"}, {"plan": {}}, key, {"run_id": run_id}, {**key, "kind": "regenerate"},
        {"items": [key], "stages": [{"stage": "img2img"}]}, {"runs": [run_id], "stages": [{"stage": "img2img"}]}, {"paused": False},
    ]


def test_every_route_there_is_keeps_to_it(as_user: Callable[..., TestClient], shared: Shared) -> None:
    """Also those that are still to be written."""
    digest = hashlib.sha256(b"bob").hexdigest()
    shared.library.store.write_input(digest, draw_picture(4, (64, 64)))
    job = Job(id="job-of-bob", user="bob", kind="chain", status="waiting", label="painted by bob", stages=[Stage(stage="txt2img")])
    change_queue(shared.library.layout, lambda queue: add_job(queue, job))
    files = [path for path in shared.library.layout.runs.parent.rglob("*") if path.is_file() and ".sdpipe" not in path.parts]
    before = {path: path.read_bytes() for path in files}
    told = {}
    for own_only in (True, False):
        client = as_user("ann", own_only)
        paths = client.app.openapi()["paths"]  # type: ignore[attr-defined]
        assert len(paths) > 15
        for path, methods in paths.items():
            for method in methods:
                if not own_only and method == "post":
                    continue
                for body in bodies(shared.bobs) if method == "post" else [None]:
                    told[own_only, path, method] = client.request(method, fill(path, shared.bobs, "bob"), json=body)
                    answer = told[own_only, path, method]
                    if own_only:
                        kind = answer.headers["content-type"]
                        assert "painted by bob" not in answer.text and not kind.startswith(("image", "application/zip")), path
    assert {path: path.read_bytes() for path in before} == before
    assert read_queue(shared.library.layout).jobs == [job]
    shown = [path for (own_only, path, _), answer in told.items() if not own_only and answer.status_code == 200]
    assert len(shown) > 8  # the same requests, without the setting
