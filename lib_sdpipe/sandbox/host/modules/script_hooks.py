"""What the hooks of a script are given to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


class MaskBlendArgs:
    def __init__(self, current_latent: Any, nmask: Any, init_latent: Any, mask: Any, blended_latent: Any,
                 denoiser: Any = None, sigma: Any = None) -> None:
        self.current_latent, self.nmask = current_latent, nmask
        self.init_latent, self.mask, self.blended_latent = init_latent, mask, blended_latent
        self.denoiser, self.sigma, self.is_final_blend = denoiser, sigma, denoiser is None


class PostSampleArgs:
    def __init__(self, samples: Any) -> None:
        self.samples = samples


class PostprocessImageArgs:
    """`index` (place in the whole job) exists in Forge only; in A1111 it is not set at all."""

    def __init__(self, image: Any, index: int | None = None) -> None:
        self.image = image
        if index is not None:
            self.index = index


class PostProcessMaskOverlayArgs:
    def __init__(self, index: int, mask_for_overlay: Any, overlay_image: Any) -> None:
        self.index, self.mask_for_overlay, self.overlay_image = index, mask_for_overlay, overlay_image


class PostprocessBatchListArgs:
    def __init__(self, images: list[Any]) -> None:
        self.images = images


@dataclass
class OnComponent:
    component: Any
