"""Before the first module of the host is used: names of extensions, flags, folders and a fresh set of shared objects."""

from __future__ import annotations

import configparser
import os
import socket
from collections.abc import Sequence
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any


class SandboxError(RuntimeError):
    """The sandbox cannot start or did not come up."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def named(extension: str | os.PathLike[str]) -> tuple[str, str]:
    name, separator, path = os.fspath(extension).partition("=")
    path = os.path.realpath(path if separator else name)
    if not os.path.isdir(path):
        raise SandboxError(f"no such extension folder: {path}")
    return (name if separator else _canonical_name(path)), path


def _canonical_name(path: str) -> str:
    """The name in metadata.ini, as if the checkout lay in a folder of that name; hosts look at the folder only."""
    config = configparser.ConfigParser()
    config.read(os.path.join(path, "metadata.ini"))
    return config.get("Extension", "Name", fallback=os.path.basename(path))


def configure(argv: Sequence[str], loaded: list[tuple[str, str]], **overrides: Any) -> None:
    from modules import shared_cmd_options as options

    parser = options.parser = options.new_parser()
    for _, path in sorted(loaded):
        script = os.path.join(path, "preload.py")
        if os.path.isfile(script):
            spec = spec_from_file_location("preload", script)
            assert spec is not None and spec.loader is not None
            module = module_from_spec(spec)
            spec.loader.exec_module(module)
            module.preload(parser)
    options.configure(argv, **overrides)
    from modules import paths_internal

    paths_internal.configure()
    from modules import errors, extensions, gradio_extensons, progress, shared

    shared.configure()
    progress.reset()
    errors.exception_records.clear()
    extensions.configured[:] = loaded
    gradio_extensons.install()
