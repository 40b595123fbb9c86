"""A host's `modules` for the files of ours that import it: as little of it as they look at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

_READERS = ("device", "environment", "used_models", "asked_and_used", "output_folders")


class Host:
    """The stand-in; a test changes what it is about."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch = monkeypatch
        self.checkpoints = {"tiny": checkpoint("tiny", "a"), "tiny-b": checkpoint("tiny-b", "b")}
        aliases = {
            alias: info for name, info in self.checkpoints.items() for alias in (name, f"{name}.pt", info.title, info.shorthash)
        }
        self.opts: dict[str, Any] = {"sd_model_checkpoint": "tiny.pt", "sd_vae": "Automatic"}
        self.flags = SimpleNamespace()
        self.shared = self.module(
            "modules.shared", device=None, opts=SimpleNamespace(data=self.opts), cmd_opts=self.flags, sd_model=None,
            sd_upscalers=[SimpleNamespace(name="Lanczos")], prompt_styles=SimpleNamespace(styles={"ink": None}),
        )
        self.devices = self.module("modules.devices", device=None, dtype="torch.float16", dtype_vae="torch.float32")
        self.module("modules.sd_models", checkpoint_aliases=aliases)
        self.sd_vae = self.module("modules.sd_vae", vae_dict={}, loaded_vae_file=None)
        self.module("modules.sd_samplers", all_samplers_map={"Euler": None, "DPM++ 2M": None})
        self.module("modules.sd_schedulers", schedulers_map={"Karras": None, "Automatic": None})
        self.extensions: list[Any] = []
        self.module("modules.extensions", active=lambda: self.extensions)
        self.module("modules.launch_utils", git_tag=lambda: "v1.10.1", commit_hash=lambda: "82a973c0")
        self.txt2img = SimpleNamespace(alwayson_scripts=[], inputs=[])
        self.module("modules.scripts", scripts_txt2img=self.txt2img, scripts_img2img=None)

    def module(self, name: str, **attributes: Any) -> Any:
        """A module of the host's process."""
        made = ModuleType(name)
        vars(made).update(attributes)
        self._monkeypatch.setitem(sys.modules, name, made)
        if name.startswith("modules."):
            setattr(sys.modules["modules"], name.partition(".")[2], made)
        return made


def checkpoint(name: str, digit: str) -> SimpleNamespace:
    return SimpleNamespace(name_for_extra=name, title=f"{name}.pt [{digit * 10}]", shorthash=digit * 10, sha256=digit * 64)


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    monkeypatch.setitem(sys.modules, "modules", ModuleType("modules"))
    for name in ("torch", "networks", "backend.memory_management", "backend.attention", "modules.sd_hijack", "modules.hashes"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    forget_readers()
    yield Host(monkeypatch)
    forget_readers()


def forget_readers() -> None:
    """They keep the host that they were imported beside."""
    import lib_sdpipe.hosts

    for name in _READERS:
        sys.modules.pop(f"lib_sdpipe.hosts.{name}", None)
        vars(lib_sdpipe.hosts).pop(name, None)
