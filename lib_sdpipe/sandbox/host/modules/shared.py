"""The objects that every part of the host shares. They live as long as the process; a new start refills them."""

from __future__ import annotations

import sys
import time
from typing import Any

from modules import options, shared_options, shared_state, util
from modules.shared_cmd_options import cmd_opts, parser  # noqa: F401

OptionInfo = options.OptionInfo
OptionHTML = options.OptionHTML
options_section = options.options_section
natural_sort_key, listfiles, walk_files = util.natural_sort_key, util.listfiles, util.walk_files

_TILES = 4
"""Steps of an upscaler, between which it looks whether it was interrupted."""


class _Upscaler:
    """Stands where the host has a network: enlarges by resampling."""

    def __init__(self, name: str) -> None:
        self.name, self.model_name = name, None

    def upscale(self, img: Any, scale: float, selected_model: str | None = None) -> Any:
        """As in the host an interrupted one resizes what it has by Lanczos and gives that back."""
        size = tuple(int(side * scale) // 8 * 8 for side in img.size)
        done = self.name == "None" or size == img.size
        for _ in range(0 if done else _TILES):
            if state.interrupted:
                return img.resize(size, 1)
            time.sleep(cmd_opts.sandbox_step_ms / 1000)
        return img if done else img.resize(size, 1 if self.name == "Lanczos" else 0)


class UpscalerData:
    def __init__(self, name: str) -> None:
        self.name, self.scaler, self.data_path, self.scale = name, _Upscaler(name), None, 4


class _TotalTqdm:
    def clear(self) -> None:
        pass

    def updateTotal(self, new_total: int) -> None:
        pass


class _PromptStyles:
    """No styles: prompts pass unchanged."""

    def __init__(self) -> None:
        self.styles: dict[str, Any] = {}

    def apply_styles_to_prompt(self, prompt: str, styles: list[str]) -> str:
        return prompt

    apply_negative_styles_to_prompt = apply_styles_to_prompt


opts = options.Options({}, set())
restricted_opts: set[str] = opts.restricted_opts
state = shared_state.State()
total_tqdm = _TotalTqdm()
prompt_styles = _PromptStyles()
demo: Any = None
sd_model: Any = None
device = "cpu"
config_filename: str = ""
hide_dirs: dict[str, bool] = {"visible": True}
progress_print_out = sys.stdout
parallel_processing_allowed = True
face_restorers: list[Any] = []
settings_components: dict[str, Any] = {}
tab_names: list[str] = []
sd_upscalers = [UpscalerData(name) for name in ("None", "Lanczos", "Nearest", "R-ESRGAN 4x+")]
latent_upscale_default_mode = "Latent"
latent_upscale_modes: dict[str, dict[str, Any]] = {
    "Latent": {"mode": "bilinear", "antialias": False},
    "Latent (antialiased)": {"mode": "bilinear", "antialias": True},
    "Latent (nearest-exact)": {"mode": "nearest-exact", "antialias": False},
}


def is_forge() -> bool:
    """Whether to behave as Forge where it differs from A1111."""
    return cmd_opts.sandbox_flavour == "forge"


def configure() -> None:
    """Forget the previous start of this process: options from config.json, no job, no page, no model."""
    global demo, sd_model, config_filename
    opts.data_labels.clear()
    opts.data_labels.update(shared_options.build_templates())
    opts.restricted_opts.clear()
    opts.restricted_opts.update(shared_options.restricted_opts)
    config_filename = cmd_opts.ui_settings_file
    opts.load(config_filename)
    hide_dirs["visible"] = not cmd_opts.hide_ui_dir_config
    state.reset()
    demo = sd_model = None
