"""Who comes in: whoever the host lets in, and a page of another site never with something that changes the library."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from lib_sdpipe.workspace.page_address import API_PREFIX, build_thumbnail_address
from tests.api.conftest import Serve
from tests.ui.sample_library import SampleLibrary

gradio = pytest.importorskip("gradio")

REPOSITORY = Path(__file__).resolve().parents[2]
USERS = {"ann": "sécret:1"}
ROUTES = [
    ("GET", "runs"), ("GET", "runs/20250101_000000_a"), ("GET", "runs/20250101_000000_a/images/txt2img_001"), ("GET", "images"),
    ("GET", "image?root=outputs&path=a.png"), ("GET", "thumbnails/20250101_000000_a/txt2img_001"),
    ("GET", "pictures/20250101_000000_a/txt2img_001"), ("GET", f"inputs/{'0' * 64}"), ("GET", f"input-thumbnails/{'0' * 64}"),
    ("GET", "file-thumbnails/1/0123456789abcdef"), ("GET", "files/1/0123456789abcdef"),
    ("GET", "runs/20250101_000000_a/zip"), ("GET", "downloads/no_such_key"), ("GET", "marks/20250101_000000_a"),
    ("POST", "marks/20250101_000000_a"), ("POST", "trace"), ("POST", "check"), ("POST", "plan"), ("POST", "apply"), ("POST", "undo"),
    ("POST", "cull"), ("GET", "bin"),
    ("GET", "bin-thumbnails/20250101T000000000-00000000/op-000001"), ("POST", "restore"), ("POST", "purge"),
    ("GET", "queue"), ("POST", "queue/pause"), ("POST", "queue/clear"), ("GET", "jobs/a"), ("POST", "jobs"), ("POST", "jobs/rerun"),
    ("POST", "jobs/rerun/preview"), ("POST", "jobs/a/stop"), ("POST", "jobs/a/cancel"), ("POST", "jobs/a/resume"), ("POST", "jobs/a/move"),
    ("GET", "recipes"), ("GET", "recipes/a"), ("POST", "recipes/a"), ("POST", "recipes/a/delete"),
    ("GET", "packs"), ("GET", "packs/a"), ("POST", "packs/a"), ("POST", "packs/a/delete"), ("POST", "packs/a/preview"),
]


def page_app(**options: Any) -> Any:
    """The app that this gradio makes of a page."""
    from gradio.routes import App

    with gradio.Blocks(analytics_enabled=False) as page:
        gradio.Markdown("")
    page.auth, page.auth_message = options.get("auth"), None
    return App.create_app(page)


def log_in(client: TestClient) -> int:
    """As the page's form does; the cookie stays with the client."""
    return client.post("http://host/login", data={"username": "bea", "password": "pass"}).status_code


def test_the_list_of_routes_is_whole(serve: Serve) -> None:
    app = FastAPI()
    serve(app=app)
    paths = app.openapi()["paths"]
    known = {(method.upper(), path) for path, methods in paths.items() for method in methods}
    assert len(known) == len(ROUTES) and all(path.startswith(API_PREFIX) for _, path in known)
    page = (REPOSITORY / "docs" / "api.md").read_text("utf-8")
    assert known == {(method, API_PREFIX + path) for method, path in re.findall(r"^\| `(GET|POST) (/\S+)`", page, re.M)}


@pytest.mark.parametrize("options", [{"users": USERS}, {"asks": True}, {"users": USERS, "asks": True}, {"users": {}}], ids=ascii)
def test_nobody_comes_in_without_a_login(serve: Serve, options: dict[str, Any]) -> None:
    client = serve(**options)
    logins = [{}, {"Authorization": "Basic YW5uOndyb25n"}, {"Authorization": "Basic ???"}, {"Authorization": "Bearer x"},
              {"Cookie": "access-token=None; access-token-unsecure="}]
    for (method, path), headers in product(ROUTES, logins):
        answer = client.request(method, path, headers={"Content-Type": "application/json", **headers})
        assert (answer.status_code, list(answer.json())) == (401, ["detail"]), (method, path, headers)


def test_the_apis_password_opens_it(serve: Serve) -> None:
    client = serve(users=USERS)
    assert client.get("runs", auth=("ann", "sécret:1".encode("utf-8"))).status_code == 200
    assert client.get("runs", auth=("ann", "")).status_code == 401
    assert client.get("runs").headers["WWW-Authenticate"].startswith("Basic")


