"""What a processing object says about a pass and about one image, by the manifest's field names."""

from __future__ import annotations

import numbers
import re
from typing import Any

from modules import shared

from lib_sdpipe.hosts.plain_values import number, parse_number, plain
from lib_sdpipe.hosts.request import is_img2img
from lib_sdpipe.manifest.infotext import Infotext, parse_hashes, parse_infotext
from lib_sdpipe.record.facts import DetailerPass, ImageValues, Json, PassFacts

_SETTINGS = (
    "sampler_name", "scheduler", "steps", "cfg_scale", "distilled_cfg_scale", "width", "height", "restore_faces", "tiling", "eta",
)
_IMG2IMG_SETTINGS = ("denoising_strength", "resize_mode", "image_cfg_scale", "initial_noise_multiplier")
_INPAINT_SETTINGS = (
    "mask_blur_x", "mask_blur_y", "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "inpainting_mask_invert",
)
_HIRES = (
    "hr_scale", "hr_upscaler", "hr_second_pass_steps", "hr_resize_x", "hr_resize_y", "hr_checkpoint_name", "hr_additional_modules",
    "hr_sampler_name", "hr_scheduler", "hr_prompt", "hr_negative_prompt", "hr_cfg", "hr_distilled_cfg", "denoising_strength",
)
_DETAILER_PREFIX = "ADetailer "
_NO_CHECKPOINT = (None, "", "None", "none")


def stage_of(p: Any) -> str:
    if not is_img2img(p):
        return "txt2img"
    return "inpaint" if getattr(p, "image_mask", None) is not None else "img2img"


def read_pass(p: Any) -> PassFacts:
    """The pass that begins: options are overridden and samplers fixed, so these are the settings used."""
    settings = read_settings(p)
    hires = bool(getattr(p, "enable_hr", False))
    seed = p.seed if isinstance(p.seed, int) and p.seed != -1 else None
    return PassFacts(
        stage=stage_of(p), planned=p.batch_size * p.n_iter, settings=settings, requested_seed=seed,
        first_pass=settings if hires and getattr(p, "firstpass_image", None) is None else None,
    )


def read_settings(p: Any) -> Json:
    """This stage's settings: JSON values only, the host API's names."""
    names = _SETTINGS
    if is_img2img(p):
        names += _IMG2IMG_SETTINGS + (_INPAINT_SETTINGS if stage_of(p) == "inpaint" else ())
    settings = plain({name: getattr(p, name) for name in names if hasattr(p, name)})
    settings["styles"] = [style for style in getattr(p, "styles", None) or [] if isinstance(style, str)]
    settings["clip_skip"] = shared.opts.data.get("CLIP_stop_at_last_layers")
    modules = shared.opts.data.get("forge_additional_modules")
    if modules:
        settings["forge_additional_modules"] = [re.split(r"[\\/]", str(module))[-1] for module in modules]
    return settings


def read_image(p: Any, iteration: int, index: int, infotext: str | None) -> ImageValues:
    """One image of a pass; `iteration` and `index` in the batch as the pass tracker has them."""
    position = iteration * p.batch_size + index
    return _image_values(p, infotext, {
        "prompt": _at(getattr(p, "all_prompts", None), position),
        "negative_prompt": _at(getattr(p, "all_negative_prompts", None), position),
        "actual_seed": _integer(_at(getattr(p, "all_seeds", None), position)),
        "actual_subseed": _integer(_at(getattr(p, "all_subseeds", None), position)),
    }, iteration, index)


def read_grid(p: Any, infotext: str | None) -> ImageValues:
    """The grid of a pass: the host gives it the main prompt and the first seed."""
    return _image_values(p, infotext, {
        "prompt": getattr(p, "main_prompt", None),
        "negative_prompt": getattr(p, "main_negative_prompt", None),
        "actual_seed": _integer(_at(getattr(p, "all_seeds", None), 0)),
        "actual_subseed": _integer(_at(getattr(p, "all_subseeds", None), 0)),
    }, None, None)


def read_detailer_pass(p: Any, duration_ms: int) -> DetailerPass:
    """One finished inner pass of ADetailer."""
    seed = _at(getattr(p, "all_seeds", None), 0)
    return DetailerPass({**read_settings(p), "prompt": p.prompt, "negative_prompt": p.negative_prompt}, _integer(seed), duration_ms)


