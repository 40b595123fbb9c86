"""Folders of the host. Set by `configure` before anything else of the package is used."""

from __future__ import annotations

import os

from modules.shared_cmd_options import cmd_opts

cwd: str = os.getcwd()
modules_path: str = os.path.dirname(os.path.realpath(__file__))
script_path: str = os.path.dirname(modules_path)
data_path: str = ""
models_path: str = ""
extensions_dir: str = ""
extensions_builtin_dir: str = os.path.join(script_path, "extensions-builtin")
config_states_dir: str = ""
default_output_dir: str = ""


def configure() -> None:
    """Take the folders from `cmd_opts`; `modules.paths` carries the same names."""
    from modules import paths

    data = cmd_opts.data_dir
    values = {
        "cwd": os.getcwd(), "data_path": data, "models_path": cmd_opts.models_dir,
        "extensions_dir": os.path.join(data, "extensions"), "config_states_dir": os.path.join(data, "config_states"),
        "default_output_dir": os.path.join(data, "outputs"),
    }
    globals().update(values)
    vars(paths).update(values)
