"""Prompt matrix: every combination of the prompt's parts behind `|`, in one request, and a grid that names them."""

import gradio as gr
from modules import images, processing, scripts
from modules.processing import process_images
from modules.shared import opts


class Script(scripts.Script):
    def title(self):
        return "Prompt matrix"

    def ui(self, is_img2img):
        gr.HTML("<br />")
        at_start = gr.Checkbox(label="Put variable parts at start of prompt", value=False, elem_id=self.elem_id("put_at_start"))
        seeds = gr.Checkbox(label="Use different seed for each picture", value=False, elem_id=self.elem_id("different_seeds"))
        kind = gr.Radio(["positive", "negative"], label="Select prompt", elem_id=self.elem_id("prompt_type"), value="positive")
        delimiter = gr.Radio(["comma", "space"], label="Select joining char", elem_id=self.elem_id("variations_delimiter"),
                             value="comma")
        margin = gr.Slider(label="Grid margins (px)", minimum=0, maximum=500, value=0, step=2, elem_id=self.elem_id("margin_size"))
        return [at_start, seeds, kind, delimiter, margin]

    def run(self, p, put_at_start, different_seeds, prompt_type, variations_delimiter, margin_size):
        processing.fix_seed(p)
        if prompt_type not in ("positive", "negative"):
            raise ValueError(f"Unknown prompt type {prompt_type}")
        if variations_delimiter not in ("comma", "space"):
            raise ValueError(f"Unknown variations delimiter {variations_delimiter}")
        name = "prompt" if prompt_type == "positive" else "negative_prompt"
        given = getattr(p, name)
        original_prompt = given[0] if isinstance(given, list) else given
        p.prompt_for_display = p.prompt[0] if isinstance(p.prompt, list) else p.prompt
        parts = original_prompt.split("|")
        all_prompts = []
        for number in range(2 ** (len(parts) - 1)):
            chosen = [x.strip().strip(",") for n, x in enumerate(parts[1:]) if number & (1 << n)]
            words = [*chosen, parts[0]] if put_at_start else [parts[0], *chosen]
            all_prompts.append((", " if variations_delimiter == "comma" else " ").join(words))
        p.n_iter = -(-len(all_prompts) // p.batch_size)
        p.do_not_save_grid = True
        setattr(p, name, all_prompts)
        p.seed = [p.seed + (i if different_seeds else 0) for i in range(len(all_prompts))]
        processed = process_images(p)
        grid = images.image_grid(processed.images, p.batch_size, rows=1 << ((len(parts) - 1) // 2))
        grid = images.draw_prompt_matrix(grid, *processed.images[0].size, parts, margin_size)
        processed.images.insert(0, grid)
        processed.index_of_first_image = 1
        processed.infotexts.insert(0, processed.infotexts[0])
        if opts.grid_save:
            images.save_image(grid, p.outpath_grids, "prompt_matrix", extension=opts.grid_format, prompt=original_prompt,
                              seed=processed.seed, grid=True, p=p)
        return processed
