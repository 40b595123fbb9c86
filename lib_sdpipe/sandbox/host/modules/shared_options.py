"""The host's own settings, as far as the sandbox heeds them: keys, defaults, sections and infotext names."""

from __future__ import annotations

import os
from typing import Any

from modules import paths_internal, util
from modules.options import OptionInfo, options_section
from modules.shared_cmd_options import cmd_opts

restricted_opts: set[str] = {
    "samples_filename_pattern", "directories_filename_pattern", "outdir_samples", "outdir_txt2img_samples",
    "outdir_img2img_samples", "outdir_extras_samples", "outdir_grids", "outdir_txt2img_grids", "outdir_save",
    "outdir_init_images", "temp_dir", "clean_temp_dir_at_start",
}
_SECTIONS: dict[tuple[str | None, str], dict[str, Any]] = {
    ("saving-images", "Saving images/grids"): {
        "samples_save": True, "samples_format": "png", "samples_filename_pattern": "", "save_images_add_number": True,
        "save_images_replace_action": "Replace", "grid_save": True, "grid_format": "png", "grid_extended_filename": False,
        "grid_only_if_multiple": True, "grid_prevent_empty_spots": False, "n_rows": -1, "grid_background_color": "#ffffff",
        "grid_text_active_color": "#000000", "grid_text_inactive_color": "#999999", "grid_zip_filename_pattern": "",
        "save_images_before_face_restoration": False, "save_images_before_highres_fix": False,
        "save_images_before_color_correction": False, "save_mask": False, "save_mask_composite": False,
        "jpeg_quality": 80, "webp_lossless": False, "export_for_4chan": True, "img_downscale_threshold": 4.0,
        "target_side_length": 4000, "img_max_size_mp": 200, "use_original_name_batch": True, "save_selected_only": True,
        "save_init_img": False, "save_incomplete_images": False, "img2img_batch_show_results_limit": 32,
        "img2img_batch_use_original_name": False,
    },
    ("saving-paths", "Paths for saving"): {
        "outdir_samples": "", "outdir_txt2img_samples": "outputs/txt2img-images",
        "outdir_img2img_samples": "outputs/img2img-images", "outdir_extras_samples": "outputs/extras-images",
        "outdir_grids": "", "outdir_txt2img_grids": "outputs/txt2img-grids",
        "outdir_img2img_grids": "outputs/img2img-grids", "outdir_save": "log/images",
        "outdir_init_images": "outputs/init-images",
    },
    ("saving-to-dirs", "Saving to a directory"): {
        "save_to_dirs": True, "grid_save_to_dirs": True, "use_save_to_dirs_for_ui": False,
        "directories_filename_pattern": "[date]", "directories_max_prompt_words": 8,
    },
    ("sd", "Stable Diffusion"): {
        "sd_model_checkpoint": None, "CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic", "upscaler_for_img2img": None,
        "randn_source": "GPU", "tiling": False, "face_restoration": False, "face_restoration_model": "CodeFormer",
        "eta_noise_seed_delta": 0, "img2img_color_correction": False, "img2img_background_color": "#ffffff",
        "initial_noise_multiplier": 1.0, "overlay_inpaint": True, "return_mask": False, "return_mask_composite": False,
        "lora_add_hashes_to_infotext": True, "textual_inversion_add_hashes_to_infotext": True,
    },
    ("ui", "User interface"): {
        "return_grid": True, "do_not_show_images": False, "interrupt_after_current": True, "send_seed": True,
        "send_size": True, "samples_log_stdout": False, "live_previews_enable": True, "ui_tab_order": [],
        "hidden_tabs": [], "hide_samplers": [], "localization": "None",
    },
    ("infotext", "Infotext"): {
        "enable_pnginfo": True, "save_txt": False, "add_model_name_to_info": True, "add_model_hash_to_info": True,
        "add_vae_name_to_info": True, "add_vae_hash_to_info": True, "add_user_name_to_info": False,
        "add_version_to_infotext": True, "disable_weights_auto_swap": True, "infotext_skip_pasting": [],
        "stealth_pnginfo_option": "Alpha",
    },
    ("postprocessing", "Postprocessing"): {
        "postprocessing_enable_in_main_ui": [], "postprocessing_disable_in_extras": [], "postprocessing_operation_order": [],
    },
    (None, "Hidden options"): {"disabled_extensions": [], "disable_all_extensions": "none", "sd_checkpoint_hash": ""},
}
_CHOICES = {
    "save_images_replace_action": ["Replace", "Add number suffix"], "stealth_pnginfo_option": ["Alpha", "None"],
    "samples_format": ["png", "jpg", "webp", "avif"], "grid_format": ["png", "jpg", "webp", "avif"],
}
_INFOTEXT = {
    "sd_model_checkpoint": "Model hash", "CLIP_stop_at_last_layers": "Clip skip", "sd_vae": "VAE", "randn_source": "RNG",
    "tiling": "Tiling", "face_restoration": "Face restoration", "eta_noise_seed_delta": "ENSD",
    "initial_noise_multiplier": "Noise multiplier",
}
_HIDDEN_WITH_PATHS = restricted_opts | {
    "save_images_add_number", "save_images_replace_action", "outdir_img2img_grids", "grid_zip_filename_pattern",
}


def build_templates() -> dict[str, OptionInfo]:
    """Fresh descriptions; folders lie below the data folder and are relative where that is below the working directory."""
    res: dict[str, OptionInfo] = {}
    for section, table in _SECTIONS.items():
        res.update(options_section(section, {key: _info(key, default) for key, default in table.items()}))
    return res


def _info(key: str, default: Any) -> OptionInfo:
    if key.startswith("outdir_") and default:
        default = util.truncate_path(os.path.join(paths_internal.data_path, *default.split("/")))
    elif isinstance(default, list):
        default = list(default)
    args: dict[str, Any] = {"choices": _CHOICES[key]} if key in _CHOICES else {}
    if key in _HIDDEN_WITH_PATHS:
        args["visible"] = not cmd_opts.hide_ui_dir_config
    return OptionInfo(default, key.replace("_", " ").capitalize(), component_args=args, infotext=_INFOTEXT.get(key))