def read_script_picture(p: Any, infotext: str | None) -> ImageValues:
    """What a script saves after its passes. `p` may be the host's result object; its own text, if it has one, says the rest."""
    text = parse_infotext(infotext or "")
    prompts = [getattr(p, name, None) for name in ("prompt_for_display", "prompt")]
    return _image_values(p, infotext, {
        "prompt": text.prompt if infotext else next((prompt for prompt in prompts if isinstance(prompt, str)), None),
        "negative_prompt": text.negative_prompt if infotext else _text(getattr(p, "negative_prompt", None)),
        "actual_seed": text.seed if text.seed is not None else _integer(_at(getattr(p, "all_seeds", None), 0)),
        "actual_subseed": text.integer("Variation seed"),
    }, None, None)


def read_upscaled(source: Infotext, infotext: str) -> ImageValues:
    """An image of the Extras tab: of what it shows we know what the source's own text says. `infotext` is the new one's."""
    concluded = {
        "prompt": source.prompt or None, "negative_prompt": source.negative_prompt or None, "actual_seed": source.seed,
        "actual_subseed": source.integer("Variation seed"), "model": source.parameters.get("Model"),
        "model_hash": source.parameters.get("Model hash"),
    }
    known = {key: value for key, value in concluded.items() if value is not None}
    return ImageValues(None, None, None, None, {**known, "infotext": infotext, "inferred": sorted(known)})


def _image_values(p: Any, infotext: str | None, own: Json, iteration: int | None, index: int | None) -> ImageValues:
    extra = getattr(p, "extra_generation_params", None) or {}
    values = {
        **own,
        "model": getattr(p, "sd_model_name", None),
        "model_hash": getattr(p, "sd_model_hash", None),
        "vae": getattr(p, "sd_vae_name", None),
        "vae_hash": getattr(p, "sd_vae_hash", None),
        "loras": _loras(p, parse_hashes(_text(extra.get("Lora hashes")))),
        "embeddings": _embeddings(extra),
        "subseed_strength": number(getattr(p, "subseed_strength", None)),
        "refiner": _refiner(p),
        "hires": _hires(p),
        "adetailer": _detailer(extra),
        "infotext": _text(infotext),
    }
    return ImageValues(index, getattr(p, "batch_size", None), iteration, getattr(p, "n_iter", None), values)


def _loras(p: Any, hashes: dict[str, str]) -> list[Json]:
    """Names and weights as the prompt has them: `<lora:name:weight>`, `<lora:name:te:unet>` or with names."""
    found = []
    for params in (getattr(p, "extra_network_data", None) or {}).get("lora", []):
        positional, named = list(getattr(params, "positional", [])), dict(getattr(params, "named", {}))
        if not positional:
            continue
        text_encoder = named.get("te", positional[1] if len(positional) > 1 else "1")
        unet = named.get("unet", positional[2] if len(positional) > 2 else text_encoder)
        found.append({
            "name": positional[0], "weight": parse_number(text_encoder),
            "unet_weight": parse_number(unet), "hash": hashes.get(positional[0]),
        })
    return found


def _embeddings(extra: dict[str, Any]) -> list[Json]:
    """A1111 writes names with hashes (`TI hashes`), Forge names alone (`TI`)."""
    hashed = parse_hashes(_text(extra.get("TI hashes")))
    names = [name.strip() for name in (_text(extra.get("TI")) or "").split(",") if name.strip()]
    return [{"name": name, "hash": hashed.get(name)} for name in dict.fromkeys([*hashed, *names])]


def _refiner(p: Any) -> Json | None:
    checkpoint = getattr(p, "refiner_checkpoint", None)
    if checkpoint in _NO_CHECKPOINT:
        return None
    return plain({"refiner_checkpoint": checkpoint, "refiner_switch_at": getattr(p, "refiner_switch_at", None)})


def _hires(p: Any) -> Json | None:
    if not getattr(p, "enable_hr", False):
        return None
    target = {"width": getattr(p, "hr_upscale_to_x", None), "height": getattr(p, "hr_upscale_to_y", None)}
    return plain({**{name: getattr(p, name) for name in _HIRES if hasattr(p, name)}, **target})


def _detailer(extra: dict[str, Any]) -> Json | None:
    """ADetailer's settings as it writes them to the infotext, without its prefix: `model`, `model_2nd` ..."""
    found = {
        key[len(_DETAILER_PREFIX):].replace(" ", "_"): value
        for key, value in extra.items() if isinstance(key, str) and key.startswith(_DETAILER_PREFIX)
    }
    return plain(found) or None


def _at(values: Any, index: int) -> Any:
    return values[index] if isinstance(values, (list, tuple)) and 0 <= index < len(values) else None


def _integer(value: Any) -> int | None:
    """Whole numbers of any kind, numpy's too."""
    if isinstance(value, numbers.Integral):
        return int(value)
    return int(value) if isinstance(value, float) and value.is_integer() else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
