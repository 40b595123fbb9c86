"""`process_images`: one request from its first hook to its last. Its steps follow the host's order."""

from __future__ import annotations

import random
from typing import Any

from modules import sd_models, sd_samplers, sd_vae, shared
from modules.processed import Processed, create_infotext, program_version  # noqa: F401
from modules.processing_base import StableDiffusionProcessing, opt_f  # noqa: F401
from modules.processing_img2img import StableDiffusionProcessingImg2Img, create_binary_mask  # noqa: F401
from modules.processing_job import Job, apply_overlay  # noqa: F401
from modules.processing_txt2img import StableDiffusionProcessingTxt2Img  # noqa: F401
from modules.shared import opts, state


def get_fixed_seed(seed: Any) -> Any:
    if isinstance(seed, list):
        return seed
    try:
        seed = -1 if seed in ("", None) else int(seed)
    except ValueError:
        seed = -1
    return random.randrange(4294967294) if seed == -1 else seed


def fix_seed(p: Any) -> None:
    p.seed, p.subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)


def process_images(p: StableDiffusionProcessing) -> Processed:
    """Apply the overridden options, process, and put back those that were in config.json's data before."""
    if p.scripts is not None:
        p.scripts.before_process(p)
    overrides = p.override_settings
    assert overrides is not None
    # The host remembers only options that are in `data` already: without a config.json an override stays for good.
    stored = {k: opts.data[k] for k in overrides if k in opts.data}
    try:
        if sd_models.checkpoint_aliases.get(overrides.get("sd_model_checkpoint")) is None:
            overrides.pop("sd_model_checkpoint", None)
            sd_models.reload_model_weights()
        for key, value in overrides.items():
            opts.set(key, value, is_api=True, run_callbacks=False)
            if key == "sd_model_checkpoint":
                sd_models.reload_model_weights()
        sd_samplers.fix_p_invalid_sampler_and_scheduler(p)
        return process_images_inner(p)  # looked up at call time, so that wrappers see every pass
    finally:
        if p.override_settings_restore_afterwards:
            for key, value in stored.items():
                setattr(opts, key, value)


def process_images_inner(p: StableDiffusionProcessing) -> Processed:
    _prepare(p)
    if p.scripts is not None:
        p.scripts.process(p)
    job = Job(p)
    p.init(p.all_prompts, p.all_seeds, p.all_subseeds)
    if state.job_count == -1:
        state.job_count = p.n_iter
    for n in range(p.n_iter):
        p.iteration = n
        if state.skipped:
            state.skipped = False
        if state.interrupted or state.stopping_generation or not job.run_batch(n):
            break
    return job.finish()


def _prepare(p: Any) -> None:
    if isinstance(p.prompt, list):
        assert len(p.prompt) > 0
    else:
        assert p.prompt is not None
    seed, subseed = get_fixed_seed(p.seed), get_fixed_seed(p.subseed)
    p.restore_faces = opts.face_restoration if p.restore_faces is None else p.restore_faces
    p.tiling = opts.tiling if p.tiling is None else p.tiling
    if p.refiner_checkpoint not in (None, "", "None", "none"):
        p.refiner_checkpoint_info = sd_models.get_closet_checkpoint_match(p.refiner_checkpoint)
        if p.refiner_checkpoint_info is None:
            raise Exception(f"Could not find checkpoint with name {p.refiner_checkpoint}")
    p.sd_model_name = shared.sd_model.sd_checkpoint_info.name_for_extra
    p.sd_model_hash = shared.sd_model.sd_model_hash
    p.sd_vae_name, p.sd_vae_hash = sd_vae.get_loaded_vae_name(), sd_vae.get_loaded_vae_hash()
    p.setup_prompts()
    numbers = range(len(p.all_prompts))
    step = 1 if p.subseed_strength == 0 else 0
    p.all_seeds = seed if isinstance(seed, list) else [int(seed) + i * step for i in numbers]
    p.all_subseeds = subseed if isinstance(subseed, list) else [int(subseed) + i for i in numbers]
