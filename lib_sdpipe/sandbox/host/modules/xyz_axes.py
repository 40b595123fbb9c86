"""The axes of X/Y/Z plot, in the host's order (the API names them by number), and the reading of their values."""

from __future__ import annotations

import re
from csv import reader, writer
from io import StringIO
from itertools import permutations
from typing import Any

import numpy as np

from modules import sd_models, sd_samplers, sd_schedulers, sd_vae, shared
from modules.shared import opts

_SPAN = re.compile(r"\s*([+-]?\s*\d+(?:\.\d*)?)\s*-\s*([+-]?\s*\d+(?:\.\d*)?)"
                   r"(?:\s*\(([+-]\d+(?:\.\d*)?)\s*\)|\s*\[(\d+)\s*\])?\s*")


def _rounded(p: Any, opt: Any, x: Any) -> Any:
    return round(x, 8) if isinstance(x, float) else x


def _labelled(p: Any, opt: Any, x: Any) -> str:
    return f"{opt.label}: {_rounded(p, opt, x)}"


class AxisOption:
    """`is_img2img` is None for axes that both tabs have."""

    def __init__(self, label: str, type: Any, apply: Any, format_value: Any = _labelled, confirm: Any = None, cost: float = 0.0,
                 choices: Any = None, is_img2img: bool | None = None) -> None:
        self.label, self.type, self.apply, self.format_value = label, type, apply, format_value
        self.confirm, self.cost, self.choices, self.is_img2img = confirm, cost, choices, is_img2img


def field(name: str) -> Any:
    return lambda p, x, xs: setattr(p, name, x)


def override(name: str, convert: Any = lambda x: x) -> Any:
    return lambda p, x, xs: p.override_settings.__setitem__(name, convert(x))


def apply_prompt(p: Any, x: Any, xs: Any) -> None:
    if xs[0] not in p.prompt and xs[0] not in p.negative_prompt:
        raise RuntimeError(f"Prompt S/R did not find {xs[0]} in prompt or negative prompt.")
    p.prompt, p.negative_prompt = p.prompt.replace(xs[0], x), p.negative_prompt.replace(xs[0], x)


def apply_order(p: Any, x: Any, xs: Any) -> None:
    """Each token goes where another of them was."""
    places = re.split("|".join(re.escape(t) for t in sorted(x, key=len, reverse=True)), p.prompt, maxsplit=len(x))
    p.prompt = "".join(part + token for part, token in zip(places, (*x, ""), strict=False))


def apply_checkpoint(p: Any, x: Any, xs: Any) -> None:
    info = sd_models.get_closet_checkpoint_match(x)
    if info is None:
        raise RuntimeError(f"Unknown checkpoint: {x}")
    p.override_settings["sd_model_checkpoint"] = info.name


def apply_size(p: Any, x: Any, xs: Any) -> None:
    width, _, height = x.partition("x")
    p.width, p.height = int(width), int(height)


def apply_styles(p: Any, x: Any, xs: Any) -> None:
    p.styles.extend(x.split(","))


def known(find: Any, what: str, *also: Any) -> Any:
    def confirm(p: Any, xs: Any) -> None:
        for x in xs:
            if x not in also and not find(x):
                raise RuntimeError(f"Unknown {what}: {x}")

    return confirm


def permutation(x: Any) -> Any:
    """The type of an axis that takes every order of its values."""
    return x


def checkpoints() -> list[str]:
    return sorted(sd_models.checkpoints_list, key=str.casefold)


def samplers() -> list[str]:
    return [x.name for x in sd_samplers.samplers if x.name not in opts.hide_samplers]


def is_true(x: str) -> bool:
    return x.lower() == "true"


def booleans() -> list[str]:
    return ["False", "True"]


