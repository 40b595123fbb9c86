"""The result of a request, and the text that describes how each image was made."""

from __future__ import annotations

import json
from typing import Any

from modules import errors, infotext_quote, launch_utils, shared
from modules.shared import opts, state


def program_version() -> str | None:
    return launch_utils.git_tag()


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


class Processed:
    def __init__(self, p: Any, images_list: list[Any], seed: Any = -1, info: str = "", subseed: Any = None,
                 all_prompts: Any = None, all_negative_prompts: Any = None, all_seeds: Any = None,
                 all_subseeds: Any = None, index_of_first_image: int = 0, infotexts: Any = None,
                 comments: str = "", extra_images_list: Any = None) -> None:
        for name in ("subseed_strength", "width", "height", "sampler_name", "cfg_scale", "steps", "batch_size",
                     "restore_faces", "sd_model_name", "sd_model_hash", "sd_vae_name", "sd_vae_hash",
                     "seed_resize_from_w", "seed_resize_from_h", "extra_generation_params", "styles", "eta",
                     "ddim_discretize", "s_churn", "s_tmin", "s_tmax", "s_noise", "s_min_uncond",
                     "is_using_inpainting_conditioning", "token_merging_ratio", "token_merging_ratio_hr"):
            setattr(self, name, getattr(p, name))
        self.images = images_list
        self.prompt, self.negative_prompt = _first(p.prompt), _first(p.negative_prompt)
        self.seed = -1 if seed is None else int(_first(seed))
        self.subseed = -1 if subseed is None else int(_first(subseed))
        self.info = info
        self.comments = "".join(f"{x}\n" for x in p.comments)
        self.image_cfg_scale = getattr(p, "image_cfg_scale", None)
        self.denoising_strength = getattr(p, "denoising_strength", None)
        self.face_restoration_model = opts.face_restoration_model if p.restore_faces else None
        self.index_of_first_image = index_of_first_image
        self.job_timestamp = state.job_timestamp
        self.clip_skip = opts.CLIP_stop_at_last_layers
        self.sampler_noise_scheduler_override = p.sampler_noise_scheduler_override
        self.all_prompts = all_prompts or p.all_prompts or [self.prompt]
        self.all_negative_prompts = all_negative_prompts or p.all_negative_prompts or [self.negative_prompt]
        self.all_seeds = all_seeds or p.all_seeds or [self.seed]
        self.all_subseeds = all_subseeds or p.all_subseeds or [self.subseed]
        self.infotexts = infotexts or [info] * len(images_list)
        self.version = program_version()
        if shared.is_forge():
            self.extra_images = extra_images_list or []

    def js(self) -> str:
        """The `info` of the page and the API; what JSON cannot hold becomes null."""
        names = ("seed", "all_seeds", "subseed", "all_subseeds", "subseed_strength", "width", "height",
                 "sampler_name", "cfg_scale", "steps", "batch_size", "restore_faces", "face_restoration_model",
                 "sd_model_name", "sd_model_hash", "sd_vae_name", "sd_vae_hash", "seed_resize_from_w",
                 "seed_resize_from_h", "denoising_strength", "extra_generation_params", "index_of_first_image",
                 "infotexts", "styles", "job_timestamp", "clip_skip", "is_using_inpainting_conditioning", "version")
        prompts = {
            "prompt": self.all_prompts[0], "all_prompts": self.all_prompts,
            "negative_prompt": self.all_negative_prompts[0], "all_negative_prompts": self.all_negative_prompts,
        }
        return json.dumps(prompts | {x: getattr(self, x) for x in names}, default=lambda _: None)

    def infotext(self, p: Any, index: int) -> str:
        return create_infotext(p, self.all_prompts, self.all_seeds, self.all_subseeds, comments=[],
                               position_in_batch=index % self.batch_size, iteration=index // self.batch_size)

    def get_token_merging_ratio(self, for_hr: bool = False) -> float:
        return self.token_merging_ratio_hr if for_hr else self.token_merging_ratio


def create_infotext(p: Any, all_prompts: Any, all_seeds: Any, all_subseeds: Any, comments: Any = None,
                    iteration: int = 0, position_in_batch: int = 0, use_main_prompt: bool = False,
                    index: int | None = None, all_negative_prompts: Any = None) -> str:
    """Prompt, negative prompt and one line of `key: value`, as the host lays it out.

    A value in `p.extra_generation_params` may be a list (one per image) or a callable that is given everything here.
    """
    if use_main_prompt:
        index = 0
    elif index is None:
        index = position_in_batch + iteration * p.batch_size
    if all_negative_prompts is None:
        all_negative_prompts = p.all_negative_prompts
    prompt_text = p.main_prompt if use_main_prompt else all_prompts[index]
    negative_prompt = p.main_negative_prompt if use_main_prompt else all_negative_prompts[index]
    seed, subseed = (p.all_seeds[0], p.all_subseeds[0]) if use_main_prompt else (all_seeds[index], all_subseeds[index])
    generation_params = _parameters(p, seed, subseed)
    given = dict(locals())
    for key, value in generation_params.items():
        try:
            if isinstance(value, list):
                generation_params[key] = value[index]
            elif callable(value):
                generation_params[key] = value(**given)
        except Exception:
            errors.report(f'Error creating infotext for key "{key}"', exc_info=True)
            generation_params[key] = None
    line = ", ".join(k if k == v else f"{k}: {infotext_quote.quote(v)}"
                     for k, v in generation_params.items() if v is not None)
    negative = f"\nNegative prompt: {negative_prompt}" if negative_prompt else ""
    return f"{prompt_text}{negative}\n{line}".strip()


def _parameters(p: Any, seed: int, subseed: int) -> dict[str, Any]:
    clip_skip = getattr(p, "clip_skip", opts.CLIP_stop_at_last_layers)
    varied = p.subseed_strength != 0
    resized = p.seed_resize_from_w > 0 and p.seed_resize_from_h > 0
    vae = not shared.is_forge()
    return {
        "Steps": p.steps,
        "Sampler": p.sampler_name,
        "Schedule type": p.scheduler,
        "CFG scale": p.cfg_scale,
        "Image CFG scale": getattr(p, "image_cfg_scale", None),
        "Seed": seed,
        "Face restoration": opts.face_restoration_model if p.restore_faces else None,
        "Size": f"{p.width}x{p.height}",
        "Model hash": p.sd_model_hash if opts.add_model_hash_to_info else None,
        "Model": p.sd_model_name if opts.add_model_name_to_info else None,
        "VAE hash": p.sd_vae_hash if vae and opts.add_vae_hash_to_info else None,
        "VAE": p.sd_vae_name if vae and opts.add_vae_name_to_info else None,
        "Variation seed": subseed if varied else None,
        "Variation seed strength": p.subseed_strength if varied else None,
        "Seed resize from": f"{p.seed_resize_from_w}x{p.seed_resize_from_h}" if resized else None,
        "Denoising strength": p.extra_generation_params.get("Denoising strength"),
        "Clip skip": None if clip_skip <= 1 else clip_skip,
        "ENSD": opts.eta_noise_seed_delta or None,
        "Init image hash": getattr(p, "init_img_hash", None),
        "RNG": opts.randn_source if opts.randn_source != "GPU" else None,
        "Tiling": "True" if p.tiling else None,
        **p.extra_generation_params,
        "Version": program_version() if opts.add_version_to_infotext else None,
        "User": p.user if opts.add_user_name_to_info else None,
    }
