"""The bin over HTTP: look, throw away, see, restore, delete; by names, never by paths out of the roots."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from lib_sdpipe.workspace.page_address import build_bin_thumbnail_address
from tests.api.conftest import Serve
from tests.ui.sample_library import SampleLibrary


@pytest.fixture
def run_id(library: SampleLibrary) -> str:
    run_id = library.add_run("harbour", ago=60)
    for number in range(1, 4):
        library.add_image(run_id, f"txt2img_{number:03d}", number, (64, 64))
    return run_id


def throw_away(client: TestClient, run_id: str, *names: str, **more: Any) -> Any:
    return client.post("cull", json={"images": [{"run_id": run_id, "name": name} for name in names], **more}).json()


def test_a_preview_touches_nothing_and_says_what_the_deed_then_does(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    before = sorted(library.outputs.iterdir())
    preview = throw_away(client, run_id, "txt2img_001", "txt2img_009", preview=True)
    assert sorted(library.outputs.iterdir()) == before
    assert [image["name"] for image in preview["images"]] == ["txt2img_001"] and preview["bytes"] > 0
    assert preview["failed"][0]["name"] == "txt2img_009"
    done = throw_away(client, run_id, "txt2img_001", "txt2img_009")
    assert (done["done"], len(done["failed"])) == (1, 1) and len(list(library.outputs.glob("*.png"))) == 2


def test_what_was_thrown_away_is_seen_and_comes_back_one_by_one(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    client.post("cull", json={"runs": [run_id]})
    (cull,) = client.get("bin").json()["culls"]
    assert len(cull["images"]) == 3 and cull["bytes"] == sum(image["bytes"] for image in cull["images"])
    one = cull["images"][0]["operation"]
    assert client.post("restore", json={"apply_id": cull["apply_id"], "operations": [one]}).json()["done"] == 1
    assert len(client.get("bin").json()["culls"][0]["images"]) == 2
    assert client.post("restore", json={"apply_id": cull["apply_id"]}).json()["done"] == 2
    assert client.get("bin").json() == {"culls": [], "next": None} and len(list(library.outputs.glob("*.png"))) == 3


def test_deleting_for_good_is_only_done_when_it_is_meant(client: TestClient, library: SampleLibrary, run_id: str) -> None:
    throw_away(client, run_id, "txt2img_001")
    counted = client.post("purge", json={"older_than_days": 0}).json()
    assert (counted["purged"], counted["files"]) == (False, 1) and len(client.get("bin").json()["culls"]) == 1
    assert client.post("purge", json={"older_than_days": 1, "yes": True}).json()["files"] == 0, "it is younger than a day"
    assert client.post("purge", json={"older_than_days": 0, "yes": True}).json()["files"] == 1
    assert client.get("bin").json()["culls"] == []


def test_its_picture_is_shown_by_name_and_key_alone(serve: Serve, library: SampleLibrary, run_id: str) -> None:
    client = serve()
    throw_away(client, run_id, "txt2img_001")
    (cull,) = client.get("bin").json()["culls"]
    closed, own = serve(users={"ann": "secret"}), (cull["apply_id"], cull["images"][0]["operation"])
    assert closed.get(f"bin-thumbnails/{own[0]}/{own[1]}").status_code == 401
    address = build_bin_thumbnail_address(*own).removeprefix("sdpipe/v1/")
    assert closed.get(address).headers["content-type"] == "image/webp"
    assert closed.get(address.replace(own[1], "op-000002")).status_code == 401
    assert closed.get(f"thumbnails/{run_id}/txt2img_001", auth=("ann", "secret")).status_code == 200, "its record shows it too"
    for place in ("x/y", f"{own[0]}/..", f"..%2f{own[0]}/{own[1]}", f"{own[0]}/op-000009", "20251225T000000000-00000000/op-000001"):
        assert client.get(f"bin-thumbnails/{place}").status_code == 404, place


@pytest.mark.parametrize(("route", "body"), [
    ("cull", {"images": [{"run_id": "x"}]}), ("cull", {"images": ["x"]}), ("cull", {"images": {}}), ("cull", {"runs": "x"}),
    ("cull", {"preview": "yes"}), ("cull", {"image": []}), ("restore", {}), ("restore", {"apply_id": 3}),
    ("restore", {"apply_id": "x", "operations": "op"}), ("purge", {}), ("purge", {"older_than_days": -1}),
    ("purge", {"older_than_days": "0"}), ("purge", {"older_than_days": 0, "yes": 1}), ("purge", {"older_than_days": True}),
])
def test_a_request_that_is_none_is_refused(client: TestClient, route: str, body: Any) -> None:
    assert client.post(route, json=body).status_code == 400


def test_another_sites_page_and_an_unknown_cull_get_nothing(client: TestClient, run_id: str) -> None:
    assert client.post("cull", content='{"runs": []}', headers={"Content-Type": "text/plain"}).status_code == 415
    assert client.post("restore", json={"apply_id": "../../x"}).status_code == 404
    assert client.get("bin?after=../x").status_code == 400
