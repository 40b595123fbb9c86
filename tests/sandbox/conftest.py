"""Fixtures of the sandbox's tests: a running sandbox with a probe extension, and the probe's log."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gradio")
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from lib_sdpipe.sandbox.launch import Sandbox, start_sandbox

PROBE = Path(__file__).resolve().parent / "probe"


class Log:
    """What the probe saw since the last `clear`."""

    @property
    def events(self) -> list[dict[str, Any]]:
        return sys.modules["sandbox_probe_log"].events  # type: ignore[attr-defined]

    def clear(self) -> None:
        if "sandbox_probe_log" in sys.modules:
            self.events.clear()

    def names(self, *without: str) -> list[str]:
        return [x["event"] for x in self.events if x["event"] not in without]

    def of(self, name: str) -> list[dict[str, Any]]:
        return [x for x in self.events if x["event"] == name]


Starter = Callable[..., Sandbox]


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Starter]:
    """Start a sandbox with the probe; the one before it is stopped first, the last one at the end of the module."""
    started: list[Sandbox] = []

    def begin(**options: Any) -> Sandbox:
        while started:
            started.pop().stop()
        Log().clear()
        data_dir = options.pop("data_dir", None) or tmp_path_factory.mktemp("data")
        options.setdefault("server", False)
        started.append(start_sandbox(data_dir, [PROBE], **options))
        return started[-1]

    yield begin
    while started:
        started.pop().stop()


@pytest.fixture(scope="module")
def sandbox(start: Starter) -> Sandbox:
    return start()


@pytest.fixture
def log(sandbox: Sandbox) -> Iterator[Log]:
    """An empty log; settings that the test changes are put back."""
    from modules import shared

    before = dict(shared.opts.data)
    res = Log()
    res.clear()
    yield res
    shared.opts.data.clear()
    shared.opts.data.update(before)


def opened(path: Any) -> Any:
    from PIL import Image

    with Image.open(path) as image:
        image.load()
        return image


def _encoded(image: Any) -> str:
    import base64
    import io

    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return base64.b64encode(buffer.getvalue()).decode()


@pytest.fixture(scope="session")
def picture() -> str:
    from PIL import Image

    return _encoded(Image.linear_gradient("L").convert("RGB").resize((64, 64)))


@pytest.fixture(scope="session")
def mask() -> str:
    from PIL import Image

    image = Image.new("L", (64, 64), 0)
    image.paste(255, (16, 16, 48, 48))
    return _encoded(image)
