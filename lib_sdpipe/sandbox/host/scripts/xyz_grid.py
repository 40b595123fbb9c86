"""X/Y/Z plot: one request drawn again and again with other values, in grids. Arguments, names and texts are the host's."""

import random
from collections import namedtuple
from copy import copy
from itertools import product

import gradio as gr
from modules import errors, images, processing, scripts, sd_models, sd_vae, xyz_axes
from modules.processing import Processed, process_images
from modules.shared import opts, state
from modules.xyz_axes import AxisOption  # noqa: F401  extensions find it here
from PIL import Image

AxisInfo = namedtuple("AxisInfo", ["axis", "values"])
axis_options = xyz_axes.build()


def draw_xyz_grid(p, xs, ys, zs, labels, order, cell, draw_legend, margin_size):
    """All cells, in the order that changes the slowest axis least; then a grid for each z, and one of these grids."""
    list_size = len(xs) * len(ys) * len(zs)
    state.job_count = list_size * p.n_iter
    processed_result = None
    for place in product(*(range(len((xs, ys, zs)["xyz".index(axis)])) for axis in order)):
        ix, iy, iz = (place[order.index(axis)] for axis in "xyz")
        idx = ix + iy * len(xs) + iz * len(xs) * len(ys)
        state.job = f"{idx + 1} out of {list_size}"
        processed = cell(xs[ix], ys[iy], zs[iz], ix, iy, iz)
        if processed_result is None:
            processed_result = copy(processed)
            for name in ("images", "all_prompts", "all_seeds", "infotexts"):
                setattr(processed_result, name, [None] * list_size)
            processed_result.index_of_first_image = 1
        _put(processed_result, idx, processed)
    if processed_result is None or not any(processed_result.images):
        return None
    _add_grids(processed_result, xs, ys, zs, labels, draw_legend, margin_size)
    return processed_result


def _put(result, idx, processed):
    if processed.images:
        result.images[idx], result.infotexts[idx] = processed.images[0], processed.infotexts[0]
        result.all_prompts[idx], result.all_seeds[idx] = processed.prompt, processed.seed
        return
    mode, size = "P", (result.width, result.height)
    if result.images[0] is not None:
        mode, size = result.images[0].mode, result.images[0].size
    result.images[idx] = Image.new(mode, size)


def _add_grids(result, xs, ys, zs, labels, draw_legend, margin_size):
    """The host's lists are out of step afterwards (a prompt less than texts), and so are ours."""
    texts = [[[images.GridAnnotation(x)] for x in some] for some in labels]
    count = len(xs) * len(ys)
    for i in range(len(zs)):
        start = i * count + i
        cells = result.images[start:start + count]
        grid = images.image_grid(cells, rows=len(ys))
        if draw_legend:
            size = (max(x.width for x in cells), max(x.height for x in cells))
            grid = images.draw_grid_annotations(grid, *size, texts[0], texts[1], margin_size)
        result.images.insert(i, grid)
        for some in (result.all_prompts, result.all_seeds, result.infotexts):
            some.insert(i, some[start])
    grids = result.images[:len(zs)]
    z_grid = images.image_grid(grids, rows=1)
    if draw_legend:
        size = (max(x.width for x in grids), max(x.height for x in grids))
        z_grid = images.draw_grid_annotations(z_grid, *size, texts[2], [[images.GridAnnotation()]])
    result.images.insert(0, z_grid)
    result.infotexts.insert(0, result.infotexts[0])


