"""Loopback: each result is the next input, at a denoising strength that moves to a final one."""

import math

import gradio as gr
from modules import images, processing, scripts
from modules.processing import Processed
from modules.processing_img2img import color_of
from modules.shared import opts, state

_CURVES = {"Aggressive": lambda x: math.sin(x * math.pi * 0.5), "Lazy": lambda x: 1 - math.cos(x * math.pi * 0.5)}


class Script(scripts.Script):
    def title(self):
        return "Loopback"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        loops = gr.Slider(minimum=1, maximum=32, step=1, label="Loops", value=4, elem_id=self.elem_id("loops"))
        final = gr.Slider(minimum=0, maximum=1, step=0.01, label="Final denoising strength", value=0.5,
                          elem_id=self.elem_id("final_denoising_strength"))
        curve = gr.Dropdown(label="Denoising strength curve", choices=["Aggressive", "Linear", "Lazy"], value="Linear")
        interrogate = gr.Dropdown(label="Append interrogated prompt at each iteration", choices=["None", "CLIP", "DeepBooru"],
                                  value="None")
        return [loops, final, curve, interrogate]

    def run(self, p, loops, final_denoising_strength, denoising_curve, append_interrogation):
        """The sandbox has nothing to interrogate with: the last argument is not heeded."""
        processing.fix_seed(p)
        batch_count, first_strength, first_images, first_fill = p.n_iter, p.denoising_strength, p.init_images, p.inpainting_fill
        p.extra_generation_params = {"Final denoising strength": final_denoising_strength, "Denoising curve": denoising_curve}
        state.job_count = loops * batch_count
        corrections = [color_of(p.init_images[0])]
        initial_seed = initial_info = last_image = None
        history = []
        for n in range(batch_count):
            p.init_images, p.denoising_strength = first_images, first_strength
            for i in range(loops):
                p.n_iter = p.batch_size = 1
                p.do_not_save_grid = True
                if opts.img2img_color_correction:
                    p.color_corrections = corrections
                state.job = f"Iteration {i + 1}/{loops}, batch {n + 1}/{batch_count}"
                processed = processing.process_images(p)
                if state.interrupted or state.stopping_generation:
                    break
                if initial_seed is None:
                    initial_seed, initial_info = processed.seed, processed.info
                p.seed = processed.seed + 1
                if loops > 1:
                    way = _CURVES.get(denoising_curve, lambda x: x)((i + 1) / (loops - 1))
                    p.denoising_strength = first_strength + (final_denoising_strength - first_strength) * way
                if state.skipped:
                    break
                last_image = processed.images[0]
                p.init_images, p.inpainting_fill = [last_image], 1
                if batch_count == 1:
                    history.append(last_image)
            if batch_count > 1 and not state.skipped and not state.interrupted:
                history.append(last_image)
            p.inpainting_fill = first_fill
            if state.interrupted or state.stopping_generation:
                break
        return Processed(p, _with_grid(p, history, initial_seed), initial_seed, initial_info)


def _with_grid(p, history, seed):
    """The grid before the pictures; as in the host it is saved without a text."""
    if len(history) < 2:
        return history
    grid = images.image_grid(history, rows=1)
    if opts.grid_save:
        images.save_image(grid, p.outpath_grids, "grid", seed, p.prompt, opts.grid_format, info=None,
                          short_filename=not opts.grid_extended_filename, grid=True, p=p)
    return [grid, *history] if opts.return_grid else history
