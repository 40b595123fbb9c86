"""The sandbox in this process with the extension in it, and its port."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.manifest.records import Json
from lib_sdpipe.pipeline.port import PassOutcome, PassRequest, RunStart
from lib_sdpipe.sandbox.launch import Sandbox, start_sandbox
from lib_sdpipe.store.layout import find_layout
from lib_sdpipe.store.runs import RunStore

REPOSITORY = Path(__file__).resolve().parents[3]
OTHER = Path(__file__).resolve().parent / "extension"
SMALL: Json = {"prompt": "a lighthouse", "steps": 4, "width": 64, "height": 64, "seed": 7, "sampler_name": "Euler a", "cfg_scale": 7.0}


class Desk:
    """A port, a run in it and what stands on disk of it."""

    def __init__(self, sandbox: Sandbox, port: Any) -> None:
        self.sandbox = sandbox
        self.port = port
        self.pictures: dict[str, Any] = {}
        self.store = RunStore(find_layout(sandbox.data_dir / "runs"))
        self.run_id = ""

    def open(self, planned: int = 1, stage: str = "txt2img") -> str:
        self.run_id = self.port.open_run(RunStart("test", stage, {"endpoint": "chain"}, None, planned))
        return self.run_id

    def find(self, reference: Json) -> Any:
        key = reference.get("$input") or reference["$image"]["name"]
        if key not in self.pictures:
            raise SdPipeError(f"{key} is gone")
        return self.pictures[key]

    def make(self, endpoint: str = "txt2img", stage: str | None = None, **given: Any) -> PassOutcome:
        """One pass of the open run. What is no field of PassRequest is one of the request."""
        ours = {key: given.pop(key) for key in ("save", "kept", "parents", "variant", "step") if key in given}
        usual = {} if endpoint == "extras" else SMALL
        config = {"endpoint": endpoint, **usual, **given}
        outcome = self.port.run_pass(self.run_id, PassRequest(config, stage or endpoint, **ours), self.find)
        for image in outcome.images:
            self.pictures[image.name] = image.picture
        return outcome

    def close(self, **ended: Any) -> Json:
        """The run file of the run once it is closed."""
        ended = {"cut_short": None, "error": None, "replay": None, **ended}
        self.port.close_run(self.run_id, **ended)
        self.port.wait_recorded()
        return self.store.read_run(self.run_id).to_json()

    def manifests(self) -> list[Json]:
        self.port.wait_recorded()
        return [manifest.to_json() for manifest in self.store.iter_manifests(self.run_id)]  # type: ignore[union-attr]

    def by_hand(self, tab: str = "txt2img", **given: Any) -> list[Any]:
        """The same through the host's own API: the pictures it answers."""
        from modules.api.requests import decode_base64_to_image

        return [decode_base64_to_image(one) for one in self.sandbox.generate(tab, **{**SMALL, **given})["images"]]


def start(folder: Path, flavour: str) -> Iterator[Desk]:
    """A host that was started for the first time: it has no config.json."""
    with start_sandbox(folder, [REPOSITORY, OTHER], server=False, flavour=flavour) as sandbox:
        from lib_sdpipe.hosts import extension

        assert extension._process is not None
        yield Desk(sandbox, extension._process.port)


# As which host the sandbox is asked to behave: as the one that ships this gradio, and as both where none does.
_FLAVOURS = {"3": ["a1111"], "4": ["forge"]}.get(version("gradio").split(".")[0], ["a1111", "forge"])


@pytest.fixture(scope="package", params=_FLAVOURS)
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    yield from start(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture
def desk(started: Desk) -> Iterator[Desk]:
    """An open run, and settings that the test changes put back."""
    from modules import shared

    before = dict(shared.opts.data)
    started.pictures.clear()
    started.open()
    yield started
    if started.run_id in started.port._jobs:
        started.close()
    shared.opts.data.clear()
    shared.opts.data.update(before)


def pixels(picture: Any) -> bytes:
    return picture.convert("RGB").tobytes()
