"""The answers of the API that only list things."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from modules import extensions, extra_networks, scripts, sd_models, sd_samplers, sd_schedulers, sd_vae, shared


def _scripts() -> dict[str, Any]:
    return {tab: [x.name for x in getattr(scripts, f"scripts_{tab}").scripts if x.name is not None]
            for tab in ("txt2img", "img2img")}


def _script_info() -> list[dict[str, Any]]:
    both = [*scripts.scripts_txt2img.scripts, *scripts.scripts_img2img.scripts]
    return [x.api_info for x in both if x.api_info is not None]


def _extensions() -> list[dict[str, Any]]:
    names = ("name", "remote", "branch", "commit_hash", "commit_date", "version", "enabled")
    for extension in extensions.extensions:
        extension.read_info_from_repo()
    return [{k: getattr(x, k) for k in names} for x in extensions.extensions if x.remote is not None]


ANSWERS: dict[str, Callable[[], Any]] = {
    "cmd-flags": lambda: vars(shared.cmd_opts),
    "samplers": lambda: [{"name": x.name, "aliases": x.aliases, "options": x.options} for x in sd_samplers.all_samplers],
    "schedulers": lambda: [vars(x) for x in sd_schedulers.schedulers],
    "upscalers": lambda: [{"name": x.name, "model_name": None, "model_path": None, "model_url": None, "scale": x.scale}
                          for x in shared.sd_upscalers],
    "latent-upscale-modes": lambda: [{"name": x} for x in shared.latent_upscale_modes],
    "sd-models": lambda: [{"title": x.title, "model_name": x.model_name, "hash": x.shorthash, "sha256": x.sha256,
                           "filename": x.filename, "config": None} for x in sd_models.checkpoints_list.values()],
    "sd-vae": lambda: [{"model_name": k, "filename": v} for k, v in sd_vae.vae_dict.items()],
    "loras": lambda: [{"name": k, "alias": k, "path": None} for k in extra_networks.available_loras],
    "embeddings": lambda: {"loaded": {k: {"shape": 768, "vectors": 1} for k in extra_networks.available_embeddings},
                           "skipped": {}},
    "scripts": _scripts, "script-info": _script_info, "extensions": _extensions,
}