def test_a_picture_on_the_page_opens_no_password_window(serve: Serve) -> None:
    assert "WWW-Authenticate" not in serve(users=USERS).get("thumbnails/20250101_000000_a/txt2img_001").headers


def test_the_pages_login_opens_it_and_no_other_cookie_does(serve: Serve) -> None:
    client = serve(app=page_app(auth=[("bea", "pass")]))
    assert client.get("runs").status_code == 401
    assert log_in(client) == 200
    assert client.get("runs").status_code == 200
    names = list(client.cookies.keys())
    client.cookies.clear()
    for name in names:
        client.cookies.set(name, "made-up")
    assert client.get("runs").status_code == 401


def test_where_page_and_api_ask_either_login_will_do(serve: Serve) -> None:
    client = serve(app=page_app(auth=[("bea", "pass")]), users=USERS, asks=True)
    assert client.get("runs", auth=("ann", "sécret:1".encode("utf-8"))).status_code == 200
    assert client.get("runs", auth=("bea", "pass")).status_code == 401
    assert log_in(client) == 200 and client.get("runs").status_code == 200


def test_an_open_page_does_not_open_an_api_that_asks(serve: Serve) -> None:
    client = serve(app=page_app(), users=USERS)
    client.cookies.set("access-token-unsecure", "x")
    assert client.get("runs").status_code == 401


def test_without_any_login_everybody_comes_in(serve: Serve) -> None:
    assert serve(app=page_app()).get("runs").status_code == 200


@pytest.mark.parametrize("is_async", [False, True])
def test_an_app_that_asks_somebody_else_who_it_is_is_believed(serve: Serve, is_async: bool) -> None:
    def who(request: Any) -> str | None:
        return request.headers.get("x-user")

    async def who_later(request: Any) -> str | None:
        return who(request)

    app = FastAPI()
    app.auth_dependency = who_later if is_async else who  # type: ignore[attr-defined]
    client = serve(app=app)
    assert client.get("runs").status_code == 401
    assert client.get("runs", headers={"x-user": "bea"}).status_code == 200


def test_the_pages_address_of_a_thumbnail_opens_this_picture_only(serve: Serve, library: SampleLibrary) -> None:
    run_id = library.add_run("夕暮れ の/灯台", ago=60)
    library.add_image(run_id, "txt2img_001", 7)
    library.add_image(run_id, "txt2img_002", 8)
    client = serve(users=USERS)
    address = build_thumbnail_address(run_id, "txt2img_001")
    assert client.get(f"http://host/{address}").status_code == 200
    assert client.get(f"http://host/{address.replace('_001', '_002')}").status_code == 401
    assert client.get(f"runs/{run_id}?{address.partition('?')[2]}").status_code == 401


@pytest.mark.parametrize("kind", [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", "text/plain; a=application/json",
    "application/jsonx",
])
def test_what_a_form_of_another_site_can_send_is_refused(client: TestClient, kind: str) -> None:
    for path in (path for method, path in ROUTES if method == "POST"):
        answer = client.post(path, content=b'{"plan": {}, "marks": {}}', headers={"Content-Type": kind})
        assert answer.status_code == 415 and "application/json" in answer.json()["detail"], path


def test_nothing_is_done_for_a_get(client: TestClient) -> None:
    for path in ("check", "apply", "undo", "plan", "trace"):
        assert client.get(path).status_code == 405, path


def test_a_request_without_end_and_one_without_sense_are_refused(serve: Serve) -> None:
    client = serve()
    headers = {"Content-Type": "application/json"}
    pieces = (b"x" * (1 << 20) for _ in range(70))
    assert client.post("check", content=pieces, headers=headers).status_code == 413
    for content in (b"{", b"\xff\xfe", b"[" * 100_000, b'{"only": ' + b"[" * 200 + b"]" * 200 + b"}"):
        assert client.post("check", content=content, headers=headers).status_code == 400


def test_routes_hold_behind_a_subpath(library: SampleLibrary, serve: Serve) -> None:
    app = FastAPI()
    serve(app=app)
    client = TestClient(app, base_url="http://host", root_path="/sub")
    assert client.get("/sdpipe/v1/runs").status_code == 200
    assert not build_thumbnail_address("20250101_000000_a", "b").startswith("/")
