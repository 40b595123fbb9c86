"""What was asked, as data: the processing object's request fields by the host API's names, and script arguments."""

from __future__ import annotations

import enum
import math
import os
from typing import Any

import numpy as np
from PIL import Image

from lib_sdpipe.record.facts import Json, RunRequest

_COMMON = (
    "prompt", "negative_prompt", "styles", "seed", "subseed", "subseed_strength", "seed_resize_from_h", "seed_resize_from_w",
    "sampler_name", "scheduler", "batch_size", "n_iter", "steps", "cfg_scale", "distilled_cfg_scale", "width", "height",
    "restore_faces", "tiling", "do_not_save_samples", "do_not_save_grid", "eta", "denoising_strength", "s_min_uncond", "s_churn",
    "s_tmax", "s_tmin", "s_noise", "override_settings", "override_settings_restore_afterwards", "refiner_checkpoint",
    "refiner_switch_at", "disable_extra_networks",
)
_TXT2IMG = (
    "enable_hr", "firstphase_width", "firstphase_height", "hr_scale", "hr_upscaler", "hr_second_pass_steps", "hr_resize_x",
    "hr_resize_y", "hr_checkpoint_name", "hr_additional_modules", "hr_sampler_name", "hr_scheduler", "hr_prompt",
    "hr_negative_prompt", "hr_cfg", "hr_distilled_cfg", "firstpass_image",
)
_IMG2IMG = (
    "init_images", "mask", "latent_mask", "resize_mode", "image_cfg_scale", "mask_blur_x", "mask_blur_y", "mask_round",
    "inpainting_fill", "inpaint_full_res", "inpaint_full_res_padding", "inpainting_mask_invert", "initial_noise_multiplier",
)
_MISSING = object()
_DEEPEST = 24
_MOST_BITS = 256
OWN_TITLE = "SDPipe"


class PictureBox:
    """Pictures met on the way, by key; the same object gets the same key."""

    def __init__(self) -> None:
        self.pictures: dict[str, Image.Image] = {}
        self._keys: dict[int, str] = {}

    def put(self, picture: Image.Image) -> str:
        """The picture's key. It is decoded here, on the host's thread: two threads must not decode one file.

        Raises whatever Pillow raises for a damaged picture.
        """
        picture.load()
        key = self._keys.get(id(picture))
        if key is None:
            key = f"p{len(self.pictures)}"
            self._keys[id(picture)] = key
            self.pictures[key] = picture
        return key


def read_request(p: Any, box: PictureBox) -> RunRequest:
    """The request behind a processing object, before the host and other extensions have filled it in."""
    problems: list[str] = []
    names = _COMMON + (_IMG2IMG if is_img2img(p) else _TXT2IMG if getattr(p, "enable_hr", False) else ())
    config: Json = {"endpoint": "img2img" if is_img2img(p) else "txt2img"}
    for name in names:
        value = getattr(p, "image_mask" if name == "mask" else name, _MISSING)
        if value is not _MISSING and not (value is None and name in _IMG2IMG):
            config[name] = to_data(value, box, problems, name)
    config["scripts"] = _read_scripts(p, box, problems)
    return RunRequest(
        source="api" if getattr(p, "is_api", False) else "ui",
        user=getattr(p, "user", None),
        config=config,
        not_replayable=tuple(problems),
    )


def is_img2img(p: Any) -> bool:
    return hasattr(p, "init_images")


def to_data(value: Any, box: PictureBox, problems: list[str], where: str) -> Any:
    """`value` as JSON with pictures taken out; what cannot be stored becomes None and a line in `problems`."""
    try:
        return _to_data(value, box, problems, where, 0)
    except Exception as fault:  # another extension's object may raise anything when it is looked at; it is said in the run
        problems.append(f"{where} is a {type(value).__name__}, which cannot be stored ({type(fault).__name__})")
        return None


