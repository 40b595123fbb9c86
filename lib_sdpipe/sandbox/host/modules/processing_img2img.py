"""Requests of the img2img tab, with inpainting."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from lib_sdpipe.sandbox import renderer
from modules import images, masking, scripts, sd_samplers
from modules.processing_base import StableDiffusionProcessing, opt_f
from modules.processing_txt2img import to_array
from modules.shared import opts


def create_binary_mask(image: Image.Image, round: bool = True) -> Image.Image:
    """The alpha of a drawn mask if it has any, else its brightness."""
    if image.mode == "RGBA" and image.getextrema()[-1] != (255, 255):
        alpha = image.getchannel("A")
        return alpha.point(lambda x: 255 if x > 128 else 0) if round else alpha
    return image.convert("L")


@dataclass(repr=False)
class StableDiffusionProcessingImg2Img(StableDiffusionProcessing):
    init_images: list[Any] | None = None
    resize_mode: int = 0
    denoising_strength: float = 0.75
    image_cfg_scale: float | None = None
    mask: Any = None
    mask_blur_x: int = 4
    mask_blur_y: int = 4
    mask_blur: Any = None
    mask_round: bool = True
    inpainting_fill: int = 0
    inpaint_full_res: bool = True
    inpaint_full_res_padding: int = 0
    inpainting_mask_invert: int = 0
    initial_noise_multiplier: float | None = None
    latent_mask: Any = None
    force_task_id: str | None = None

    image_mask: Any = field(default=None, init=False)
    nmask: Any = field(default=None, init=False)
    image_conditioning: Any = field(default=None, init=False)
    init_img_hash: str | None = field(default=None, init=False)
    mask_for_overlay: Any = field(default=None, init=False)
    init_latent: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.image_mask, self.mask = self.mask, None
        if self.initial_noise_multiplier is None:
            self.initial_noise_multiplier = opts.initial_noise_multiplier

    def init(self, all_prompts: Any, all_seeds: Any, all_subseeds: Any) -> None:
        params = self.extra_generation_params
        assert params is not None and self.init_images is not None
        params["Denoising strength"] = self.denoising_strength
        self.image_cfg_scale = None
        self.sampler = sd_samplers.find_sampler_config(self.sampler_name)
        mask, crop = self._prepare_mask(params)
        correct = opts.img2img_color_correction and self.color_corrections is None
        if correct:
            self.color_corrections = []
        prepared = []
        for img in self.init_images:
            image = self._prepare_init_image(img, mask, crop, params)
            if correct:
                self.color_corrections.append(color_of(image))
            prepared.append(to_array(image))
        self._spread_over_batch(prepared)
        if mask is not None:
            latent = self.latent_mask if self.latent_mask is not None else mask
            latent = np.asarray(latent.convert("L").resize((self.width, self.height)), dtype=np.float32) / 255
            self.nmask = (np.around(latent) if self.mask_round else latent)[..., None]
            self.mask = 1.0 - self.nmask
            if self.inpainting_fill in (2, 3):
                params["Masked content"] = "latent noise" if self.inpainting_fill == 2 else "latent nothing"
                fill = 0.5 if self.inpainting_fill == 2 else 0.0
                self.init_latent = [x * self.mask + fill * self.nmask for x in self.init_latent]

    def _spread_over_batch(self, prepared: list[np.ndarray]) -> None:
        if len(prepared) == 1:
            self.init_latent = prepared * self.batch_size
            if self.overlay_images is not None:
                self.overlay_images = self.overlay_images * self.batch_size
            if self.color_corrections is not None and len(self.color_corrections) == 1:
                self.color_corrections = self.color_corrections * self.batch_size
        elif len(prepared) <= self.batch_size:
            self.batch_size, self.init_latent = len(prepared), prepared
        else:
            raise RuntimeError(f"{len(prepared)} input images for a batch of {self.batch_size}")

    def _prepare_mask(self, params: dict[str, Any]) -> tuple[Image.Image | None, masking.Box | None]:
        """The mask in the size of the request, and the region that alone is drawn ("only masked")."""
        if self.image_mask is None:
            return None, None
        mask = create_binary_mask(self.image_mask, round=self.mask_round)
        if self.inpainting_mask_invert:
            mask = ImageOps.invert(mask)
            params["Mask mode"] = "Inpaint not masked"
        if self.mask_blur_x > 0 or self.mask_blur_y > 0:
            mask = mask.filter(ImageFilter.GaussianBlur(max(self.mask_blur_x, self.mask_blur_y)))
            params["Mask blur"] = self.mask_blur
        self.overlay_images = []
        if not self.inpaint_full_res:
            mask = images.resize_image(self.resize_mode, mask, self.width, self.height).convert("L")
            self.mask_for_overlay = mask.point(lambda x: min(x * 2, 255))
            return mask, None
        self.mask_for_overlay = mask
        region = masking.get_crop_region_v2(mask, self.inpaint_full_res_padding)
        if region is None:  # nothing masked: an ordinary img2img
            self.mask_for_overlay, self.inpaint_full_res = None, False
            return None, None
        region = masking.expand_crop_region(region, self.width, self.height, mask.width, mask.height)
        x1, y1, x2, y2 = region
        self.paste_to = (x1, y1, x2 - x1, y2 - y1)
        params["Inpaint area"] = "Only masked"
        params["Masked area padding"] = self.inpaint_full_res_padding
        return images.resize_image(2, mask.crop(region), self.width, self.height).convert("L"), region

    def _prepare_init_image(self, img: Image.Image, mask: Image.Image | None, crop: masking.Box | None,
                            params: dict[str, Any]) -> Image.Image:
        if opts.save_init_img:
            self.init_img_hash = hashlib.md5(img.tobytes()).hexdigest()
            images.save_image(img, path=opts.outdir_init_images, basename=None, forced_filename=self.init_img_hash,
                              save_to_dirs=False, existing_info=img.info)
        image = images.flatten(img, opts.img2img_background_color)
        if crop is None:
            image = images.resize_image(0 if self.resize_mode == 3 else self.resize_mode, image, self.width, self.height)
        if mask is None:
            return image
        if self.mask_for_overlay.size != image.size:
            resized = images.resize_image(self.resize_mode, self.mask_for_overlay, image.width, image.height)
            self.mask_for_overlay = resized.convert("L")
        kept = image.convert("RGBA")
        kept.putalpha(ImageOps.invert(self.mask_for_overlay.convert("L")))
        assert self.overlay_images is not None
        self.overlay_images.append(kept)
        if crop is not None:
            image = images.resize_image(2, image.crop(crop), self.width, self.height)
        if self.inpainting_fill != 1:
            image = masking.fill(image, self.latent_mask if self.latent_mask is not None else mask)
            if self.inpainting_fill == 0:
                params["Masked content"] = "fill"
        return image

    def sample(self, conditioning: Any, unconditional_conditioning: Any, seeds: Any, subseeds: Any,
               subseed_strength: float, prompts: Any) -> Any:
        noise = [None] * len(seeds)
        assert self.extra_generation_params is not None
        if self.initial_noise_multiplier != 1.0:
            self.extra_generation_params["Noise multiplier"] = self.initial_noise_multiplier
        if self.scripts is not None:
            self.scripts.process_before_every_sampling(p=self, x=self.init_latent, noise=noise, c=conditioning,
                                                       uc=unconditional_conditioning)
        steps = int(min(self.denoising_strength, 0.999) * self.steps) + 1
        done = sd_samplers.run_steps(self, steps, self.sampler_name)
        width, height = self.width // opt_f * opt_f, self.height // opt_f * opt_f
        inits = [x[:height, :width] for x in self.init_latent]
        if getattr(self, "_ad_inner", False):  # a detailer's pass makes its region finer instead of drawing anew
            samples = [renderer.refine(x, int(seed), self.denoising_strength) for x, seed in zip(inits, seeds, strict=False)]
        else:
            drawn = sd_samplers.draw(self, width, height, prompts, self.sampler_name, self.steps, done)
            samples = [renderer.blend(x, new, self.denoising_strength) for x, new in zip(inits, drawn, strict=False)]
        return samples if self.mask is None else self._inside_mask(samples, inits)

    def _inside_mask(self, samples: list[np.ndarray], inits: list[np.ndarray]) -> Any:
        height, width = inits[0].shape[:2]
        new, old = self.nmask[:height, :width], self.mask[:height, :width]
        blended = [sample * new + init * old for sample, init in zip(samples, inits, strict=False)]
        if self.scripts is None:
            return blended
        args = scripts.MaskBlendArgs(samples, new, inits, old, blended)
        self.scripts.on_mask_blend(self, args)
        return args.blended_latent


def _get_mask_blur(self: StableDiffusionProcessingImg2Img) -> int | None:
    return self.mask_blur_x if self.mask_blur_x == self.mask_blur_y else None


def _set_mask_blur(self: StableDiffusionProcessingImg2Img, value: Any) -> None:
    if isinstance(value, int):
        self.mask_blur_x = self.mask_blur_y = value


StableDiffusionProcessingImg2Img.mask_blur = property(_get_mask_blur, _set_mask_blur)


def color_of(image: Image.Image) -> np.ndarray:
    """Mean and spread of each channel, for colour correction."""
    array = to_array(image)
    return np.stack([array.mean(axis=(0, 1)), array.std(axis=(0, 1)) + 1e-3])


def apply_color_correction(correction: np.ndarray, image: Image.Image) -> Image.Image:
    own = color_of(image)
    array = (to_array(image) - own[0]) / own[1] * correction[1] + correction[0]
    return Image.fromarray((np.clip(array, 0, 1) * 255).astype(np.uint8))
