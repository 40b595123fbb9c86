"""Pretend checkpoints. Each is a small file of ours, so that names, paths and sha256 fit together."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from modules import script_callbacks, shared

CHECKPOINTS = ("sandbox-hills-v1", "sandbox-dunes-v2", "sandbox-refiner-v1")
LORAS = ("soft-light", "line-art")
EMBEDDINGS = ("sandbox-negative",)
VAES = ("sandbox-vae",)


def placeholder(folder: str, filename: str) -> str:
    """Make the file if it is missing; its content follows from its name, so its digest never changes."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, filename)
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(f"This is a placeholder of the SDPipe sandbox: {filename}\n".encode())
    return path


def sha256_of(path: str) -> str:
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class CheckpointInfo:
    def __init__(self, filename: str) -> None:
        self.filename = filename
        self.name = os.path.basename(filename)
        self.name_for_extra = self.model_name = os.path.splitext(self.name)[0]
        self.is_safetensors = True
        self.metadata: dict[str, Any] = {}
        self.sha256 = sha256_of(filename)
        self.shorthash = self.sha256[:10]
        self.hash = self.sha256[-8:]
        self.title = f"{self.name} [{self.shorthash}]"
        self.short_title = f"{self.name_for_extra} [{self.shorthash}]"
        self.ids = [self.hash, self.model_name, self.title, self.name, f"{self.name} [{self.hash}]", self.shorthash,
                    self.sha256, self.short_title]

    def register(self) -> None:
        checkpoints_list[self.title] = self
        checkpoint_aliases.update(dict.fromkeys(self.ids, self))


class SandboxModel:
    """Stands where the host keeps the loaded network."""

    is_sdxl = is_sd1 = is_sd2 = is_sdxl_inpaint = False
    cond_stage_key = "txt"
    use_distilled_cfg_scale = False

    def __init__(self, info: CheckpointInfo) -> None:
        self.sd_checkpoint_info = info
        self.sd_model_hash = info.shorthash
        self.sd_model_checkpoint = info.filename
        self.is_sd1 = True


class FakeInitialModel:
    """What Forge has until the first generation: a model without checkpoint info."""

    is_sdxl = is_sd1 = is_sd2 = False
    cond_stage_model = chunk = None
    use_distilled_cfg_scale = False


checkpoints_list: dict[str, CheckpointInfo] = {}
checkpoint_aliases: dict[str, CheckpointInfo] = {}
_keep_config = False


def list_models() -> None:
    checkpoints_list.clear()
    checkpoint_aliases.clear()
    folder = os.path.join(shared.cmd_opts.models_dir, "Stable-diffusion")
    for name in CHECKPOINTS:
        CheckpointInfo(placeholder(folder, f"{name}.safetensors")).register()


def checkpoint_tiles(use_short: bool = False) -> list[str]:
    return [x.short_title if use_short else x.title for x in checkpoints_list.values()]


def get_closet_checkpoint_match(search_string: str | None) -> CheckpointInfo | None:
    if not search_string:
        return None
    if search_string in checkpoint_aliases:
        return checkpoint_aliases[search_string]
    for text in (search_string, re.sub(r"\s*\[[^]]+]\s*$", "", search_string)):
        found = [x for x in checkpoints_list.values() if text in x.title]
        if found:
            return min(found, key=lambda x: len(x.title))
    return None


def select_checkpoint() -> CheckpointInfo:
    chosen = checkpoint_aliases.get(shared.opts.sd_model_checkpoint)
    return chosen or next(iter(checkpoints_list.values()))


@contextmanager
def SkipWritingToConfig() -> Iterator[None]:
    """Inside, a loaded checkpoint does not become the one in the settings (refiner, hires checkpoint)."""
    global _keep_config
    before, _keep_config = _keep_config, True
    try:
        yield
    finally:
        _keep_config = before


def reload_model_weights(sd_model: Any = None, info: CheckpointInfo | None = None, forced_reload: bool = False) -> Any:
    """Load the wanted checkpoint unless it is the loaded one; on_model_loaded fires when something was loaded."""
    wanted = info or select_checkpoint()
    if getattr(shared.sd_model, "sd_checkpoint_info", None) is not wanted or forced_reload:
        shared.sd_model = SandboxModel(wanted)
        if not _keep_config:
            shared.opts.data["sd_model_checkpoint"] = wanted.title
            shared.opts.data["sd_checkpoint_hash"] = wanted.sha256
        script_callbacks.model_loaded_callback(shared.sd_model)
    return shared.sd_model
