"""Where the host used something else than it was asked for and went on: sentences for the run's record.

Only what the hosts do in silence is looked for; what they refuse is the run's error.
"""

from __future__ import annotations

import ntpath
import sys
from collections.abc import Iterator
from typing import Any

from modules import sd_models, sd_samplers, shared

from lib_sdpipe.hosts.used_models import (
    SAME_CHOICES, asked_loras, failed_loras, find_lora, known_modules, one_missing_stops_all, refiner_was_used, used_modules,
)
from lib_sdpipe.record.facts import Json

_NOTHING = (None, "", "None", "none")
_AUTOMATIC = ("Automatic", "auto")
_LATENT_RESIZE = 3


def read_warnings(p: Any, config: Json, prompts: bool = True) -> list[str]:
    """What a finished pass did otherwise than asked. `config` is the request; without `prompts` no name out of a prompt is told."""
    asked = {**(config.get("override_settings") or {}), **(getattr(p, "override_settings", None) or {})}
    found = [
        *_checkpoint(p, asked), *_vae(p, asked), *_modules(p, asked), *_refiner(p), *_sampler(p, config), *_hires_scheduler(p),
        *_upscaler(p, asked), *_loras(p, prompts), *_styles(p, prompts),
    ]
    return list(dict.fromkeys(found))


def _checkpoint(p: Any, asked: Json) -> Iterator[str]:
    """The host forgets an unknown one that a request names; Forge also goes on where the one in the settings is gone."""
    name, used = asked.get("sd_model_checkpoint") or shared.opts.data.get("sd_model_checkpoint"), getattr(p, "sd_model_name", None)
    if name in _NOTHING or used is None:
        return
    known = sd_models.checkpoint_aliases.get(name)
    if known is None:
        yield f"Checkpoint {name} is unknown; {used} was used."
    elif known.name_for_extra != used:
        yield f"Checkpoint {name} was asked for; {used} was used."


def _vae(p: Any, asked: Json) -> Iterator[str]:
    """Forge has the option and no use for it: there only a request that names it is told."""
    has_modules = "forge_additional_modules" in shared.opts.data
    name = asked.get("sd_vae") if has_modules else asked.get("sd_vae", shared.opts.data.get("sd_vae"))
    used = getattr(p, "sd_vae_name", None)
    if name is None or name in _AUTOMATIC or getattr(shared.cmd_opts, "vae_path", None):
        return
    if name in _NOTHING:
        if used is not None:
            yield f"No VAE was asked for; {used} was used."
    elif name != used:
        yield f"VAE {name} was asked for; {used or 'the one in the checkpoint'} was used."


def _modules(p: Any, asked: Json) -> Iterator[str]:
    names = list(asked.get("forge_additional_modules") or [])
    if getattr(p, "enable_hr", False) and isinstance(getattr(p, "hr_additional_modules", None), list):
        names += [name for name in p.hr_additional_modules if name != SAME_CHOICES]
    if not names or not known_modules():
        return
    used = {ntpath.basename(module) for module in used_modules(p)}
    for name in dict.fromkeys(ntpath.basename(str(name)) for name in names):
        if name not in used:
            yield f"VAE or text encoder {name} is unknown and was not used."


def _refiner(p: Any) -> Iterator[str]:
    name = getattr(p, "refiner_checkpoint", None)
    if name not in _NOTHING and getattr(p, "refiner_checkpoint_info", None) is not None and not refiner_was_used(p):
        yield f"Refiner {name} was asked for and never used."


def _sampler(p: Any, config: Json) -> Iterator[str]:
    """Names that the host does not have; what a script chose for this pass is no replacement."""
    sampler, scheduler = config.get("sampler_name"), config.get("scheduler")
    if not _is_sampler(sampler) and p.sampler_name != sampler:
        yield f"Sampler {sampler} is unknown; {p.sampler_name} was used."
    if not _is_scheduler(scheduler) and getattr(p, "scheduler", None) != scheduler:
        yield f"Schedule type {scheduler} is unknown; {p.scheduler} was used."


def _hires_scheduler(p: Any) -> Iterator[str]:
    """A sampler that is unknown there stops the job; a schedule type is passed over."""
    if getattr(p, "enable_hr", False) and not _is_scheduler(getattr(p, "hr_scheduler", None)):
        yield f"Schedule type {p.hr_scheduler} of hires fix is unknown; the sampler's own was used."


def _is_sampler(name: Any) -> bool:
    """Older requests have the schedule type in the sampler's name: `DPM++ 2M Karras`."""
    if not isinstance(name, str) or not name or name in sd_samplers.all_samplers_map:
        return True
    return any(name.startswith(f"{known} ") and _is_scheduler(name[len(known) + 1:]) for known in sd_samplers.all_samplers_map)


def _is_scheduler(name: Any) -> bool:
    known = getattr(sys.modules.get("modules.sd_schedulers"), "schedulers_map", None)
    return not isinstance(name, str) or not name or not known or name in known


def _upscaler(p: Any, asked: Json) -> Iterator[str]:
    """Of img2img, where the input is smaller than what is made of it; hires fix stops at an unknown one."""
    name = asked.get("upscaler_for_img2img") or shared.opts.data.get("upscaler_for_img2img")
    inputs = [picture for picture in getattr(p, "init_images", None) or [] if hasattr(picture, "size")]
    if name in _NOTHING or getattr(p, "resize_mode", None) == _LATENT_RESIZE or any(one.name == name for one in shared.sd_upscalers):
        return
    if any(picture.size[0] < p.width or picture.size[1] < p.height for picture in inputs):
        yield f"Upscaler {name} is unknown; the input picture was resized without one."


def _loras(p: Any, prompts: bool) -> Iterator[str]:
    if sys.modules.get("networks") is None:
        return
    missing = [name for name in asked_loras(p) if find_lora(name) is None]
    for name in missing if prompts else missing[:1]:
        yield f"LoRA {name} does not exist." if prompts else "A LoRA in the prompt does not exist."
    if missing and one_missing_stops_all():
        yield "No LoRA was used: the host uses none of a prompt where one does not exist."
    for name in failed_loras(p):
        yield f"LoRA {name} could not be loaded."


def _styles(p: Any, prompts: bool) -> Iterator[str]:
    known = getattr(getattr(shared, "prompt_styles", None), "styles", None)
    missing = [name for name in getattr(p, "styles", None) or [] if known is not None and name not in known and name not in _NOTHING]
    for name in missing if prompts else missing[:1]:
        yield f"Style {name} does not exist." if prompts else "A style that was asked for does not exist."
