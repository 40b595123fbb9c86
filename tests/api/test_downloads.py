"""Downloads: sent while they are made, under addresses that nobody can guess."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from lib_sdpipe.workspace import downloads
from lib_sdpipe.workspace.downloads import keep_download
from tests.api.conftest import Serve
from tests.ui.sample_library import SampleLibrary


class Greeting:
    file_name, media_type = 'a "夜".zip', "application/zip"

    def iter_bytes(self) -> Iterator[bytes]:
        yield from (b"hel", b"lo")


def test_a_run_is_fetched_as_zip(client: TestClient, library: SampleLibrary) -> None:
    run_id = library.add_run("harbour", ago=60)
    library.add_image(run_id, "txt2img_001", 7)
    answer = client.get(f"runs/{run_id}/zip")
    assert answer.headers["content-type"] == "application/zip" and f'filename="{run_id}.zip"' in answer.headers["content-disposition"]
    assert f"{run_id}/images/txt2img_001.png" in zipfile.ZipFile(io.BytesIO(answer.content)).namelist()
    assert client.get("runs/20250101_000000_none/zip").status_code == 404


def test_what_the_page_prepared_is_fetched_without_the_apis_password_and_nothing_else_is(serve: Serve) -> None:
    client = serve(users={"ann": "x"}, asks=True)
    key = keep_download(Greeting()).rpartition("/")[2]
    answer = client.get(f"downloads/{key}")
    assert (answer.status_code, answer.content) == (200, b"hello")
    assert answer.headers["content-disposition"] == "attachment; filename=\"a ___.zip\"; filename*=UTF-8''a%20%22%E5%A4%9C%22.zip"
    for other in (key[:-1], key + "a", "", "..%2f..%2fx", key.swapcase()):
        assert client.get(f"downloads/{other}").status_code in (401, 404)
    assert client.get("runs").status_code == 401


def test_old_downloads_are_forgotten(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    first = keep_download(Greeting()).rpartition("/")[2]
    monkeypatch.setattr(downloads, "_MOST_KEPT", 2)
    others = [keep_download(Greeting()).rpartition("/")[2] for _ in range(2)]
    assert [client.get(f"downloads/{key}").status_code for key in (first, *others)] == [404, 200, 200]
    monkeypatch.setattr(downloads, "_SECONDS", 0.0)
    assert client.get(f"downloads/{others[1]}").status_code == 404
