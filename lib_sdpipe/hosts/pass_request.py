"""From a request as records have it to the host's processing object: fields by name, pictures by reference, scripts by title."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from modules import processing, scripts, sd_models, shared

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.hosts.flavour import is_forge
from lib_sdpipe.hosts.from_data import from_data, is_reference
from lib_sdpipe.hosts.request import REQUEST_FIELDS
from lib_sdpipe.hosts.script_arguments import ScriptArguments, build_arguments
from lib_sdpipe.hosts.used_models import SAME_CHOICES
from lib_sdpipe.pipeline.port import FindPicture
from lib_sdpipe.record.facts import Json

# The host API's names for what a record says otherwise, or what only concerns the answer to an HTTP call.
_OF_THE_CALL = (
    "endpoint", "scripts", "alwayson_scripts", "script_name", "script_args", "send_images", "save_images", "include_init_images",
    "force_task_id", "infotext", "sampler_index", "mask_blur", "then", "rng_state",
)
# What a pass saves is the pipeline's to say, and no option outlives it.
_OURS = ("do_not_save_samples", "do_not_save_grid", "override_settings_restore_afterwards", "override_settings")
_KINDS = (
    (bool, (bool,), "true or false"), (int, (int,), "a whole number"), (float, (int, float), "a number"), (str, (str, list), "a text"),
)


@dataclass
class PassPlan:
    """A request that is understood: `given` by the names of the host's class, `warnings` what was left out."""

    tab: str
    given: Json
    overrides: Json
    arguments: ScriptArguments
    save_grid: bool
    rng_state: Json | None = None
    warnings: list[str] = field(default_factory=list)

    @property
    def runner(self) -> Any:
        return getattr(scripts, f"scripts_{self.tab}")

    @property
    def batches(self) -> int:
        """By which the host's bar goes on: hires fix counts twice."""
        return int(self.given.get("n_iter") or 1) * (2 if self.given.get("enable_hr") else 1)


def read_plan(config: Json, find_picture: FindPicture) -> PassPlan:
    """Decode and check a request of `txt2img` or `img2img`. Raises SdPipeError: then nothing of it was run."""
    tab = config.get("endpoint")
    if tab not in ("txt2img", "img2img"):
        raise SdPipeError(f"{tab!r} is no request for a pass: endpoint must be txt2img or img2img")
    runner = getattr(scripts, f"scripts_{tab}")
    if runner is None:
        raise SdPipeError("the page is not built yet: try again when it is")
    arguments = build_arguments(runner, [*_scripts_of_api(config), *(config.get("scripts") or [])], find_picture)
    given, warnings = _read_fields(_class_of(tab), config, find_picture)
    overrides = {name: value for name, value in (config.get("override_settings") or {}).items() if name in shared.opts.data_labels}
    warnings += [f"The option {name} is unknown to this host and was left out." for name in config.get("override_settings") or {}
                 if name not in overrides]
    _check_overrides(overrides)
    if not given.get("init_images") and tab == "img2img":
        raise SdPipeError("an img2img request needs init_images")
    rng_state = config.get("rng_state") if isinstance(config.get("rng_state"), dict) else None
    return PassPlan(
        tab, given, overrides, arguments, not config.get("do_not_save_grid"), rng_state, [*warnings, *arguments.left_out],
    )


def build_processing(plan: PassPlan, user: str | None = None) -> Any:
    """The host's object for one pass, with its scripts set up. To be closed; made while the host's lock is held."""
    kind, opts = _class_of(plan.tab), shared.opts
    names = {one.name for one in fields(kind) if one.init}
    p = kind(
        outpath_samples=opts.outdir_samples or getattr(opts, f"outdir_{plan.tab}_samples"),
        outpath_grids=opts.outdir_grids or getattr(opts, f"outdir_{plan.tab}_grids"),
        override_settings=dict(plan.overrides), **{name: value for name, value in plan.given.items() if name in names},
    )
    for name, value in plan.given.items():
        if name in names:
            continue
        if hasattr(p, name):
            setattr(p, name, value)
        else:
            plan.warnings.append(_unknown(name))
    _complete_hires(p, plan.given)
    p.user = user
    # In this order: the scripts are set up as soon as both are there, and with is_api they leave the sampler and the seed alone.
    p.is_api = True
    p.scripts = plan.runner
    p.script_args = plan.arguments.values if plan.arguments.selected is not None else tuple(plan.arguments.values)
    return p


