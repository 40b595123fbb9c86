"""SD upscale: the input enlarged, cut into tiles that are drawn anew and not saved, and put together again."""

import math

import gradio as gr
from modules import images, processing, scripts, shared
from modules.processing import Processed
from modules.shared import opts, state
from PIL import Image


class Script(scripts.Script):
    def title(self):
        return "SD upscale"

    def show(self, is_img2img):
        return is_img2img

    def ui(self, is_img2img):
        names = [x.name for x in shared.sd_upscalers]
        info = gr.HTML("<p>Will upscale the image by the selected scale factor; use width and height sliders to set tile size</p>")
        overlap = gr.Slider(minimum=0, maximum=256, step=16, label="Tile overlap", value=64, elem_id=self.elem_id("overlap"))
        scale = gr.Slider(minimum=1.0, maximum=4.0, step=0.05, label="Scale Factor", value=2.0,
                          elem_id=self.elem_id("scale_factor"))
        upscaler = gr.Radio(label="Upscaler", choices=names, value=names[0], type="index",
                            elem_id=self.elem_id("upscaler_index"))
        return [info, overlap, upscaler, scale]

    def run(self, p, _, overlap, upscaler_index, scale_factor):
        if isinstance(upscaler_index, str):
            upscaler_index = [x.name.lower() for x in shared.sd_upscalers].index(upscaler_index.lower())
        processing.fix_seed(p)
        upscaler = shared.sd_upscalers[upscaler_index]
        p.extra_generation_params["SD upscale overlap"] = overlap
        p.extra_generation_params["SD upscale upscaler"] = upscaler.name
        seed, batch_size, upscale_count = p.seed, p.batch_size, p.n_iter
        img = images.flatten(p.init_images[0], opts.img2img_background_color)
        if upscaler.name != "None":
            img = upscaler.scaler.upscale(img, scale_factor, upscaler.data_path)
        grid = images.split_grid(img, tile_w=p.width, tile_h=p.height, overlap=overlap)
        places = [tile for _, _, row in grid.tiles for tile in row]
        work = [tile[2] for tile in places]
        batch_count = math.ceil(len(work) / batch_size)
        p.n_iter, p.do_not_save_grid, p.do_not_save_samples = 1, True, True
        state.job_count = batch_count * upscale_count
        initial_info, result_images = None, []
        for n in range(upscale_count):
            start_seed = p.seed = seed + n
            work_results = []
            for i in range(batch_count):
                p.batch_size = batch_size
                p.init_images = work[i * batch_size:(i + 1) * batch_size]
                state.job = f"Batch {i + 1 + n * batch_count} out of {state.job_count}"
                processed = processing.process_images(p)
                initial_info = processed.info if initial_info is None else initial_info
                p.seed = processed.seed + 1
                work_results += processed.images
            for index, tile in enumerate(places):
                tile[2] = work_results[index] if index < len(work_results) else Image.new("RGB", (p.width, p.height))
            combined_image = images.combine_grid(grid)
            result_images.append(combined_image)
            if opts.samples_save:
                images.save_image(combined_image, p.outpath_samples, "", start_seed, p.prompt, opts.samples_format,
                                  info=initial_info, p=p)
        if shared.is_forge():
            p.n_iter = upscale_count
        return Processed(p, result_images, seed, initial_info)
