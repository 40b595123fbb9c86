"""Poor man's outpainting: a larger canvas, whose new parts are drawn in tiles that are not saved."""

import math

import gradio as gr
from modules import images, scripts
from modules.processing import Processed, process_images
from modules.shared import opts, state
from PIL import Image, ImageDraw


class Script(scripts.Script):
    def title(self):
        return "Poor man's outpainting"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        if not is_img2img:
            return None
        sides = ["left", "right", "up", "down"]
        pixels = gr.Slider(label="Pixels to expand", minimum=8, maximum=256, step=8, value=128, elem_id=self.elem_id("pixels"))
        blur = gr.Slider(label="Mask blur", minimum=0, maximum=64, step=1, value=4, elem_id=self.elem_id("mask_blur"))
        fill = gr.Radio(label="Masked content", choices=["fill", "original", "latent noise", "latent nothing"], value="fill",
                        type="index", elem_id=self.elem_id("inpainting_fill"))
        direction = gr.CheckboxGroup(label="Outpainting direction", choices=sides, value=sides, elem_id=self.elem_id("direction"))
        return [pixels, blur, fill, direction]

    def run(self, p, pixels, mask_blur, inpainting_fill, direction):
        p.mask_blur, p.inpainting_fill, p.inpaint_full_res = mask_blur * 2, inpainting_fill, False
        init_img = p.init_images[0]
        left, right, width = _widen(init_img.width, *(pixels if x in direction else 0 for x in ("left", "right")))
        up, down, height = _widen(init_img.height, *(pixels if x in direction else 0 for x in ("up", "down")))
        img = Image.new("RGB", (width, height))
        img.paste(init_img, (left, up))
        kept = (left, up, width - right, height - down)
        grids = [images.split_grid(x, tile_w=p.width, tile_h=p.height, overlap=pixels)
                 for x in (img, _mask(img.size, kept, mask_blur * 2), _mask(img.size, kept, mask_blur // 2))]
        p.n_iter = p.batch_size = 1
        p.do_not_save_grid = p.do_not_save_samples = True
        places = [[(y, h, tile) for y, h, row in grid.tiles for tile in row] for grid in grids]
        work = [tiles for tiles in zip(*places, strict=True) if not _inside(tiles[0], kept)]
        state.job_count = len(work)
        initial_seed = initial_info = None
        work_results = []
        for i, ((_, _, tile), (_, _, mask), (_, _, latent_mask)) in enumerate(work):
            p.init_images, p.image_mask, p.latent_mask = [tile[2]], mask[2], latent_mask[2]
            state.job = f"Batch {i + 1} out of {len(work)}"
            processed = process_images(p)
            if initial_seed is None:
                initial_seed, initial_info = processed.seed, processed.info
            p.seed = processed.seed + 1
            work_results += processed.images
        for index, ((_, _, tile), _, _) in enumerate(work):
            tile[2] = work_results[index] if index < len(work_results) else Image.new("RGB", (p.width, p.height))
        combined_image = images.combine_grid(grids[0])
        if opts.samples_save:
            images.save_image(combined_image, p.outpath_samples, "", initial_seed, p.prompt, opts.samples_format,
                              info=initial_info, p=p)
        return Processed(p, [combined_image], initial_seed, initial_info)


def _widen(length, before, after):
    """What is added before and after so that the whole is a multiple of 64."""
    whole = math.ceil((length + before + after) / 64) * 64
    before = before * (whole - length) // (before + after) if before else 0
    return before, whole - length - before if after else 0, whole


def _mask(size, kept, edge):
    """White where something is to be drawn; the kept part loses an edge at the sides that grow."""
    left, up, right, down = kept
    mask = Image.new("L", size, "white")
    box = (left + edge * (left > 0), up + edge * (up > 0), right - edge * (right < size[0]), down - edge * (down < size[1]))
    ImageDraw.Draw(mask).rectangle(box, fill="black")
    return mask


def _inside(place, kept):
    y, h, (x, w, _) = place
    return x >= kept[0] and y >= kept[1] and x + w <= kept[2] and y + h <= kept[3]
