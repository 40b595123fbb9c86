"""One pass: its batches, its images and their grid, with every hook and save where the host has it."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from PIL import Image

from modules import extra_networks, images, paths, script_hooks, sd_models, shared
from modules.processed import Processed, create_infotext
from modules.processing_img2img import apply_color_correction
from modules.shared import cmd_opts, opts, state
from modules.tensors import Tensor


class Job:
    """What one pass gathers: images and their infotexts, in the order of the result."""

    def __init__(self, p: Any) -> None:
        self.p = p
        self.images: list[Any] = []
        self.infotexts: list[str] = []

    def infotext(self, index: int = 0, use_main_prompt: bool = False) -> str:
        p = self.p  # `index` counts inside the batch here, as in the host: list values repeat for each batch
        return create_infotext(p, p.prompts, p.seeds, p.subseeds, use_main_prompt=use_main_prompt, index=index,
                               all_negative_prompts=p.negative_prompts)

    def run_batch(self, n: int) -> bool:
        p = self.p
        sd_models.reload_model_weights()  # a refiner may have changed it
        batch = slice(n * p.batch_size, (n + 1) * p.batch_size)
        p.prompts, p.negative_prompts = p.all_prompts[batch], p.all_negative_prompts[batch]
        p.seeds, p.subseeds = p.all_seeds[batch], p.all_subseeds[batch]
        if p.scripts is not None:
            p.scripts.before_process_batch(p, batch_number=n, prompts=p.prompts, seeds=p.seeds, subseeds=p.subseeds)
        if not p.prompts:
            return False
        p.parse_extra_network_prompts()
        if not p.disable_extra_networks:
            extra_networks.activate(p, p.extra_network_data)
        if p.scripts is not None:
            p.scripts.process_batch(p, batch_number=n, prompts=p.prompts, seeds=p.seeds, subseeds=p.subseeds)
        p.setup_conds()
        if n == 0 and not cmd_opts.no_prompt_history:
            with open(os.path.join(paths.data_path, "params.txt"), "w", encoding="utf8") as file:
                file.write(Processed(p, []).infotext(p, 0))
        if p.n_iter > 1:
            state.job = f"Batch {n + 1} out of {p.n_iter}"
        samples = p.sample(conditioning=p.c, unconditional_conditioning=p.uc, seeds=p.seeds, subseeds=p.subseeds,
                           subseed_strength=p.subseed_strength, prompts=p.prompts)
        tensors = self._after_sampling(samples, n, batch)
        save = p.save_samples()
        for i, tensor in enumerate(tensors):
            p.batch_index = i
            self._finish_image(tensor, i, save)
        return True

    def _after_sampling(self, samples: Any, n: int, batch: slice) -> list[Any]:
        p = self.p
        if p.scripts is not None:
            given = script_hooks.PostSampleArgs(samples)
            p.scripts.post_sample(p, given)
            samples = given.samples
        stacked = Tensor(np.clip(np.stack([np.moveaxis(np.asarray(x), 2, 0) for x in samples]), 0.0, 1.0))
        state.nextjob()
        if p.scripts is None:
            return list(stacked)
        p.scripts.postprocess_batch(p, stacked, batch_number=n)
        p.prompts, p.negative_prompts = p.all_prompts[batch], p.all_negative_prompts[batch]
        listed = script_hooks.PostprocessBatchListArgs(list(stacked))
        p.scripts.postprocess_batch_list(p, listed, batch_number=n)
        return listed.images

    def _save(self, image: Any, i: int, suffix: str = "") -> None:
        p = self.p
        images.save_image(image, p.outpath_samples, "", p.seeds[i], p.prompts[i], opts.samples_format,
                          info=self.infotext(i), p=p, suffix=suffix)

    def _image_args(self, image: Any, i: int) -> script_hooks.PostprocessImageArgs:
        forge = shared.is_forge()
        return script_hooks.PostprocessImageArgs(image, i + self.p.iteration * self.p.batch_size if forge else None)

    def _finish_image(self, tensor: Any, i: int, save: bool) -> None:
        p = self.p
        image = Image.fromarray((255.0 * np.moveaxis(tensor.cpu().numpy(), 0, 2)).astype(np.uint8))
        if p.restore_faces and save and opts.save_images_before_face_restoration:
            self._save(image, i, "-before-face-restoration")
        if p.scripts is not None:
            pp = self._image_args(image, i)
            p.scripts.postprocess_image(p, pp)
            image = pp.image
        mask, overlay = getattr(p, "mask_for_overlay", None), None
        if opts.overlay_inpaint and p.overlay_images is not None and i < len(p.overlay_images):
            overlay = p.overlay_images[i]
        if p.scripts is not None:
            ppmo = script_hooks.PostProcessMaskOverlayArgs(i, mask, overlay)
            p.scripts.postprocess_maskoverlay(p, ppmo)
            mask, overlay = ppmo.mask_for_overlay, ppmo.overlay_image
        if p.color_corrections is not None and i < len(p.color_corrections):
            if save and opts.save_images_before_color_correction:
                self._save(apply_overlay(image, p.paste_to, overlay)[0], i, "-before-color-correction")
            image = apply_color_correction(p.color_corrections[i], image)
        image, drawn = apply_overlay(image, p.paste_to, overlay)
        if p.scripts is not None:
            pp = self._image_args(image, i)
            p.scripts.postprocess_image_after_composite(p, pp)
            image = pp.image
        if save:
            self._save(image, i)
        self._keep(image, i)
        if mask is not None:
            self._masks(mask, image, drawn, i, save)

    def _keep(self, image: Any, i: int) -> None:
        text = self.infotext(i)
        self.infotexts.append(text)
        if opts.enable_pnginfo:
            image.info["parameters"] = text  # only now: at the time of saving it is not there
        self.images.append(image)

    def _masks(self, mask: Any, image: Any, drawn: Any, i: int, save: bool) -> None:
        if opts.return_mask or opts.save_mask:
            grey = mask.convert("RGB")
            if save and opts.save_mask:
                self._save(grey, i, "-mask")
            if opts.return_mask:
                self.images.append(grey)
        if opts.return_mask_composite or opts.save_mask_composite:
            cut = drawn.convert("RGBA")
            cut.putalpha(images.resize_image(2, mask, image.width, image.height).convert("L"))
            if save and opts.save_mask_composite:
                self._save(cut, i, "-mask-composite")
            if opts.return_mask_composite:
                self.images.append(cut)

    def finish(self) -> Processed:
        p = self.p
        if not self.infotexts:
            self.infotexts.append(Processed(p, []).infotext(p, 0))
        p.color_corrections = None
        first = self._grid()
        if not p.disable_extra_networks and p.extra_network_data:
            extra_networks.deactivate(p, p.extra_network_data)
        res = Processed(p, images_list=self.images, seed=p.all_seeds[0], info=self.infotexts[0],
                        subseed=p.all_subseeds[0], index_of_first_image=first, infotexts=self.infotexts,
                        extra_images_list=getattr(p, "extra_result_images", None))
        if p.scripts is not None:
            p.scripts.postprocess(p, res)
        return res

    def _grid(self) -> int:
        """Make the grid, put it before the images, save it; return where the first single image stands."""
        p = self.p
        alone = len(self.images) < 2 and opts.grid_only_if_multiple
        if not (opts.return_grid or opts.grid_save) or p.do_not_save_grid or alone:
            return 0
        grid = images.image_grid(self.images, p.batch_size)
        if opts.return_grid:
            text = self.infotext(use_main_prompt=True)
            self.infotexts.insert(0, text)
            if opts.enable_pnginfo:
                grid.info["parameters"] = text
            self.images.insert(0, grid)
        if opts.grid_save:
            images.save_image(grid, p.outpath_grids, "grid", p.all_seeds[0], p.all_prompts[0], opts.grid_format,
                              info=self.infotext(use_main_prompt=True), p=p, grid=True,
                              short_filename=not opts.grid_extended_filename)
        return 1 if opts.return_grid else 0


def apply_overlay(image: Any, paste_loc: Any, overlay: Any) -> tuple[Any, Any]:
    """Put what was outside the mask over the result; also return the result without it."""
    if overlay is None:
        return image, image.copy()
    if paste_loc is not None:
        x, y, w, h = paste_loc
        whole = Image.new("RGBA", overlay.size)
        whole.paste(images.resize_image(1, image, w, h), (x, y))
        image = whole
    drawn = image.copy()
    image = image.convert("RGBA")
    image.alpha_composite(overlay)
    return image.convert("RGB"), drawn
