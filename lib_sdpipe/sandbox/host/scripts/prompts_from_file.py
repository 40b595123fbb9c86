"""Prompts from file or textbox: a request for each line; a line may be a prompt or `--name value` pairs."""

import copy
import random
import shlex

import gradio as gr
from modules import errors, images as image_files, scripts, sd_models, sd_samplers, shared
from modules.processing import Processed, process_images
from modules.shared import opts, state


def _checkpoint(tag):
    info = sd_models.get_closet_checkpoint_match(tag)
    assert info is not None, f"Unknown checkpoint: {tag}"
    return info.name


def _boolean(tag):
    return tag == "true"


prompt_tags = {
    "sd_model": _checkpoint, "sampler_name": lambda x: sd_samplers.samplers_map.get(x.lower()),
    **dict.fromkeys(("outpath_samples", "outpath_grids", "prompt_for_display", "prompt", "negative_prompt", "styles"), str),
    **dict.fromkeys(("seed", "subseed", "seed_resize_from_h", "seed_resize_from_w", "sampler_index", "batch_size", "n_iter",
                     "steps", "width", "height"), int),
    **dict.fromkeys(("subseed_strength", "cfg_scale"), float),
    **dict.fromkeys(("restore_faces", "tiling", "do_not_save_samples", "do_not_save_grid"), _boolean),
}


def cmdargs(line):
    words, res = shlex.split(line), {}
    while words:
        option = words.pop(0)
        assert option.startswith("--"), f'must start with "--": {option}'
        assert words, f"missing argument for command line option {option}"
        tag, value = option[2:], [words.pop(0)]
        if tag in ("prompt", "negative_prompt"):
            while words and not words[0].startswith("--"):
                value.append(words.pop(0))
        assert tag in prompt_tags, f"unknown commandline option: {option}"
        res[tag] = prompt_tags[tag](" ".join(value))
    return res


class Script(scripts.Script):
    def title(self):
        return "Prompts from file or textbox"

    def ui(self, is_img2img):
        iterate = gr.Checkbox(label="Iterate seed every line", value=False, elem_id=self.elem_id("checkbox_iterate"))
        same = gr.Checkbox(label="Use same random seed for all lines", value=False, elem_id=self.elem_id("checkbox_iterate_batch"))
        position = gr.Radio(["start", "end"], label="Insert prompts at the", elem_id=self.elem_id("prompt_position"), value="start")
        combined = [gr.Checkbox(label="Make a combined image containing all outputs (if more than one)", value=False)
                    ] if shared.is_forge() else []
        text = gr.Textbox(label="List of prompt inputs", lines=2, elem_id=self.elem_id("prompt_txt"))
        return [iterate, same, position, text, *combined]

    def run(self, p, checkbox_iterate, checkbox_iterate_batch, prompt_position, prompt_txt, make_combined=False):
        lines = [x for x in (x.strip() for x in prompt_txt.splitlines()) if x]
        p.do_not_save_grid = True
        jobs = [_job(line) for line in lines]
        if (checkbox_iterate or checkbox_iterate_batch) and p.seed == -1:
            p.seed = random.randrange(4294967294)
        state.job_count = sum(args.get("n_iter", p.n_iter) for args in jobs)
        images, all_prompts, infotexts = [], [], []
        for args in jobs:
            state.job = f"{state.job_no + 1} out of {state.job_count}"
            copy_p = copy.copy(p)
            for k, v in args.items():
                if k == "sd_model":
                    copy_p.override_settings["sd_model_checkpoint"] = v
                else:
                    setattr(copy_p, k, v)
            for name in ("prompt", "negative_prompt"):
                if args.get(name) and getattr(p, name):
                    both = [args[name], getattr(p, name)]
                    setattr(copy_p, name, " ".join(both if prompt_position == "start" else both[::-1]))
            proc = process_images(copy_p)
            images += proc.images
            if checkbox_iterate:
                p.seed += p.batch_size * p.n_iter
            all_prompts += proc.all_prompts
            infotexts += proc.infotexts
        if make_combined and len(images) > 1:
            text = "\n".join(infotexts)
            images.insert(0, _combine(p, images, prompt_txt, text))
            all_prompts.insert(0, prompt_txt)
            infotexts.insert(0, text)
        return Processed(p, images, p.seed, "", all_prompts=all_prompts, infotexts=infotexts)


def _job(line):
    if "--" not in line:
        return {"prompt": line}
    try:
        return cmdargs(line)
    except Exception:
        errors.report(f"Error parsing line {line} as commandline", exc_info=True)
        return {"prompt": line}


def _combine(p, images, prompt_txt, text):
    """Forge only; saved without a `p`."""
    combined = image_files.image_grid(images, batch_size=1, rows=None).convert("RGB")
    kind = "grids" if opts.grid_save else "samples"
    tab = "txt2img" if getattr(p, "init_images", None) is None else "img2img"
    folder = getattr(opts, f"outdir_{kind}") or getattr(opts, f"outdir_{tab}_{kind}")
    image_files.save_image(combined, folder, "", -1, prompt_txt, opts.grid_format if opts.grid_save else opts.samples_format,
                           text, grid=bool(opts.grid_save))
    return combined