class Script(scripts.Script):
    def title(self):
        return "X/Y/Z plot"

    def ui(self, is_img2img):
        self.current_axis_options = [x for x in axis_options if x.is_img2img in (None, is_img2img)]
        axes = [self._axis_ui(letter, first) for letter, first in (("x", 1), ("y", 0), ("z", 0))]

        def checkbox(label, name, value=False):
            return gr.Checkbox(label=label, value=value, elem_id=self.elem_id(name))

        with gr.Row(elem_id="axis_options"):
            legend = checkbox("Draw legend", "draw_legend", True)
            no_fixed_seeds = checkbox("Keep -1 for seeds", "no_fixed_seeds")
            vary = [checkbox(f"Vary seeds for {x.upper()}", f"vary_seeds_{x}") for x in "xyz"]
            include = [checkbox("Include Sub Images", "include_lone_images"), checkbox("Include Sub Grids", "include_sub_grids")]
            csv_mode = checkbox("Use text inputs instead of dropdowns", "csv_mode")
            margin = gr.Slider(label="Grid margins (px)", minimum=0, maximum=500, value=0, step=2, elem_id=self.elem_id("margin_size"))
        for kind, text, choice in axes:
            for trigger in (kind, csv_mode):
                trigger.change(self._show, inputs=[kind, csv_mode], outputs=[text, choice])
        self.infotext_fields = [pair for letter, (kind, text, choice) in zip("XYZ", axes, strict=True) for pair in (
            (kind, f"{letter} Type"), (text, f"{letter} Values"),
            (choice, lambda d, key=f"{letter} Values": gr.update(value=xyz_axes.split_values(d.get(key, "")))))]
        return [*(x for axis in axes for x in axis), legend, *include, no_fixed_seeds, *vary, margin, csv_mode]

    def _axis_ui(self, letter, first):
        labels = [x.label for x in self.current_axis_options]
        with gr.Row():
            kind = gr.Dropdown(label=f"{letter.upper()} type", choices=labels, value=labels[first], type="index",
                               elem_id=self.elem_id(f"{letter}_type"))
            text = gr.Textbox(label=f"{letter.upper()} values", lines=1, elem_id=self.elem_id(f"{letter}_values"))
            choice = gr.Dropdown(label=f"{letter.upper()} values", visible=False, multiselect=True, interactive=True)
        return kind, text, choice

    def _show(self, kind, csv_mode):
        choices = self.current_axis_options[kind or 0].choices
        listed = choices is not None and not csv_mode
        return gr.update(visible=not listed), gr.update(visible=listed, choices=choices() if choices else [], value=[])

    def _axis(self, p, kind, text, chosen, csv_mode, no_fixed_seeds):
        """The axis, its values as text, and its values."""
        opt = self.current_axis_options[kind or 0]
        listed = opt.choices is not None and not csv_mode
        text = xyz_axes.join_values(chosen) if listed else text
        if opt.label == "Nothing":
            return opt, text, [0]
        values = xyz_axes.read_values(opt, chosen if listed else xyz_axes.split_values(text))
        if opt.confirm:
            opt.confirm(p, values)
        if opt.label in ("Seed", "Var. seed") and not no_fixed_seeds:
            values = [random.randrange(4294967294) if x == -1 else x for x in values]
        return opt, text, values

    def run(self, p, x_type, x_values, x_values_dropdown, y_type, y_values, y_values_dropdown, z_type, z_values,
            z_values_dropdown, draw_legend, include_lone_images, include_sub_grids, no_fixed_seeds, vary_seeds_x,
            vary_seeds_y, vary_seeds_z, margin_size, csv_mode):
        if not no_fixed_seeds:
            processing.fix_seed(p)
        if not opts.return_grid:
            p.batch_size = 1
        how = (csv_mode, no_fixed_seeds)
        x_opt, x_values, xs = self._axis(p, x_type, x_values, x_values_dropdown, *how)
        y_opt, y_values, ys = self._axis(p, y_type, y_values, y_values_dropdown, *how)
        z_opt, z_values, zs = self._axis(p, z_type, z_values, z_values_dropdown, *how)
        grid_mp = round(len(xs) * len(ys) * len(zs) * p.width * p.height / 1000000)
        assert grid_mp < opts.img_max_size_mp, f"Error: Resulting grid would be too large ({grid_mp} MPixels)"
        state.xyz_plot_x, state.xyz_plot_y, state.xyz_plot_z = AxisInfo(x_opt, xs), AxisInfo(y_opt, ys), AxisInfo(z_opt, zs)
        grid_infotext = [None] * (1 + len(zs))
        told = [(x_opt, x_values, xs), (y_opt, y_values, ys), (z_opt, z_values, zs)]

        def cell(x, y, z, ix, iy, iz):
            if state.interrupted or state.stopping_generation:
                return Processed(p, [], p.seed, "")
            pc = copy(p)
            pc.styles = pc.styles[:]
            x_opt.apply(pc, x, xs)
            y_opt.apply(pc, y, ys)
            z_opt.apply(pc, z, zs)
            xdim, ydim = len(xs) if vary_seeds_x else 1, len(ys) if vary_seeds_y else 1
            pc.seed += ix * vary_seeds_x + iy * xdim * vary_seeds_y + iz * xdim * ydim * vary_seeds_z
            try:
                res = process_images(pc)
            except Exception as error:
                errors.display(error, "generating image for xyz plot")
                res = Processed(p, [], p.seed, "")
            if ix == iy == 0:
                self._tell(pc, told, grid_infotext, iz, no_fixed_seeds)
            return res

        labels = [[opt.format_value(p, opt, v) for v in values] for opt, _, values in told]
        try:
            order = _order(x_opt, y_opt, z_opt)
            processed = draw_xyz_grid(p, xs, ys, zs, labels, order, cell, draw_legend, margin_size)
        finally:
            sd_models.reload_model_weights()
            sd_vae.reload_vae_weights()
        if processed is None:
            return Processed(p, [])
        return _finish(p, processed, grid_infotext, include_lone_images, include_sub_grids)

    def _tell(self, pc, told, grid_infotext, iz, no_fixed_seeds):
        """The text of a grid is that of its first cell, with the axes; the main grid tells of z besides."""
        def write(letter, opt, text, values):
            if opt.label == "Nothing":
                return
            params = pc.extra_generation_params
            params[f"{letter} Type"], params[f"{letter} Values"] = opt.label, text
            if opt.label in ("Seed", "Var. seed") and not no_fixed_seeds:
                params[f"Fixed {letter} Values"] = ", ".join(str(x) for x in values)

        def text():
            return processing.create_infotext(pc, pc.all_prompts, pc.all_seeds, pc.all_subseeds)

        pc.extra_generation_params = {**pc.extra_generation_params, "Script": self.title()}
        write("X", *told[0])
        write("Y", *told[1])
        grid_infotext[1 + iz] = text()
        if iz == 0:
            pc.extra_generation_params = copy(pc.extra_generation_params)
            write("Z", *told[2])
            grid_infotext[0] = text()


def _order(x_opt, y_opt, z_opt):
    """Outermost axis first: the most costly one if there is a single one, else z, y, x."""
    costs = {"z": z_opt.cost, "y": y_opt.cost, "x": x_opt.cost}
    return sorted(costs, key=lambda axis: -costs[axis]) if list(costs.values()).count(max(costs.values())) == 1 else list(costs)


def _finish(p, processed, grid_infotext, include_lone_images, include_sub_grids):
    z_count = len(grid_infotext) - 1
    processed.infotexts[:1 + z_count] = grid_infotext
    if not include_lone_images:
        processed.images = processed.images[:z_count + 1]
    if opts.grid_save:
        for g in range(z_count + 1 if z_count > 1 and include_sub_grids else 1):
            own = max(g - 1, 0)
            images.save_image(processed.images[g], p.outpath_grids, "xyz_grid", info=processed.infotexts[g],
                              extension=opts.grid_format, prompt=processed.all_prompts[own], seed=processed.all_seeds[own],
                              grid=True, p=processed)
    if not include_sub_grids:
        for some in (processed.images, processed.all_prompts, processed.all_seeds, processed.infotexts):
            del some[1:1 + z_count]
    return processed
