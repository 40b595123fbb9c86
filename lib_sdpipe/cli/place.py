"""Which library a call means: `--runs DIR`, else that of the WebUI one stands in, else `./runs`."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from lib_sdpipe.errors import NoLibraryError
from lib_sdpipe.store.layout import Layout, find_layout
from lib_sdpipe.workspace import Workspace

DEFAULT_NAME = "runs"
ROOT_ARGUMENT = re.compile(r"([\w.\-]+)=(.+)", re.S)


def is_root_argument(text: str) -> bool:
    """Whether it names an image root: `NAME=DIR`."""
    return ROOT_ARGUMENT.fullmatch(text) is not None


def find_webui(start: Path) -> Path | None:
    """The root of the WebUI that holds `start`, or None. Nothing of it is imported."""
    for folder in (start, *start.parents):
        if (folder / "launch.py").is_file() and (folder / "modules" / "shared.py").is_file():
            return folder
    return None


def named_folder(named: str) -> Path:
    return Path(os.path.abspath(Path(named).expanduser()))


def find_runs(named: str | None) -> Path:
    """The runs folder a call means, absolute; whether it exists is another question."""
    if named is not None:
        return named_folder(named)
    start = Path.cwd()
    webui = find_webui(start)
    if webui is None:
        return start / DEFAULT_NAME
    return Path(os.path.abspath(webui / (_read_setting(webui / "config.json") or DEFAULT_NAME)))


def open_workspace(runs: Path, roots: dict[str, Path] | None = None) -> Workspace:
    """The library there, with these image roots besides. Raises NoLibraryError where the folder cannot be listed."""
    try:
        os.scandir(runs).close()
    except OSError as fault:
        hint = "name one with --runs DIR, or make a first one with `demo`"
        raise NoLibraryError(f"{runs}: not a readable runs folder ({fault.strerror}); {hint}") from fault
    return Workspace(find_layout(runs), roots)


def find_library(named: str | None) -> Layout | None:
    """The library there, or None where the call names none and none is around here. Raises NoLibraryError for a named one."""
    runs = find_runs(named)
    return open_workspace(runs).layout if named is not None or runs.is_dir() else None


def _read_setting(config: Path) -> str | None:
    """The host's setting "Runs folder"; a damaged config.json is the host's business and counts as no setting."""
    try:
        setting = json.loads(config.read_bytes())["sdpipe_runs_folder"]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return setting.strip() or None if isinstance(setting, str) else None
