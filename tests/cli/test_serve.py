"""`serve`: the page and the API of a library without a WebUI, as a process of its own."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib_sdpipe.cli.main import main
from lib_sdpipe.store.library import Library
from tests.cli.serving import Server
from tests.ui.sample_library import SampleLibrary

pytest.importorskip("gradio")

Serve = Callable[..., Server]


@pytest.fixture
def library(tmp_path: Path) -> SampleLibrary:
    library = SampleLibrary(tmp_path / "library")
    library.add_image(library.add_run("harbour", ago=60), "txt2img_001", 7, (64, 64))
    return library


@pytest.fixture
def serve(library: SampleLibrary) -> Iterator[Serve]:
    started: list[Server] = []

    def start(*arguments: str) -> Server:
        started.append(Server(library.layout.runs, *arguments))
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_it_serves_the_page_and_the_api_of_a_library_until_it_is_ended(serve: Serve, library: SampleLibrary, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    server = serve(f"more={tmp_path / 'more'}")
    assert set(server.document) == {"url", "runs_dir"} and re.fullmatch(r"http://127\.0\.0\.1:\d+", server.url)
    status, page = server.ask("/")
    assert status == 200 and "window.sdpipe" in page and "#sdpipe_tab" in page
    assert re.findall(r"<(?:script|link)\b[^>]*(?:src|href)=\"https?:[^\"]*", page) == []
    status, runs = server.ask("/sdpipe/v1/runs")
    assert status == 200 and json.loads(runs)["total"] == 1
    assert server.ask("/sdpipe/v1/runs", Host="elsewhere.example")[0] == 400
    assert Library(library.layout).roots()["more"] == tmp_path / "more"
    code, errors = server.end(signal.SIGINT)
    assert code == 0 and "Traceback" not in errors and "Error" not in errors


def test_with_a_login_nobody_else_comes_in(serve: Serve) -> None:
    server = serve("--auth", "ann:secret", "--auth", "bea:pa:ss", "--subpath", "pictures")
    for path in ("/sdpipe/v1/runs", "/config"):
        assert server.ask(path)[0] == 401, path
    for login in (b"ann:secret", b"bea:pa:ss"):
        assert server.ask("/sdpipe/v1/runs", Authorization="Basic " + base64.b64encode(login).decode())[0] == 200
    assert server.ask("/sdpipe/v1/runs", Authorization="Basic " + base64.b64encode(b"ann:pa:ss").decode())[0] == 401


@pytest.mark.parametrize(("arguments", "code", "words"), [
    (["--host", "0.0.0.0"], 2, "--auth"), (["--auth", "ann"], 2, "USER:PASSWORD"), (["--port", "x"], 2, "port"),
    (["--subpath", "a/../b c"], 2, "path"), (["--host", "no.such.host.invalid", "--auth", "a:b"], 2, "no address"),
    (["--runs", "nowhere"], 5, "runs folder"), (["more=nowhere"], 2, "no folder"), (["--theme", "pink"], 2, "theme"),
])
def test_what_cannot_be_is_a_sentence(
    arguments: list[str], code: int, words: str, library: SampleLibrary, capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["serve", "--runs", str(library.layout.runs), "--no-browser", *arguments]) == code
    assert words in capsys.readouterr().err


def test_a_taken_port_is_a_sentence(library: SampleLibrary, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["serve", "--port", str(taken.getsockname()[1]), "--runs", str(library.layout.runs)]) == 2
    assert "is taken" in capsys.readouterr().err