def build() -> list[AxisOption]:
    """All axes; what Forge has besides is decided anew at each start."""
    known_sampler = known(lambda x: x.lower() in sd_samplers.samplers_map, "sampler")
    find_checkpoint = sd_models.get_closet_checkpoint_match
    forge = [AxisOption("Distilled CFG Scale", float, field("distilled_cfg_scale"))] if shared.is_forge() else []
    return [
        AxisOption("Nothing", str, lambda p, x, xs: None, format_value=lambda p, opt, x: ""),
        AxisOption("Seed", int, field("seed")),
        AxisOption("Var. seed", int, field("subseed")),
        AxisOption("Var. strength", float, field("subseed_strength")),
        AxisOption("Steps", int, field("steps")),
        AxisOption("Hires steps", int, field("hr_second_pass_steps"), is_img2img=False),
        AxisOption("CFG Scale", float, field("cfg_scale")),
        *forge,
        AxisOption("Image CFG Scale", float, field("image_cfg_scale"), is_img2img=True),
        AxisOption("Prompt S/R", str, apply_prompt, format_value=_rounded),
        AxisOption("Prompt order", permutation, apply_order, format_value=lambda p, opt, x: ", ".join(x)),
        AxisOption("Sampler", str, field("sampler_name"), _rounded, known_sampler, choices=samplers, is_img2img=False),
        AxisOption("Hires sampler", str, field("hr_sampler_name"), confirm=known_sampler, choices=samplers, is_img2img=False),
        AxisOption("Sampler", str, field("sampler_name"), _rounded, known_sampler, choices=samplers, is_img2img=True),
        AxisOption("Checkpoint name", str, apply_checkpoint, lambda p, opt, x: x,
                   known(find_checkpoint, "checkpoint"), 1.0, checkpoints),
        AxisOption("Negative Guidance minimum sigma", float, field("s_min_uncond")),
        AxisOption("Sigma Churn", float, field("s_churn")),
        AxisOption("Sigma min", float, field("s_tmin")),
        AxisOption("Sigma max", float, field("s_tmax")),
        AxisOption("Sigma noise", float, field("s_noise")),
        AxisOption("Schedule type", str, field("scheduler"), choices=lambda: [x.label for x in sd_schedulers.schedulers]),
        AxisOption("Schedule min sigma", float, override("sigma_min")),
        AxisOption("Schedule max sigma", float, override("sigma_max")),
        AxisOption("Schedule rho", float, override("rho")),
        AxisOption("Beta schedule alpha", float, override("beta_dist_alpha")),
        AxisOption("Beta schedule beta", float, override("beta_dist_beta")),
        AxisOption("Eta", float, field("eta")),
        AxisOption("Clip skip", int, override("CLIP_stop_at_last_layers")),
        AxisOption("Denoising", float, field("denoising_strength")),
        AxisOption("Initial noise multiplier", float, field("initial_noise_multiplier")),
        AxisOption("Extra noise", float, override("img2img_extra_noise")),
        AxisOption("Hires upscaler", str, field("hr_upscaler"), is_img2img=False,
                   choices=lambda: [*shared.latent_upscale_modes, *(x.name for x in shared.sd_upscalers)]),
        AxisOption("Cond. Image Mask Weight", float, field("inpainting_mask_weight"), is_img2img=True),
        AxisOption("VAE", str, override("sd_vae"), cost=0.7, choices=lambda: ["Automatic", "None", *sd_vae.vae_dict]),
        AxisOption("Styles", str, apply_styles, choices=lambda: list(shared.prompt_styles.styles)),
        AxisOption("UniPC Order", int, lambda p, x, xs: override("uni_pc_order")(p, min(x, p.steps - 1), xs), cost=0.5),
        AxisOption("Face restore", str, field("restore_faces"), format_value=_rounded),
        AxisOption("Token merging ratio", float, override("token_merging_ratio")),
        AxisOption("Token merging ratio high-res", float, override("token_merging_ratio_hr")),
        AxisOption("Always discard next-to-last sigma", str, override("always_discard_next_to_last_sigma", is_true), choices=booleans),
        AxisOption("SGM noise multiplier", str, override("sgm_noise_multiplier", is_true), choices=booleans),
        AxisOption("Refiner checkpoint", str, field("refiner_checkpoint"), lambda p, opt, x: x,
                   known(find_checkpoint, "checkpoint", None, "", "None", "none"), 1.0,
                   lambda: ["None", *checkpoints()]),
        AxisOption("Refiner switch at", float, field("refiner_switch_at")),
        AxisOption("RNG source", str, override("randn_source"), choices=lambda: ["GPU", "CPU", "NV"]),
        AxisOption("FP8 mode", str, override("fp8_storage"), cost=0.9, choices=lambda: ["Disable", "Enable for SDXL", "Enable"]),
        AxisOption("Size", str, apply_size),
    ]


def split_values(text: str) -> list[str]:
    return [x.strip() for row in reader(StringIO(text), skipinitialspace=True) for x in row]


def join_values(values: Any) -> str:
    out = StringIO()
    writer(out).writerow(values)
    return out.getvalue().strip()


def read_values(opt: AxisOption, texts: Any) -> list[Any]:
    """Numbers may be spans: `1-5`, `1-10 (+2)`, `1-10 [5]`."""
    if opt.type in (int, float):
        texts = [y for x in texts if x.strip() for y in _span(opt.type, x)]
    elif opt.type is permutation:
        texts = list(permutations(texts))
    return [opt.type(x) for x in texts]


def _span(kind: Any, text: str) -> list[Any]:
    match = _SPAN.fullmatch(text)
    if match is None:
        return [text]
    start, end, step, count = match.groups()
    if count is not None:
        return [kind(x) for x in np.linspace(start=kind(start), stop=kind(end), num=int(count)).tolist()]
    by = kind(step) if step is not None else kind(1)
    return list(range(int(start), int(end) + 1, by)) if kind is int else np.arange(float(start), float(end) + by, by).tolist()
