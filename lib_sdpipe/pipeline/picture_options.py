"""The hosts' options that change pixels, and what each does; found in the hosts' sources (A1111 v1.10.1, Forge). Pure.

What is listed nowhere here changes no pixel of a host of its own: folders, names, previews, the page. An option of an
extension that nobody listed may.
"""

from __future__ import annotations

from dataclasses import dataclass

# What an option does to a picture, the strongest first.
NOISE, TEXT, SAMPLING, IMAGE, NUMBERS, FILE = "noise", "text", "sampling", "image", "numbers", "file"


@dataclass(frozen=True)
class OptionEffect:
    """`effect` is one of the above. `is_read_each_pass`: an override for one pass works, no restart or reload is needed."""

    effect: str
    is_read_each_pass: bool = True


# The noise that a seed means: another one is another picture (modules/rng.py, sd_samplers_common.py).
_NOISE = ("randn_source", "eta_noise_seed_delta", "enable_batch_seeds", "no_dpmpp_sde_batch_determinism", "forge_try_reproduce")
# What the prompt means (sd_hijack_clip.py, prompt_parser.py, sd_models_xl.py, extra networks).
_TEXT = (
    "CLIP_stop_at_last_layers", "sdxl_clip_l_skip", "emphasis", "use_old_emphasis_implementation", "comma_padding_backtrack",
    "use_old_scheduling", "pad_cond_uncond", "pad_cond_uncond_v0", "enable_prompt_comments", "sdxl_crop_top", "sdxl_crop_left",
    "sdxl_refiner_low_aesthetic_score", "sdxl_refiner_high_aesthetic_score", "sd_hypernetwork", "sd_lora", "lora_functional",
    "hires_fix_use_firstpass_conds",
)
# The steps from noise to picture (sd_samplers_*.py, sd_schedulers.py, sd_samplers_cfg_denoiser.py, hypertile).
_SAMPLING = (
    "sd_unet", "eta_ddim", "eta_ancestral", "ddim_discretize", "s_churn", "s_tmin", "s_tmax", "s_noise", "s_min_uncond",
    "s_min_uncond_all", "sigma_min", "sigma_max", "rho", "always_discard_next_to_last_sigma", "sgm_noise_multiplier",
    "uni_pc_variant", "uni_pc_skip_type", "uni_pc_order", "uni_pc_lower_order_final", "sd_noise_schedule", "skip_early_cond",
    "beta_dist_alpha", "beta_dist_beta", "enable_quantization", "use_old_karras_scheduler_sigmas", "use_downcasted_alpha_bar",
    "refiner_switch_by_sample_steps", "hires_fix_refiner_pass", "use_old_hires_fix_width_height", "token_merging_ratio",
    "token_merging_ratio_img2img", "token_merging_ratio_hr", "img2img_fix_steps", "initial_noise_multiplier", "img2img_extra_noise",
    "inpainting_mask_weight", "tiling", "hypertile_enable_unet", "hypertile_enable_unet_secondpass", "hypertile_max_depth_unet",
    "hypertile_max_tile_unet", "hypertile_swap_size_unet", "hypertile_enable_vae", "hypertile_max_depth_vae", "hypertile_max_tile_vae",
    "hypertile_swap_size_vae",
)
# What is done to the picture before and after (processing.py, images.py, upscalers, face restoration, ADetailer).
_IMAGE = (
    "sd_vae", "sd_vae_overrides_per_model_preferences", "sd_vae_encode_method", "sd_vae_decode_method", "face_restoration",
    "face_restoration_model", "code_former_weight", "upscaler_for_img2img", "img2img_color_correction", "img2img_background_color",
    "overlay_inpaint", "ad_same_seed_for_each_tab", "ad_bbox_sortby", "ad_dynamic_denoise_power", "ad_match_inpaint_bbox_size",
    "ad_only_selected_scripts", "ad_script_names", "ESRGAN_tile", "ESRGAN_tile_overlap", "DAT_tile", "DAT_tile_overlap",
    "SWIN_tile", "SWIN_tile_overlap", "SCUNET_tile", "SCUNET_tile_overlap", "ldsr_steps", "ldsr_cached",
)
# Taken when the page is built or a model is loaded.
_IMAGE_LATER = ("postprocessing_enable_in_main_ui", "postprocessing_operation_order", "ad_max_models", "sd3_enable_t5")
# How exactly is computed: pixels differ by little (devices.py, sd_hijack_optimizations.py, sd_models.py).
_NUMBERS = ("upcast_attn", "auto_vae_precision", "auto_vae_precision_bfloat16", "batch_cond_uncond")
_NUMBERS_LATER = (
    "fp8_storage", "cache_fp16_weight", "cross_attention_optimization", "forge_unet_storage_dtype", "forge_inference_memory",
    "forge_async_loading", "SWIN_torch_compile",
)
# How it is written: of a lossy file the pixels too (images.py). Files are written after the pass, too.
_FILE = ("samples_format", "jpeg_quality", "webp_lossless")
# Grids alone: their text and layout.
GRID_OPTIONS = (
    "grid_text_active_color", "grid_text_inactive_color", "grid_background_color", "n_rows", "grid_prevent_empty_spots", "font",
    "grid_format",
)

_KINDS = (
    (_NOISE, NOISE, True), (_TEXT, TEXT, True), (_SAMPLING, SAMPLING, True), (_IMAGE, IMAGE, True), (_IMAGE_LATER, IMAGE, False),
    (_NUMBERS, NUMBERS, True), (_NUMBERS_LATER, NUMBERS, False), (_FILE, FILE, False), (GRID_OPTIONS, FILE, True),
)
PICTURE_OPTIONS: dict[str, OptionEffect] = {
    name: OptionEffect(effect, is_read_each_pass) for names, effect, is_read_each_pass in _KINDS for name in names
}
