"""The HTTP API in a running host: from a picture that was generated to its repair, and what the host's OpenAPI page says of it."""

from __future__ import annotations

import base64
import io
import re
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from PIL import Image

from tests.contract.conftest import Generate, Made
from tests.contract.webui import WebUI

API = "/sdpipe/v1"


@pytest.fixture
def made(generate: Generate) -> Made:
    return generate()


def refused(host: WebUI, path: str, data: bytes | None = None, kind: str = "application/json") -> int:
    request = urllib.request.Request(host.url + API + path, data, {"Content-Type": kind})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    assert b"detail" in caught.value.read()
    return caught.value.code


def test_a_generated_picture_is_listed_shown_found_and_traced(host: WebUI, made: Made) -> None:
    (manifest,) = made.of("txt2img")
    assert host.get(f"{API}/runs?limit=1")["runs"][0]["run_id"] == made.run_id
    shown = host.get(f"{API}/runs/{quote(made.run_id)}")
    assert shown["run"] == made.run and shown["manifests"] == [manifest]
    assert host.get(f"{API}/runs/{quote(made.run_id)}/images/{manifest['name']}") == manifest
    found = host.get(f"{API}/images?" + urlencode({"q": f"run:{made.run_id}"}))["images"]
    assert [image["name"] for image in found] == [manifest["name"]]
    document = host.get(f"{API}/image?" + urlencode({"root": manifest["root"], "path": manifest["path"]}))
    assert (document["status"], document["payload"]["run_id"]) == ("ok", made.run_id)
    copy = base64.b64encode(made.file(manifest).read_bytes()).decode()
    for request in ({"image": copy}, {"root": manifest["root"], "path": manifest["path"]}):
        traced = host.post(f"{API}/trace", request)["matches"]
        assert [(match["run_id"], match["by"]) for match in traced] == [(made.run_id, "file")]


def test_a_moved_file_is_relinked_and_that_is_undone(host: WebUI, made: Made) -> None:
    (manifest,) = made.of("txt2img")
    file = made.file(manifest)
    moved = file.with_name(f"moved-{made.run_id}.png")
    file.rename(moved)
    try:
        checked = host.post(f"{API}/check", {"only": ["moved-image"]})
        assert made.run_id in [finding["run_id"] for finding in checked["findings"]]
        plan = host.post(f"{API}/plan", {"only": ["moved-image"]})
        plan["operations"] = [operation for operation in plan["operations"] if operation["run_id"] == made.run_id]
        assert host.post(f"{API}/apply", {"plan": plan})["done"] == 1
        assert host.manifests(made.run_id)[0]["path"].endswith(moved.name)
        assert host.post(f"{API}/undo", {"which": plan["plan_id"]})["done"] == 1
    finally:
        moved.rename(file)
    assert host.manifests(made.run_id) == made.manifests


def test_a_picture_is_marked_and_its_thumbnail_shown(host: WebUI, made: Made) -> None:
    name = made.manifests[0]["name"]
    host.post(f"{API}/marks/{quote(made.run_id)}", {"marks": {name: {"rating": 4, "tags": ["sea"]}}})
    assert host.get(f"{API}/marks/{quote(made.run_id)}")["marks"][name]["rating"] == 4
    with urllib.request.urlopen(f"{host.url}{API}/thumbnails/{quote(made.run_id)}/{name}", timeout=60) as response:
        assert response.headers["Content-Type"] == "image/webp" and "max-age" in response.headers["Cache-Control"]
        with Image.open(io.BytesIO(response.read())) as picture:
            assert picture.size == (64, 64)


def test_the_hosts_openapi_page_has_every_route(host: WebUI) -> None:
    paths = host.get("/openapi.json")["paths"]
    ours = {(method.upper(), path.removeprefix(API)) for path, methods in paths.items() if path.startswith(API) for method in methods}
    page = (Path(__file__).resolve().parents[2] / "docs" / "api.md").read_text("utf-8")
    assert ours == set(re.findall(r"^\| `(GET|POST) (/\S+)`", page, re.M))
    body = paths[f"{API}/apply"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert "plan_id" in body["properties"]["plan"]["properties"]
    with urllib.request.urlopen(f"{host.url}/docs", timeout=60) as response:
        assert b"openapi.json" in response.read()


def test_faults_keep_their_status_and_sentence_in_the_host(host: WebUI) -> None:
    assert refused(host, "/runs/20250101_000000_none") == 404
    assert refused(host, "/images?q=nosuchfield:1") == 400
    assert refused(host, "/undo", b"which=x", "application/x-www-form-urlencoded") == 415
    assert refused(host, "/apply", b"{}") == 400
    assert refused(host, "/image?" + urlencode({"root": "outputs", "path": "../config.json"})) == 404


def test_the_api_answers_while_the_host_generates(host: WebUI) -> None:
    """It waits for no turn in the host's queue: a job of many steps holds that."""
    ended: list[Any] = []
    request = {"prompt": "a lighthouse", "steps": 150, "width": 256, "height": 256, "sampler_name": "Euler a", "save_images": False}
    job = threading.Thread(target=lambda: ended.append(host.post("/sdapi/v1/txt2img", request)))
    job.start()
    try:
        while host.get("/sdapi/v1/progress?skip_current_image=true")["state"]["job_count"] == 0 and not ended:
            pass
        assert host.get(f"{API}/runs?limit=1")["runs"] and host.post(f"{API}/check", {"only": ["moved-image"]})["library"]
        assert not ended, "the job ended too soon to show anything"
    finally:
        host.post("/sdapi/v1/interrupt")
        job.join(60)
