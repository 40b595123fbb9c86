"""What an image's infotext says, in manifest shape: for images that nobody recorded."""

from __future__ import annotations

import re
from typing import Any

from lib_sdpipe.manifest.infotext import Infotext, parse_hashes
from lib_sdpipe.manifest.loose_json import integer_of, number_of, without_unknown

Json = dict[str, Any]

_DETAILER_PREFIX = "ADetailer "
_LORA = re.compile(r"<lora:([^:<>]{1,300})(?::([^:<>]{0,40}))?(?::([^:<>]{0,40}))?>")
_OF_INPAINTING = ("Mask blur", "Masked content", "Inpaint area", "Masked area padding")
_SIZE = re.compile(r"(\d{1,6})x(\d{1,6})", re.ASCII)
# config of a manifest: the infotext's key, and how its value is read.
_CONFIG: dict[str, tuple[str, Any]] = {
    "sampler_name": ("Sampler", str), "scheduler": ("Schedule type", str), "steps": ("Steps", integer_of),
    "cfg_scale": ("CFG scale", number_of), "distilled_cfg_scale": ("Distilled CFG Scale", number_of),
    "denoising_strength": ("Denoising strength", number_of), "clip_skip": ("Clip skip", integer_of),
    "mask_blur": ("Mask blur", number_of),
}
_HIRES: dict[str, tuple[str, Any]] = {
    "hr_scale": ("Hires upscale", number_of), "hr_upscaler": ("Hires upscaler", str),
    "hr_second_pass_steps": ("Hires steps", integer_of), "hr_resize": ("Hires resize", str),
    "hr_prompt": ("Hires prompt", str), "hr_negative_prompt": ("Hires negative prompt", str),
    "hr_sampler_name": ("Hires sampler", str), "hr_scheduler": ("Hires schedule type", str),
    "hr_checkpoint_name": ("Hires checkpoint", str),
}
_REFINER: dict[str, tuple[str, Any]] = {
    "refiner_checkpoint": ("Refiner", str), "refiner_switch_at": ("Refiner switch at", number_of),
}


def build_from_infotext(infotext: Infotext, text: str | None = None) -> Json:
    """The fields of a manifest that the infotext answers; the others are left out. `text`: the raw one, else as it was read."""
    parameters = infotext.parameters
    hires = _read(parameters, _HIRES)
    detailer = {
        key[len(_DETAILER_PREFIX):].replace(" ", "_"): value for key, value in parameters.items() if key.startswith(_DETAILER_PREFIX)
    }
    return without_unknown({
        "run_id": infotext.run_id,
        "prompt": infotext.prompt or None,
        "negative_prompt": infotext.negative_prompt or None,
        "config": {**_read(parameters, _CONFIG), **_size(parameters.get("Size", ""))},
        "model": parameters.get("Model"),
        "model_hash": parameters.get("Model hash"),
        "vae": parameters.get("VAE"),
        "vae_hash": parameters.get("VAE hash"),
        "loras": _loras(infotext),
        "embeddings": _embeddings(parameters),
        "actual_seed": infotext.seed if (infotext.seed or 0) >= 0 else None,
        "actual_subseed": infotext.integer("Variation seed"),
        "subseed_strength": number_of(parameters.get("Variation seed strength")),
        "refiner": _read(parameters, _REFINER),
        "hires": hires,
        "adetailer": detailer,
        "infotext": text or infotext.written or None,
    })


def guess_stage(infotext: Infotext) -> str | None:
    """What the parameters leave no doubt of; None where they are none of a host's."""
    parameters = infotext.parameters
    if "Steps" not in parameters:
        return None
    if any(key in parameters for key in _OF_INPAINTING):
        return "inpaint"
    is_hires = any(key.startswith("Hires") for key in parameters)
    return "img2img" if "Denoising strength" in parameters and not is_hires else "txt2img"


def _read(parameters: dict[str, str], keys: dict[str, tuple[str, Any]]) -> Json:
    return without_unknown({name: read(parameters[key]) for name, (key, read) in keys.items() if key in parameters})


def _size(text: str) -> Json:
    match = _SIZE.fullmatch(text)
    return {"width": int(match.group(1)), "height": int(match.group(2))} if match else {}


def _loras(infotext: Infotext) -> list[Json]:
    """Names and weights from the prompt's tags, hashes from the host's list; a LoRA that only the list names counts too."""
    hashes = parse_hashes(infotext.parameters.get("Lora hashes"))
    found: dict[str, Json] = {}
    for name, text_encoder, unet in _LORA.findall(infotext.prompt):
        weight = number_of(text_encoder or "1")
        found[name] = {"name": name, "weight": weight, "unet_weight": number_of(unet) if unet else weight, "hash": hashes.get(name)}
    unnamed = ({"name": name, "weight": None, "unet_weight": None, "hash": hashes[name]} for name in hashes if name not in found)
    return [*found.values(), *unnamed]


def _embeddings(parameters: dict[str, str]) -> list[Json]:
    """A1111 writes names with hashes, Forge names alone."""
    hashed = parse_hashes(parameters.get("TI hashes"))
    names = (name.strip() for name in parameters.get("TI", "").split(","))
    return [{"name": name, "hash": hashed.get(name)} for name in dict.fromkeys([*hashed, *filter(None, names)])]