def _class_of(tab: str) -> Any:
    return processing.StableDiffusionProcessingTxt2Img if tab == "txt2img" else processing.StableDiffusionProcessingImg2Img


def _complete_hires(p: Any, given: Json) -> None:
    """Forge's fields of hires fix whose own defaults make its pass fail, or leave the negative prompt out."""
    if not getattr(p, "enable_hr", False):
        return
    if hasattr(p, "hr_additional_modules") and p.hr_additional_modules is None:
        p.hr_additional_modules = [SAME_CHOICES]
    if hasattr(p, "hr_cfg") and given.get("hr_cfg") is None:
        p.hr_cfg = p.cfg_scale
    # Forge takes it as leave to load no model, whatever model is loaded.
    if getattr(p, "firstpass_image", None) is not None and not is_forge():
        p.txt2img_upscale = True


def _read_fields(kind: Any, config: Json, find_picture: FindPicture) -> tuple[Json, list[str]]:
    """Fields that this host has, with pictures decoded; sentences about the others."""
    known = {one.name: _default_of(one) for one in fields(kind) if one.init}
    given, warnings = {}, []
    for name, value in config.items():
        if name in _OF_THE_CALL or name in _OURS:
            continue
        if name not in REQUEST_FIELDS:
            if value is not None:
                warnings.append(_unknown(name))
        elif is_reference(value) or isinstance(value, list) and any(map(is_reference, value)):
            given[name] = from_data(value, find_picture, name)
        elif value is not None:
            given[name] = _check(name, value, known.get(name))
    if isinstance(config.get("mask_blur"), int):
        given.setdefault("mask_blur_x", config["mask_blur"])
        given.setdefault("mask_blur_y", config["mask_blur"])
    return given, warnings


def _unknown(name: str) -> str:
    return f"The field {name} is unknown to this host and was left out."


def _default_of(declared: Field[Any]) -> Any:
    """The hosts write 0 for a fraction: `subseed_strength: float = 0`."""
    is_fraction = type(declared.default) is int and "float" in str(declared.type)
    return float(declared.default) if is_fraction else declared.default


def _check(name: str, value: Any, default: Any) -> Any:
    """The value, where it is of the kind that the host's field has by default."""
    for kind, allowed, text in _KINDS:
        if type(default) is not kind:
            continue
        if kind is int and isinstance(value, float) and value.is_integer():
            return int(value)
        if name in ("seed", "subseed") and isinstance(value, list):
            return value
        if not isinstance(value, allowed) or isinstance(value, bool) is not (kind is bool):
            raise SdPipeError(f"{name} must be {text}, not {str(value)[:40]!r}")
    return value


def _check_overrides(overrides: Json) -> None:
    """What the hosts do not have they pass over, and use something else in silence."""
    name = overrides.get("sd_model_checkpoint")
    if name and sd_models.checkpoint_aliases.get(name) is None:
        raise SdPipeError(f"the checkpoint {name} is not on this host: put it back, or choose another")
    check_upscaler(overrides.get("upscaler_for_img2img"))


def check_upscaler(name: Any) -> None:
    """The hosts resize in silence with an upscaler that they do not have. Raises SdPipeError."""
    if name and all(one.name != name for one in shared.sd_upscalers):
        raise SdPipeError(f"the upscaler {name} is not on this host: put it back, or choose another")


def _scripts_of_api(config: Json) -> list[Json]:
    """Scripts as the host's API names them, in a record's form."""
    found = [
        {"title": title, "args": _numbered((one or {}).get("args"))} for title, one in (config.get("alwayson_scripts") or {}).items()
    ]
    if config.get("script_name"):
        found.append({"title": config["script_name"], "selected": True, "args": _numbered(config.get("script_args"))})
    return found


def _numbered(values: Any) -> list[Json]:
    return [{"index": index, "value": value} for index, value in enumerate(values or [])]
