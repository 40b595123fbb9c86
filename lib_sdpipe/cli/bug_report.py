"""What a person can send us when a fault is ours: what, where, with which versions. No path of theirs, no prompt."""

from __future__ import annotations

import importlib.metadata
import platform
import traceback
from pathlib import Path

from lib_sdpipe import __version__

_PACKAGES = ("gradio", "pydantic", "Pillow", "numpy", "fastapi")
_HOME = Path(__file__).resolve().parents[2]


def build_bug_report(fault: Exception) -> str:
    """A few lines for stderr."""
    return "\n".join((
        f"a fault of SDPipe itself: {type(fault).__name__}: {fault}",
        "  Please report it with these lines:",
        f"  {_place(fault)}",
        f"  sdpipe {__version__}, Python {platform.python_version()}, {platform.system()} {platform.release()}, {_versions()}",
        "  With SDPIPE_DEBUG=1 in the environment the same call prints the whole traceback.",
    ))


def _place(fault: Exception) -> str:
    """The innermost line of our own code, as a path in the repository."""
    for frame in reversed(traceback.extract_tb(fault.__traceback__)):
        file = Path(frame.filename)
        if _HOME in file.parents and "site-packages" not in file.relative_to(_HOME).parts:
            return f"{file.relative_to(_HOME).as_posix()}:{frame.lineno} in {frame.name}"
    return "outside SDPipe's own files"


def _versions() -> str:
    found = []
    for package in _PACKAGES:
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"no {package}")
    return ", ".join(found)
