"""VAEs by name; none is loaded unless the option asks for one."""

from __future__ import annotations

import os

from modules import sd_models, shared

vae_dict: dict[str, str] = {}


def refresh_vae_list() -> None:
    folder = os.path.join(shared.cmd_opts.models_dir, "VAE")
    names = [f"{x}.safetensors" for x in sd_models.VAES]
    vae_dict.clear()
    vae_dict.update({x: sd_models.placeholder(folder, x) for x in names})


def loaded_path() -> str | None:
    return None if shared.is_forge() else vae_dict.get(shared.opts.sd_vae)


def get_loaded_vae_name() -> str | None:
    path = loaded_path()
    return None if path is None else os.path.basename(path)


def get_loaded_vae_hash() -> str | None:
    path = loaded_path()
    return None if path is None else sd_models.sha256_of(path)[:10]


def reload_vae_weights() -> None:
    pass
