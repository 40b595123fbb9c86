"""The host's samplers by name, and the sampling itself: steps that look at the stop flags, then our renderer."""

from __future__ import annotations

import time
from collections import namedtuple
from typing import Any

import numpy as np

from lib_sdpipe.sandbox import renderer
from modules import sd_models, sd_schedulers, shared

SamplerData = namedtuple("SamplerData", ["name", "constructor", "aliases", "options"])

_TABLE: tuple[tuple[str, str, str | None], ...] = (
    ("DPM++ 2M", "k_dpmpp_2m", "karras"), ("DPM++ SDE", "k_dpmpp_sde", "karras"),
    ("DPM++ 2M SDE", "k_dpmpp_2m_sde", "exponential"), ("DPM++ 2M SDE Heun", "k_dpmpp_2m_sde_heun", "exponential"),
    ("DPM++ 2S a", "k_dpmpp_2s_a", "karras"), ("DPM++ 3M SDE", "k_dpmpp_3m_sde", "exponential"),
    ("Euler a", "k_euler_a", None), ("Euler", "k_euler", None), ("LMS", "k_lms", None), ("Heun", "k_heun", None),
    ("DPM2", "k_dpm_2", "karras"), ("DPM2 a", "k_dpm_2_a", "karras"), ("DPM fast", "k_dpm_fast", None),
    ("DPM adaptive", "k_dpm_ad", None), ("Restart", "restart", "karras"), ("DDIM", "ddim", None), ("DDIM CFG++", "ddim_cfgpp", None),
    ("PLMS", "plms", None), ("UniPC", "unipc", None), ("LCM", "k_lcm", None),
)
all_samplers = [SamplerData(name, None, [alias], {"scheduler": default} if default else {})
                for name, alias, default in _TABLE]
all_samplers_map = {x.name: x for x in all_samplers}
samplers = samplers_for_img2img = all_samplers
samplers_map = {key.lower(): x.name for x in all_samplers for key in (x.name, *x.aliases)}


def visible_samplers() -> list[SamplerData]:
    return list(samplers)


def visible_sampler_names() -> list[str]:
    return [x.name for x in samplers]


def find_sampler_config(name: str | None) -> SamplerData | None:
    return all_samplers[0] if name is None else all_samplers_map.get(name)


def get_sampler_and_scheduler(sampler_name: str | None, scheduler_name: str | None, *,
                              convert_automatic: bool = True) -> tuple[str, str]:
    """Split an old name ("DPM++ 2M Karras"); an unknown sampler silently becomes the first one, as in the host."""
    automatic = sd_schedulers.schedulers[0]
    scheduler = sd_schedulers.schedulers_map.get(scheduler_name, automatic)
    name = sampler_name or samplers[0].name
    endings = {f" {x}": s for s in sd_schedulers.schedulers for x in (s.label, s.name, *(s.aliases or []))}
    for ending, named in endings.items():
        if name.endswith(ending):
            name, scheduler = name.removesuffix(ending), named
    sampler = all_samplers_map.get(name, samplers[0])
    is_default = sampler.options.get("scheduler") == scheduler.name
    return sampler.name, (automatic if convert_automatic and is_default else scheduler).label


def get_sampler_from_infotext(d: dict[str, Any]) -> str:
    return get_sampler_and_scheduler(d.get("Sampler"), d.get("Schedule type"))[0]


def get_scheduler_from_infotext(d: dict[str, Any]) -> str:
    return get_sampler_and_scheduler(d.get("Sampler"), d.get("Schedule type"))[1]


def fix_p_invalid_sampler_and_scheduler(p: Any) -> None:
    p.sampler_name, p.scheduler = get_sampler_and_scheduler(p.sampler_name, p.scheduler, convert_automatic=False)


def _note_schedule(p: Any, sampler_name: str) -> None:
    """Write the schedule that "Automatic" turned out to be into the infotext."""
    name = (p.hr_scheduler if p.is_hr_pass else p.scheduler) or "Automatic"
    config = find_sampler_config(sampler_name)
    assert config is not None, f"bad sampler name: {sampler_name}"
    if name == "Automatic":
        name = config.options.get("scheduler")
    scheduler = sd_schedulers.schedulers_map.get(name)
    if scheduler is None or scheduler.name == "automatic":
        return
    if not p.is_hr_pass:
        p.extra_generation_params["Schedule type"] = scheduler.label
    elif scheduler.label != p.extra_generation_params.get("Schedule type"):
        p.extra_generation_params["Hires schedule type"] = scheduler.label


def _maybe_refine(p: Any, done: float) -> None:
    info = p.refiner_checkpoint_info
    if info is None or shared.sd_model.sd_checkpoint_info is info:
        return
    if p.refiner_switch_at is not None and done < p.refiner_switch_at:
        return
    p.extra_generation_params["Refiner"] = info.short_title
    p.extra_generation_params["Refiner switch at"] = p.refiner_switch_at
    with sd_models.SkipWritingToConfig():
        sd_models.reload_model_weights(info=info)


def run_steps(p: Any, steps: int, sampler_name: str) -> float:
    """Go through the steps; return how far they came before an interruption or a skip (1 = all)."""
    _note_schedule(p, sampler_name)
    state = shared.state
    state.sampling_steps, state.sampling_step = steps, 0
    for step in range(steps):
        if state.interrupted or state.skipped:
            return step / steps
        _maybe_refine(p, step / steps)
        state.sampling_step = step
        if shared.cmd_opts.sandbox_step_ms > 0:
            time.sleep(shared.cmd_opts.sandbox_step_ms / 1000)
    state.sampling_step = steps
    return 1.0


def scenes(p: Any, prompts: list[str], sampler_name: str, steps: int) -> list[renderer.Scene]:
    """One scene for each image of the batch. Everything that changes a picture in a host is part of it."""
    networks = sorted(":".join(map(str, x.items)) for xs in (p.extra_network_data or {}).values() for x in xs)
    detail = (sampler_name, steps, p.cfg_scale, shared.sd_model.sd_checkpoint_info.sha256, *networks)
    resized = [p.seed_resize_from_w, p.seed_resize_from_h]
    return [
        renderer.Scene(prompt=prompt, negative_prompt=negative, seed=int(seed), subseed=int(subseed),
                       subseed_strength=p.subseed_strength, detail=repr(detail) + (repr(resized) if min(resized) > 0 else ""))
        for prompt, negative, seed, subseed in zip(prompts, p.negative_prompts, p.seeds, p.subseeds, strict=False)
    ]


def draw(p: Any, width: int, height: int, prompts: list[str], sampler_name: str, steps: int,
         done: float) -> list[np.ndarray]:
    return [renderer.unfinished(renderer.draw(x, width, height), x.seed, done)
            for x in scenes(p, prompts, sampler_name, steps)]