def _to_data(value: Any, box: PictureBox, problems: list[str], where: str, depth: int) -> Any:
    if isinstance(value, enum.Enum):
        return _to_data(value.value, box, problems, where, depth)
    if value is None or isinstance(value, (bool, str)) or (isinstance(value, int) and value.bit_length() <= _MOST_BITS):
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if isinstance(value, np.generic):
        return _to_data(value.item(), box, problems, where, depth)
    if isinstance(value, Image.Image):
        return {"$picture": box.put(value)}
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.size and value.ndim in (2, 3):
        return {"$picture": box.put(Image.fromarray(value.squeeze(-1) if value.shape[-1] == 1 else value))}
    if depth < _DEEPEST and isinstance(value, (list, tuple)):
        return [_to_data(item, box, problems, where, depth + 1) for item in value]
    if depth < _DEEPEST and isinstance(value, dict):
        return {str(key): _to_data(item, box, problems, f"{where}.{key}", depth + 1) for key, item in value.items()}
    problems.append(f"{where} is a {type(value).__name__}, which cannot be stored")
    return None


def _read_scripts(p: Any, box: PictureBox, problems: list[str]) -> list[Json]:
    """Scripts with arguments that differ from their component's default; the others stand in the environment."""
    runner = getattr(p, "scripts", None)
    arguments = getattr(p, "script_args", None) or ()
    if runner is None or not isinstance(arguments, (list, tuple)):
        return []
    selected = _selected_script(runner, arguments)
    found = []
    for script in [*getattr(runner, "alwayson_scripts", []), *([selected] if selected else [])]:
        if script_title(script) == OWN_TITLE:
            continue  # our own choices are the run's, not the request's
        values = _read_arguments(script, runner, arguments, box, problems, keep_all=script is selected)
        if values or script is selected:
            found.append({
                "title": script_title(script), "file": script_file(script), "selected": script is selected, "args": values,
            })
    return found


def _read_arguments(script: Any, runner: Any, arguments: Any, box: PictureBox, problems: list[str], keep_all: bool) -> list[Json]:
    start, end = getattr(script, "args_from", None), getattr(script, "args_to", None)
    if start is None or end is None:
        return []
    controls = getattr(runner, "inputs", [])[start:end]
    values = []
    for index, (control, value) in enumerate(zip(controls, arguments[start:end])):
        if not keep_all and _is_default(control, value):
            continue
        where = f"{script_title(script)} argument {index}"
        if getattr(control, "type", None) == "password":
            problems.append(f"{where} is a secret and was not stored")
            continue
        values.append({"index": index, "label": getattr(control, "label", None), "value": to_data(value, box, problems, where)})
    return values


def _is_default(control: Any, value: Any) -> bool:
    try:
        return bool(getattr(control, "value", None) == value)
    except Exception:  # arrays and tensors do not compare to one truth value, each in its own way: then it is no default
        return False


def has_selected_script(p: Any) -> bool:
    """Whether a script from the Script menu makes the passes of this request."""
    return _selected_script(getattr(p, "scripts", None), getattr(p, "script_args", None) or ()) is not None


def read_postprocessing_scripts(runner: Any, arguments: Any, box: PictureBox, problems: list[str]) -> list[Json]:
    """The scripts of the Extras tab with the arguments that were given and differ from their component's default."""
    found = []
    for script in runner.scripts_in_preferred_order():
        if script.args_from is None or script.name == OWN_TITLE:
            continue
        values = [
            {"index": index, "label": name, "value": to_data(value, box, problems, f"{script.name} {name}")}
            for index, ((name, control), value) in enumerate(zip(script.controls.items(), arguments[script.args_from:script.args_to]))
            if value is not None and not _is_default(control, value)
        ]
        if values:
            found.append({"title": script.name, "file": script_file(script), "selected": False, "args": values})
    return found


def _selected_script(runner: Any, arguments: Any) -> Any:
    if runner is None or not isinstance(arguments, (list, tuple)):
        return None
    selectable = getattr(runner, "selectable_scripts", [])
    chosen = arguments[0] if arguments and isinstance(arguments[0], int) else 0
    return selectable[chosen - 1] if 0 < chosen <= len(selectable) else None


def script_title(script: Any) -> str:
    """The title, also of a script whose title() fails: the abstract base, when an extension imported it by name."""
    try:
        return str(script.title())
    except NotImplementedError:
        return script_file(script)


def script_file(script: Any) -> str:
    return os.path.basename(str(getattr(script, "filename", "") or ""))
