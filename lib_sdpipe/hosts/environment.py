"""Host, versions, extensions, options and script defaults of a moment: what a re-run is compared with."""

from __future__ import annotations

import math
import ntpath
import os
import platform
import re
import sys
from functools import lru_cache
from typing import Any

import modules
from modules import extensions, launch_utils, scripts, shared

from lib_sdpipe import __version__
from lib_sdpipe.hosts.device import read_attention, read_device, read_precision, read_processor
from lib_sdpipe.hosts.request import default_of, is_secret_field, script_file, script_title
from lib_sdpipe.hosts.to_data import PictureBox, to_data
from lib_sdpipe.record.facts import Json
from lib_sdpipe.record.privacy import is_secret, shorten_home

# Texts by these names are places, addresses and people. Numbers and switches of such names tell nothing and stay.
_PRIVATE = re.compile(
    r"(?:^|_)(?:\w*dirs?|director\w+|paths?|folders?|files?|urls?|address\w*|hosts?|user|username|useragent|proxy|email)(?:_|$)",
    re.IGNORECASE,
)
_PRIVATE_FLAG = re.compile(r"(?:^|_)(?:auth|ngrok|share|certfile|keyfile|tls|cors|port|server|subpath)(?:_|$)", re.IGNORECASE)
# Flags that name a file which changes pictures: the name without its folder is kept.
_FILE_FLAGS = ("ckpt", "config", "vae_path")
_PACKAGES = ("torch", "xformers", "gradio", "pydantic", "fastapi", "Pillow", "numpy", "transformers", "diffusers", "safetensors")
_RECORDED_PER_IMAGE = ("sd_model_checkpoint", "sd_vae", "sd_checkpoint_hash", "forge_additional_modules")


def read_environment(options: Json) -> Json:
    """The environment with the options as they were when the run began; equal content gives equal JSON.

    For the writer thread: the first call may take some 100 ms.
    """
    home = os.path.expanduser("~")
    return {
        "schema": "sdpipe.environment/1",
        "sdpipe": __version__,
        **_fixed_part(),
        "precision": read_precision(),
        "attention": read_attention(),
        "flags": shorten_home(_read_flags(), home),
        "extensions": _read_extensions(),
        "options": shorten_home(_pick_options(options), home),
        "script_defaults": shorten_home(_script_defaults(), home),
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
        "platform": {
            "system": platform.system(), "machine": platform.machine(), "processor": read_processor(), "python": platform.python_version(),
        },
        "packages": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        "device": read_device(),
    }


def _read_flags() -> Json:
    """Flags that were given, without places and secrets: what is as the host's parser has it was not."""
    parser: Any = getattr(sys.modules.get("modules.shared_cmd_options"), "parser", None)
    found = {}
    for key, value in sorted(vars(shared.cmd_opts).items()):
        if value in (None, False, "", []) or (parser is not None and value == parser.get_default(key)):
            continue
        if key in _FILE_FLAGS:
            found[key] = ntpath.basename(str(value))
        elif not _PRIVATE_FLAG.search(key) and (kept := _pick_value(key, value)) is not None:
            found[key] = kept
    return found


def _read_extensions() -> list[Json]:
    found = []
    for extension in sorted(extensions.active(), key=lambda extension: extension.name):
        if not extension.is_builtin:  # those are part of the host
            extension.read_info_from_repo()  # else the host does it when the Extensions tab is opened: two environments for one
            found.append({
                "name": extension.name, "version": extension.version or None, "commit": extension.commit_hash or None,
            })
    return found


def _pick_options(options: Json) -> Json:
    """Simple values and lists of them that can matter to a picture; what was never set has the host's default."""
    everything = {**_default_options(), **options}
    picked = {
        key: _pick_value(key, value) for key, value in sorted(everything.items())
        if key not in _RECORDED_PER_IMAGE and not key.startswith("sdpipe_")
    }
    return {key: value for key, value in picked.items() if value is not None}


def _default_options() -> Json:
    """A host whose settings were never saved keeps none of them."""
    known = getattr(shared.opts, "data_labels", None) or {}
    return {key: info.default for key, info in known.items() if not getattr(info, "do_not_save", False)}


def _pick_value(key: str, value: Any) -> Any:
    """The value, if it is simple and tells no place and no secret; else None."""
    if isinstance(value, bool) or isinstance(value, int):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return _whole(value)
    if isinstance(value, str):
        return None if _PRIVATE.search(key) or is_secret(key, value) or _is_place(value) else value
    if isinstance(value, (list, tuple)):
        items = [_pick_value(key, item) for item in value]
        return None if None in items else items
    return None


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
                {"label": getattr(control, "label", None), "value": _default_of(control)} for control in controls
            ],
        })
    return found


def _default_of(control: Any) -> Any:
    """A default; an extension may show a stored key in its field."""
    value = default_of(control)
    return None if is_secret_field(control, value) else _whole(to_data(value, PictureBox(), [], ""))


def _whole(value: Any) -> Any:
    """Whole numbers as such at any depth: a slider's 7 is 7.0 once the page has saved it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {key: _whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def _is_place(value: str) -> bool:
    return os.path.isabs(value) or ntpath.isabs(value) or value.startswith(("~", "file:")) or bool(ntpath.splitdrive(value)[0])


def _version(package: str) -> str | None:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _call(function: Any) -> str | None:
    value = function()
    return value if isinstance(value, str) and value != "<none>" else None
