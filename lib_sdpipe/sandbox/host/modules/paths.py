"""The folders of the host, under the name that extensions import."""

from modules.paths_internal import (  # noqa: F401
    cwd,
    data_path,
    default_output_dir,
    extensions_builtin_dir,
    extensions_dir,
    models_path,
    modules_path,
    script_path,
)
