"""What was asked, as data: the processing object's request fields by the host API's names, and script arguments."""

from __future__ import annotations

import os
from typing import Any

from lib_sdpipe.hosts.plain_values import hide_home
from lib_sdpipe.hosts.rng_state import read_rng_state
from lib_sdpipe.hosts.to_data import PictureBox, to_data
from lib_sdpipe.record.facts import Json, RunRequest
from lib_sdpipe.record.privacy import is_secret

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
REQUEST_FIELDS = _COMMON + _TXT2IMG + _IMG2IMG
_MISSING = object()
OWN_TITLE = "SDPipe"


def read_request(p: Any, box: PictureBox) -> RunRequest:
    """The request behind a processing object, before the host and other extensions have filled it in."""
    problems: list[str] = []
    names = _COMMON + (_IMG2IMG if is_img2img(p) else _TXT2IMG if getattr(p, "enable_hr", False) else ())
    config: Json = {"endpoint": "img2img" if is_img2img(p) else "txt2img"}
    for name in names:
        value = getattr(p, "image_mask" if name == "mask" else name, _MISSING)
        if value is not _MISSING and not (value is None and name in _IMG2IMG):
            config[name] = to_data(value, box, problems, name)
    state = read_rng_state() if is_img2img(p) else None
    if state is not None:
        config["rng_state"] = state
    config["scripts"] = _read_scripts(p, box, problems)
    return RunRequest(
        source="api" if getattr(p, "is_api", False) else "ui",
        user=getattr(p, "user", None),
        config=hide_home(config),
        not_replayable=tuple(problems),
    )


def is_img2img(p: Any) -> bool:
    return hasattr(p, "init_images")


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
    title = script_title(script)
    given = [
        (index, control, value) for index, (control, value) in enumerate(zip(controls, arguments[start:end]))
        if keep_all or not _is_default(control, value)
    ]
    read = (_read_argument(title, index, getattr(control, "label", None), control, value, box, problems) for index, control, value in given)
    return [argument for argument in read if argument is not None]


def _read_argument(
    title: str, index: int, label: str | None, control: Any, value: Any, box: PictureBox, problems: list[str]
) -> Json | None:
    where = f"{title} argument {index}"
    if is_secret_field(control, value):
        problems.append(f"{where} is a secret and was not stored")
        return None
    data = to_data(value, box, problems, where)
    argument = {"index": index, "label": label, "value": data}
    return {**argument, "free_text": True} if _has_free_text(data, control) else argument


def is_secret_field(control: Any, value: Any) -> bool:
    """A password field, or one whose label says that it holds a key; what one chooses from a list is no secret."""
    if getattr(control, "type", None) == "password":
        return True
    return not getattr(control, "choices", None) and is_secret(str(getattr(control, "label", None) or ""), value)


def _has_free_text(data: Any, control: Any) -> bool:
    """Whether somebody may have typed it: a text anywhere in it is none of the component's choices."""
    if isinstance(data, str):
        # Gradio 4 has pairs of what is shown and what is sent.
        pairs = [choice if isinstance(choice, tuple) else (choice,) for choice in getattr(control, "choices", None) or ()]
        return bool(data) and not any(data in pair for pair in pairs)
    if isinstance(data, dict) and "$picture" not in data:
        return any(_has_free_text(item, control) for key, item in data.items() if key != "$type")
    return isinstance(data, list) and any(_has_free_text(item, control) for item in data)


def default_of(control: Any) -> Any:
    """A component's default. An empty text field has None or "", by whether the page's own file of defaults was there yet."""
    value = getattr(control, "value", None)
    return "" if value is None and hasattr(control, "lines") else value


def _is_default(control: Any, value: Any) -> bool:
    try:
        return bool(default_of(control) == value)
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
        named = zip(script.controls.items(), arguments[script.args_from:script.args_to])
        read = [
            _read_argument(script.name, index, name, control, value, box, problems)
            for index, ((name, control), value) in enumerate(named) if value is not None and not _is_default(control, value)
        ]
        values = [argument for argument in read if argument is not None]
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
