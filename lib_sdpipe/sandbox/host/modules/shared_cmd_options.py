"""Command line options of the host. `cmd_opts` is one object for the whole process; `configure` fills it in place."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from typing import Any

_FLAGS: dict[str, Any] = {
    "api": True, "nowebui": False, "listen": False, "share": False, "ngrok": None, "server_name": None, "port": None,
    "subpath": None, "api_auth": None, "api_log": False, "api_server_stop": False, "gradio_auth": None,
    "gradio_auth_path": None, "gradio_allowed_path": [], "no_gradio_queue": False, "theme": None,
    "hide_ui_dir_config": False, "freeze_settings": False, "freeze_settings_in_sections": None,
    "freeze_specific_settings": None, "disable_all_extensions": False, "disable_extra_extensions": False,
    "enable_insecure_extension_access": False, "no_prompt_history": False, "skip_install": False,
    "unix_filenames_sanitization": False, "filenames_max_length": 128, "use_cpu": ["all"], "no_hashing": False,
    "cors_allow_origins": None, "cors_allow_origins_regex": None, "ui_debug_mode": False, "timeout_keep_alive": 30,
    "data_dir": os.getcwd(), "models_dir": None, "sandbox_flavour": "a1111", "sandbox_step_ms": 0.0,
}


def new_parser() -> argparse.ArgumentParser:
    res = argparse.ArgumentParser(conflict_handler="resolve")
    for name, default in _FLAGS.items():
        flag = "--" + name.replace("_", "-")
        if isinstance(default, bool):
            res.add_argument(flag, action="store_true", default=default)
        elif isinstance(default, list):
            res.add_argument(flag, nargs="+", default=default)
        else:
            res.add_argument(flag, type=type(default) if default is not None else str, default=default)
    return res


parser = new_parser()
cmd_opts = argparse.Namespace(**_FLAGS)


def configure(argv: Sequence[str], **overrides: Any) -> None:
    """Start from the defaults, parse `argv` (after all preload.py have added options), then take `overrides`."""
    values = vars(parser.parse_args(list(argv))) | overrides
    values["data_dir"] = os.path.abspath(values["data_dir"])
    models = os.path.abspath(values["models_dir"] or os.path.join(values["data_dir"], "models"))
    values |= {
        "sandbox": True, "models_dir": models,
        "ui_settings_file": os.path.join(values["data_dir"], "config.json"),
        "ui_config_file": os.path.join(values["data_dir"], "ui-config.json"),
        "embeddings_dir": os.path.join(values["data_dir"], "embeddings"),
        "lora_dir": os.path.join(models, "Lora"), "ckpt_dir": None, "vae_dir": None,
        "webui_is_non_local": any([values["share"], values["listen"], values["ngrok"], values["server_name"]]),
    }
    non_local = values["webui_is_non_local"]
    values["disable_extension_access"] = bool(non_local and not values["enable_insecure_extension_access"])
    cmd_opts.__dict__.clear()
    cmd_opts.__dict__.update(values)
