"""A WebUI under test: the sandbox, or a real one. Talks to it as an API client does and reads what SDPipe wrote."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from PIL import Image

from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.library import Library
from lib_sdpipe.store.runs import RunStore

REPOSITORY = Path(__file__).resolve().parents[2]
# Another extension, for the tests; hosts call scripts in the order of their folders' names, and this one comes before ADetailer.
OTHER_EXTENSION = REPOSITORY / "tests" / "contract" / "extension"
OTHER_NAME = "a-sdpipe-test"
CLOSES_WITHIN_SECONDS = 20.0
STARTS_WITHIN_SECONDS = 300.0


class HttpError(Exception):
    def __init__(self, status: int, body: str) -> None:
        super().__init__(f"{status}: {body[:300]}")
        self.status = status


class WebUI:
    """One running host; `data_dir` is its data path."""

    def __init__(self, url: str, data_dir: Path, process: subprocess.Popen[bytes] | None = None) -> None:
        self.url = url.rstrip("/")
        self.data_dir = data_dir
        self.process = process
        folder = self.get("/sdapi/v1/options").get("sdpipe_runs_folder") or "runs"
        self.layout = find_layout(data_dir / folder)
        self.store = RunStore(self.layout)

    # --- HTTP ---

    def get(self, path: str) -> Any:
        return self._call(urllib.request.Request(self.url + path))

    def post(self, path: str, body: Any = None) -> Any:
        data = json.dumps(body or {}).encode("utf-8")
        return self._call(urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}))

    def set_options(self, **options: Any) -> None:
        self.post("/sdapi/v1/options", options)

    def _call(self, request: urllib.request.Request) -> Any:
        try:
            with urllib.request.urlopen(request, timeout=300) as response:
                return json.load(response)
        except urllib.error.HTTPError as fault:
            raise HttpError(fault.code, fault.read().decode("utf-8", "replace")) from fault

    # --- runs ---

    def run_ids(self) -> set[str]:
        return set(self.store.iter_run_ids()) if self.layout.runs.is_dir() else set()

    def wait_closed(self, run_id: str) -> dict[str, Any]:
        """The run file of a run once it has ended."""
        deadline = time.monotonic() + CLOSES_WITHIN_SECONDS
        while time.monotonic() < deadline:
            if self.layout.run_file(run_id).exists():
                run = self.store.read_run(run_id)
                if run.status != "running":
                    return run.to_json()
            time.sleep(0.1)
        raise AssertionError(f"run {run_id} was not closed within {CLOSES_WITHIN_SECONDS} s")

    def manifests(self, run_id: str) -> list[dict[str, Any]]:
        """In the order the images were saved; a manifest that cannot be read fails the test."""
        found = [m.to_json() for m in self.store.iter_manifests(run_id)]  # type: ignore[union-attr]
        return sorted(found, key=lambda m: (m["timestamp"], m["name"]))

    def file_of(self, manifest: dict[str, Any]) -> Path:
        path = Library(self.layout).resolve(manifest["root"], manifest["path"])
        assert path is not None, f"{manifest['name']}: {manifest['root']}:{manifest['path']} leads nowhere"
        return path

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait(10)

    def kill(self) -> None:
        """As a power switch would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def connect_running(url: str) -> WebUI:
    """A host that somebody else started on this machine."""
    return WebUI(url, Path(_data_path(url)))


def _data_path(url: str) -> str:
    with urllib.request.urlopen(f"{url.rstrip('/')}/internal/sysinfo", timeout=60) as response:
        return json.load(response)["Data path"]


def start_sandbox(data_dir: Path, *arguments: str) -> WebUI:
    command = [
        sys.executable, "-m", "lib_sdpipe.sandbox", "--data-dir", str(data_dir), "--extension", str(REPOSITORY),
        "--extension", f"{OTHER_NAME}={OTHER_EXTENSION}", *arguments,
    ]
    return _start(command, data_dir, REPOSITORY)


def start_folder(folder: Path, data_dir: Path) -> WebUI:
    """A WebUI from its folder, with its own interpreter; SDPIPE_WEBUI_ARGS adds flags. The extension is linked in."""
    python = next((p for p in (folder / "venv/bin/python", folder / "venv/Scripts/python.exe") if p.exists()), Path(sys.executable))
    (data_dir / "extensions").mkdir(parents=True, exist_ok=True)
    subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(data_dir / "extensions" / "sdpipe")], check=True)
    shutil.copytree(OTHER_EXTENSION, data_dir / "extensions" / OTHER_NAME)
    command = [str(python), "launch.py", "--api", "--data-dir", str(data_dir), *os.environ.get("SDPIPE_WEBUI_ARGS", "").split()]
    return _start(command, data_dir, folder)


def _start(command: list[str], data_dir: Path, cwd: Path) -> WebUI:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (data_dir / "webui.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port)], cwd=cwd, stdout=log, stderr=subprocess.STDOUT,
        )
    url, deadline = f"http://127.0.0.1:{port}", time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            host = WebUI(url, data_dir, process)
            host.get("/sdpipe/v1/queue")  # a host's own routes answer a moment before those of extensions are there
            return host
        except (OSError, HttpError):
            time.sleep(0.1)
    process.kill()
    raise AssertionError(f"the WebUI did not start; its log ends:\n{(data_dir / 'webui.log').read_text('utf-8', 'replace')[-3000:]}")


def decode_picture(encoded: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(encoded.split(",", 1)[-1])))


def encode_picture(picture: Image.Image) -> str:
    """As PNG without any text."""
    buffer = io.BytesIO()
    plain = picture.convert("RGB")
    plain.info = {}
    plain.save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode("ascii")
