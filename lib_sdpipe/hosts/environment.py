"""Host, versions, extensions, options and script defaults of a moment: what a re-run is compared with."""

from __future__ import annotations

import os
import platform
import re
import sys
from functools import lru_cache
from typing import Any

import modules
from modules import extensions, launch_utils, scripts, shared

from lib_sdpipe import __version__
from lib_sdpipe.hosts.request import PictureBox, script_file, script_title, to_data
from lib_sdpipe.record.facts import Json

# Left out of every record: secrets, places on this machine, and what changes without changing a picture.
_PRIVATE_OPTION = re.compile(r"key|token|passw|secret|auth|user|dir|path|folder|cache|url|address", re.IGNORECASE)
_PRIVATE_FLAG = re.compile(r"auth|key|token|passw|secret|ngrok|share|certfile|keyfile|server_name|port|user", re.IGNORECASE)
_PACKAGES = ("torch", "xformers", "gradio", "pydantic", "fastapi", "Pillow", "numpy", "transformers", "diffusers", "safetensors")
_RECORDED_PER_IMAGE = ("sd_model_checkpoint", "sd_vae", "sd_checkpoint_hash", "forge_additional_modules")


def read_environment(options: Json) -> Json:
    """The environment with the options as they were when the run began; equal content gives equal JSON."""
    return {
        "schema": "sdpipe.environment/1",
        "sdpipe": __version__,
        **_fixed_part(),
        "flags": _read_flags(),
        "extensions": _read_extensions(),
        "options": _pick_options(options),
        "script_defaults": _script_defaults(),
    }


def host_name() -> str:
    """`A1111`, `Forge`, `reForge`, `Forge Classic` or `SDPipe sandbox`, by what only that host has."""
    if hasattr(modules, "IS_SANDBOX"):
        return "SDPipe sandbox"
    tag = _call(launch_utils.git_tag)
    if str(tag).startswith("f"):
        return "Forge"
    if "modules_forge" in sys.modules:
        return "reForge" if "ldm_patched" in sys.modules else "Forge Classic"
    return "A1111"


@lru_cache(maxsize=1)
def _fixed_part() -> Json:
    """What cannot change while the process lives."""
    return {
        "host": {"name": host_name(), "version": _call(launch_utils.git_tag), "commit": _call(launch_utils.commit_hash)},
        "platform": {"system": platform.system(), "machine": platform.machine(), "python": platform.python_version()},
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        "device": _read_device(),
    }


def _read_device() -> Json:
    torch: Any = sys.modules.get("torch")
    device = str(getattr(shared, "device", "") or "") or None
    found: Json = {"name": device, "accelerator": None, "cuda": None, "cudnn": None}
    if torch is not None and torch.cuda.is_available():
        found.update(
            accelerator=torch.cuda.get_device_name(), cuda=torch.version.cuda, cudnn=torch.backends.cudnn.version(),
        )
    return found


def _read_flags() -> Json:
    """Flags that were given, without places and secrets."""
    return {
        key: value for key, value in sorted(vars(shared.cmd_opts).items())
        if value not in (None, False, "", []) and isinstance(value, (bool, int, float, str))
        and not _PRIVATE_FLAG.search(key) and not _PRIVATE_OPTION.search(key) and not _is_place(value)
    }


def _read_extensions() -> list[Json]:
    return [
        {"name": e.name, "version": e.version or None, "commit": e.commit_hash or None}
        for e in sorted(extensions.active(), key=lambda e: e.name) if not e.is_builtin
    ]


def _pick_options(options: Json) -> Json:
    """Simple values that can matter to a picture."""
    return {
        key: value for key, value in sorted(options.items())
        if isinstance(value, (bool, int, float, str)) and key not in _RECORDED_PER_IMAGE
        and not key.startswith("sdpipe_") and not _PRIVATE_OPTION.search(key) and not _is_place(value)
    }


@lru_cache(maxsize=1)
def _script_defaults() -> Json:
    """Defaults of every script's arguments by tab and file: a request leaves out what equals them."""
    return {"txt2img": _runner_defaults(scripts.scripts_txt2img), "img2img": _runner_defaults(scripts.scripts_img2img)}


def forget_script_defaults() -> None:
    """The page was built anew: defaults may have changed."""
    _script_defaults.cache_clear()


def _runner_defaults(runner: Any) -> list[Json]:
    found = []
    for script in getattr(runner, "alwayson_scripts", []):
        if script.args_from is None or script.args_to is None:
            continue
        controls = runner.inputs[script.args_from:script.args_to]
        found.append({
            "title": script_title(script), "file": script_file(script),
            "args": [
                {"label": getattr(control, "label", None), "value": to_data(getattr(control, "value", None), PictureBox(), [], "")}
                for control in controls
            ],
        })
    return found


def _is_place(value: Any) -> bool:
    return isinstance(value, str) and (os.path.isabs(value) or value.startswith("~"))


def _version(package: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _call(function: Any) -> str | None:
    value = function()
    return value if isinstance(value, str) and value != "<none>" else None
