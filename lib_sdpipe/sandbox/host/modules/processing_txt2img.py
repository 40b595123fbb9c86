"""Requests of the txt2img tab, with hires fix."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from lib_sdpipe.sandbox import renderer
from modules import extra_networks, images, sd_models, sd_samplers, shared
from modules.processed import create_infotext
from modules.processing_base import StableDiffusionProcessing, opt_f
from modules.shared import opts, state
from modules.tensors import DecodedSamples


def to_picture(array: np.ndarray) -> Image.Image:
    return Image.fromarray((np.clip(array, 0.0, 1.0) * 255).astype(np.uint8))


def to_array(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), dtype=np.float32) / 255


def _hr_prompt(p: Any, index: int, prompt_text: str, **_: Any) -> str | None:
    return p.all_hr_prompts[index] if p.all_hr_prompts[index] != prompt_text else None


def _hr_negative_prompt(p: Any, index: int, negative_prompt: str, **_: Any) -> str | None:
    return p.all_hr_negative_prompts[index] if p.all_hr_negative_prompts[index] != negative_prompt else None


@dataclass(repr=False)
class StableDiffusionProcessingTxt2Img(StableDiffusionProcessing):
    enable_hr: bool = False
    denoising_strength: float = 0.75
    firstphase_width: int = 0
    firstphase_height: int = 0
    hr_scale: float = 2.0
    hr_upscaler: str | None = None
    hr_second_pass_steps: int = 0
    hr_resize_x: int = 0
    hr_resize_y: int = 0
    hr_checkpoint_name: str | None = None
    hr_sampler_name: str | None = None
    hr_scheduler: str | None = None
    hr_prompt: Any = ""
    hr_negative_prompt: Any = ""
    force_task_id: str | None = None

    hr_checkpoint_info: Any = field(default=None, init=False)
    hr_upscale_to_x: int = field(default=0, init=False)
    hr_upscale_to_y: int = field(default=0, init=False)
    truncate_x: int = field(default=0, init=False)
    truncate_y: int = field(default=0, init=False)
    latent_scale_mode: Any = field(default=None, init=False)
    hr_c: Any = field(default=None, init=False)
    hr_uc: Any = field(default=None, init=False)
    all_hr_prompts: Any = field(default=None, init=False)
    all_hr_negative_prompts: Any = field(default=None, init=False)
    hr_prompts: Any = field(default=None, init=False)
    hr_negative_prompts: Any = field(default=None, init=False)
    hr_extra_network_data: Any = field(default=None, init=False)

    def setup_prompts(self) -> None:
        super().setup_prompts()
        if not self.enable_hr:
            return
        self.hr_prompt = self.prompt if not self.hr_prompt else self.hr_prompt
        self.hr_negative_prompt = self.negative_prompt if not self.hr_negative_prompt else self.hr_negative_prompt
        count = self.batch_size * self.n_iter
        for name in ("hr_prompt", "hr_negative_prompt"):
            value = getattr(self, name)
            setattr(self, f"all_{name}s", value if isinstance(value, list) else [value] * count)

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        if not self.enable_hr:
            return
        params = self.extra_generation_params
        assert params is not None
        params["Denoising strength"] = self.denoising_strength
        self._init_hr_checkpoint(params)
        if self.hr_sampler_name is not None and self.hr_sampler_name != self.sampler_name:
            params["Hires sampler"] = self.hr_sampler_name
        params["Hires prompt"], params["Hires negative prompt"] = _hr_prompt, _hr_negative_prompt
        params["Hires schedule type"] = None  # run_steps fills it in
        self.hr_scheduler = self.scheduler if self.hr_scheduler is None else self.hr_scheduler
        upscaler = self.hr_upscaler or shared.latent_upscale_default_mode
        self.latent_scale_mode = shared.latent_upscale_modes.get(upscaler)
        if self.latent_scale_mode is None and all(x.name != upscaler for x in shared.sd_upscalers):
            raise Exception(f"could not find upscaler named {upscaler}")
        self.calculate_target_resolution()
        if not state.processing_has_refined_job_count:
            state.job_count = 2 * (self.n_iter if state.job_count == -1 else state.job_count)
            state.processing_has_refined_job_count = True
        if self.hr_second_pass_steps:
            params["Hires steps"] = self.hr_second_pass_steps
        if self.hr_upscaler is not None:
            params["Hires upscaler"] = self.hr_upscaler

    def _init_hr_checkpoint(self, params: dict[str, Any]) -> None:
        if self.hr_checkpoint_name and self.hr_checkpoint_name != "Use same checkpoint":
            self.hr_checkpoint_info = sd_models.get_closet_checkpoint_match(self.hr_checkpoint_name)
            if self.hr_checkpoint_info is None:
                raise Exception(f"Could not find checkpoint with name {self.hr_checkpoint_name}")
            params["Hires checkpoint"] = self.hr_checkpoint_info.short_title
        if shared.is_forge():
            if isinstance(self.hr_additional_modules, list):  # type: ignore[attr-defined]
                params["Hires Module 1"] = (self.hr_additional_modules or ["Built-in"])[0]  # type: ignore[attr-defined]
            params["Hires CFG Scale"] = self.hr_cfg  # type: ignore[attr-defined]

    def calculate_target_resolution(self) -> None:
        """Sizes given on both sides are covered and the rest is cut off; one side alone keeps the proportions."""
        assert self.extra_generation_params is not None
        x, y = self.hr_resize_x, self.hr_resize_y
        if not x and not y:
            self.extra_generation_params["Hires upscale"] = self.hr_scale
            self.hr_upscale_to_x, self.hr_upscale_to_y = int(self.width * self.hr_scale), int(self.height * self.hr_scale)
            return
        self.extra_generation_params["Hires resize"] = f"{x}x{y}"
        by_width = (x, x * self.height // self.width)
        by_height = (y * self.width // self.height, y)
        take_width = not y or (x and self.width / self.height < x / y)
        self.hr_upscale_to_x, self.hr_upscale_to_y = by_width if take_width else by_height
        if x and y:
            self.truncate_x, self.truncate_y = (self.hr_upscale_to_x - x) // opt_f, (self.hr_upscale_to_y - y) // opt_f

    def parse_extra_network_prompts(self) -> None:
        super().parse_extra_network_prompts()
        if self.enable_hr:
            batch = slice(self.iteration * self.batch_size, (self.iteration + 1) * self.batch_size)
            self.hr_negative_prompts = self.all_hr_negative_prompts[batch]
            self.hr_prompts, self.hr_extra_network_data = extra_networks.parse_prompts(self.all_hr_prompts[batch])

    def sample(self, conditioning: Any, unconditional_conditioning: Any, seeds: Any, subseeds: Any,
               subseed_strength: float, prompts: Any) -> Any:
        self.sampler = sd_samplers.find_sampler_config(self.sampler_name)
        if self.firstpass_image is not None and self.enable_hr:
            samples = [to_array(self.firstpass_image)]
        else:
            noise = [None] * len(seeds)
            if self.scripts is not None:
                self.scripts.process_before_every_sampling(p=self, x=noise, noise=noise, c=conditioning,
                                                           uc=unconditional_conditioning)
            done = sd_samplers.run_steps(self, self.steps, self.sampler_name)
            width, height = self.width // opt_f * opt_f, self.height // opt_f * opt_f
            samples = sd_samplers.draw(self, width, height, prompts, self.sampler_name, self.steps, done)
            if not self.enable_hr:
                return samples
        if shared.is_forge() and "Use same choices" not in self.hr_additional_modules:  # type: ignore[attr-defined]
            pass  # as in Forge a request without hr_additional_modules fails here with a TypeError
        with sd_models.SkipWritingToConfig():
            sd_models.reload_model_weights(info=self.hr_checkpoint_info)
        return self.sample_hr_pass(samples, seeds, prompts)

    def sample_hr_pass(self, samples: list[np.ndarray], seeds: Any, prompts: Any) -> Any:
        """Enlarge the first pass and draw over it; the copies before it are saved for the whole batch first."""
        if state.interrupted:
            return samples
        self.is_hr_pass = True
        for index, sample in enumerate(samples):
            self._save_before_hr(to_picture(sample), index, seeds, prompts)
        state.nextjob()
        if not self.disable_extra_networks:
            extra_networks.activate(self, self.hr_extra_network_data)
        if self.scripts is not None:
            self.scripts.before_hr(self)
            for _ in range(2 if shared.is_forge() else 1):
                self.scripts.process_before_every_sampling(p=self, x=samples, noise=[None] * len(samples), c=None, uc=None)
        steps = self.hr_second_pass_steps or self.steps
        sampler_name = self.hr_sampler_name or self.sampler_name
        done = sd_samplers.run_steps(self, max(int(min(self.denoising_strength, 0.999) * steps), 1), sampler_name)
        width, height = self.hr_upscale_to_x // opt_f * opt_f, self.hr_upscale_to_y // opt_f * opt_f
        drawn = sd_samplers.draw(self, width, height, self.hr_prompts, sampler_name, steps, done)
        upscaler = None if self.latent_scale_mode else self.hr_upscaler
        res = DecodedSamples()
        for sample, picture in zip(samples, drawn, strict=True):
            large = images.resize_image(0, to_picture(sample), width, height, upscaler_name=upscaler)
            res.append(self._cut(renderer.blend(to_array(large), picture, self.denoising_strength)))
        self.sampler = None
        self.is_hr_pass = False
        return res

    def _cut(self, picture: np.ndarray) -> np.ndarray:
        x, y = max(self.truncate_x, 0) * opt_f, max(self.truncate_y, 0) * opt_f
        top, left = y // 2 // opt_f * opt_f, x // 2 // opt_f * opt_f
        return picture[top: picture.shape[0] - (y - top), left: picture.shape[1] - (x - left)]

    def _save_before_hr(self, image: Image.Image, index: int, seeds: Any, prompts: Any) -> None:
        if self.save_samples() and opts.save_images_before_highres_fix:
            info = create_infotext(self, self.all_prompts, self.all_seeds, self.all_subseeds, [],
                                   iteration=self.iteration, position_in_batch=index)
            images.save_image(image, self.outpath_samples, "", seeds[index], prompts[index], opts.samples_format,
                              info=info, p=self, suffix="-before-highres-fix")


FORGE_FIELDS: dict[str, Any] = {"distilled_cfg_scale": 3.5, "hr_additional_modules": None, "hr_cfg": 1.0}
_init = StableDiffusionProcessingTxt2Img.__init__


def _init_with_forge_fields(self: StableDiffusionProcessingTxt2Img, *args: Any, **kwargs: Any) -> None:
    if shared.is_forge():
        vars(self).update({k: kwargs.pop(k, default) for k, default in FORGE_FIELDS.items()})
    _init(self, *args, **kwargs)


StableDiffusionProcessingTxt2Img.__init__ = functools.wraps(_init)(_init_with_forge_fields)  # type: ignore[method-assign]
