"""Pressing Generate without a browser: the same function, wrapped the same way, with the controls' own values."""

from __future__ import annotations

import random
import string
from types import SimpleNamespace
from typing import Any

_DEFAULTS: dict[str, Any] = {
    "prompt": "", "negative_prompt": "", "n_iter": 1, "batch_size": 1, "cfg_scale": 7.0, "height": 512, "width": 512,
    "enable_hr": False, "hr_scale": 2.0, "hr_upscaler": "Latent", "hr_second_pass_steps": 0, "hr_resize_x": 0,
    "hr_resize_y": 0, "hr_prompt": "", "hr_negative_prompt": "", "init_img": None, "mask": None, "mask_blur": 4,
    "inpainting_fill": 1, "inpaint_full_res": 0, "inpaint_full_res_padding": 32, "resize_mode": 0, "mode": 0,
    "img2img_batch_input_dir": "", "img2img_batch_output_dir": "", "img2img_batch_inpaint_mask_dir": "",
    "img2img_batch_use_png_info": False, "img2img_batch_png_info_props": [], "img2img_batch_png_info_dir": "",
    "img2img_batch_upload": None,
}


def press(tab: str, task_id: str | None, script_args: dict[str, list[Any]], user: str | None,
          fields: dict[str, Any], upscale: tuple[Any, int, str] | None = None) -> tuple[Any, ...]:
    """`script_args` by title; a selectable script among them is the selected one. `upscale` is what the hires button
    is given besides the form: the gallery, the index of a picture in it, and the generation info."""
    from modules import img2img, scripts, txt2img
    from modules.call_queue import wrap_gradio_gpu_call

    module = txt2img if tab == "txt2img" else img2img
    runner = getattr(scripts, f"scripts_{tab}")
    sampler = dict(zip(("steps", "sampler_name", "scheduler"), (20, "DPM++ 2M", "Automatic"), strict=True))
    sampler.update({k: fields.pop(k) for k in list(fields) if k in sampler})
    given = {"Sampler": list(sampler.values()), "Seed": [fields.pop("seed", -1)], **script_args}
    values = _DEFAULTS | {"denoising_strength": 0.7 if tab == "txt2img" else 0.75} | fields
    unknown = set(fields) - set(module.FIELDS)
    if unknown:
        raise TypeError(f"no such field in the {tab} form: {sorted(unknown)}")
    args: list[Any] = [0, *(x.value for x in runner.inputs[1:])]
    for title, own in given.items():
        script = runner.script(title)
        args[script.args_from: script.args_from + len(own)] = own
        if script in runner.selectable_scripts:
            args[0] = runner.selectable_scripts.index(script) + 1
    name = task_id or f"task({''.join(random.choices(string.ascii_lowercase + string.digits, k=15))})"
    function = module.txt2img_upscale if upscale else getattr(module, tab)
    job = wrap_gradio_gpu_call(function, extra_outputs=[None, "", ""])
    return job(name, SimpleNamespace(username=user), *(upscale or ()), *(values[x] for x in module.FIELDS), [], *args)
