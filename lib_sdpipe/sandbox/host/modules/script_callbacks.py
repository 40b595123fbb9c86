"""Global callbacks: registration, order, and firing. An exception in a callback is printed and goes no further."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from modules import errors, extensions, shared, util


class ImageSaveParams:
    def __init__(self, image: Any, p: Any, filename: str, pnginfo: dict[str, Any]) -> None:
        self.image, self.p, self.filename, self.pnginfo = image, p, filename, pnginfo


class ImageGridLoopParams:
    def __init__(self, imgs: list[Any], cols: int, rows: int) -> None:
        self.imgs, self.cols, self.rows = imgs, cols, rows


class UiTrainTabParams:
    def __init__(self, txt2img_preview_params: Any) -> None:
        self.txt2img_preview_params = txt2img_preview_params


@dataclass
class ScriptCallback:
    script: str
    callback: Any
    name: str = "unnamed"


CATEGORIES = (
    "app_started", "model_loaded", "ui_tabs", "ui_train_tabs", "ui_settings", "before_image_saved", "image_saved",
    "extra_noise", "cfg_denoiser", "cfg_denoised", "cfg_after_cfg", "before_component", "after_component",
    "image_grid", "infotext_pasted", "script_unloaded", "before_ui", "on_reload", "list_optimizers", "list_unets",
    "before_token_counter",
)
callback_map: dict[str, list[ScriptCallback]] = {f"callbacks_{x}": [] for x in CATEGORIES}
ordered_callbacks_map: dict[str, list[ScriptCallback]] = {}


def _calling_file() -> str:
    return next((x.filename for x in inspect.stack(0) if x.filename != __file__), "unknown file")


def add_callback(callbacks: list[ScriptCallback], fun: Any, *, name: str | None = None, category: str = "unknown",
                 filename: str | None = None) -> None:
    """Append under the name `<extension>/<file>/<category>[/<name>]`, made unique by a number."""
    filename = filename or _calling_file()
    extension = extensions.find_extension(filename)
    parts = [extension.canonical_name if extension else "base", os.path.basename(filename), category]
    wanted = unique = "/".join(parts + ([name] if name is not None else []))
    taken = {x.name for x in callbacks}
    number = 1
    while unique in taken:
        unique = f"{wanted}-{number}"
        number += 1
    callbacks.append(ScriptCallback(filename, fun, unique))


def sort_callbacks(category: str, unordered_callbacks: Iterable[ScriptCallback], *,
                   enable_user_sort: bool = True) -> list[ScriptCallback]:
    """First what metadata.ini files ask for, then the user's own priorities to the front."""
    by_name = {x.name: x for x in unordered_callbacks}
    wishes = [w for e in extensions.extensions for w in e.metadata.list_callback_order_instructions()
              if w.name in by_name]
    names = list(by_name)
    if wishes:
        after: dict[str, list[str]] = {name: [] for name in names}
        for wish in wishes:
            after[wish.name] += [x for x in wish.after if x in by_name]
            for other in wish.before:
                if other in by_name:
                    after[other].append(wish.name)
        names = util.topological_sort(after)
    first = getattr(shared.opts, "prioritized_callbacks_" + category, []) if enable_user_sort else []
    names = [x for x in first if x in by_name] + [x for x in names if x not in first]
    return [by_name[x] for x in names]


def ordered_callbacks(category: str, unordered_callbacks: list[ScriptCallback] | None = None, *,
                      enable_user_sort: bool = True) -> list[ScriptCallback]:
    if unordered_callbacks is None:
        unordered_callbacks = callback_map.get("callbacks_" + category, [])
    if not enable_user_sort:
        return sort_callbacks(category, unordered_callbacks, enable_user_sort=False)
    cached = ordered_callbacks_map.get(category)
    if cached is None or len(cached) != len(unordered_callbacks):  # like the host: only a changed number is noticed
        cached = ordered_callbacks_map[category] = sort_callbacks(category, unordered_callbacks)
    return cached


def enumerate_callbacks() -> Iterator[tuple[str, list[ScriptCallback]]]:
    for category, callbacks in callback_map.items():
        yield category[len("callbacks_"):], callbacks


def clear_callbacks() -> None:
    for callbacks in callback_map.values():
        callbacks.clear()
    ordered_callbacks_map.clear()


def remove_callbacks_for_function(callback_func: Any) -> None:
    for callbacks in (*callback_map.values(), *ordered_callbacks_map.values()):
        callbacks[:] = [x for x in callbacks if x.callback != callback_func]


def remove_current_script_callbacks() -> None:
    filename = _calling_file()
    for callbacks in (*callback_map.values(), *ordered_callbacks_map.values()):
        callbacks[:] = [x for x in callbacks if x.script != filename]


def _fire(category: str, *args: Any, backwards: bool = False, **kwargs: Any) -> list[Any]:
    res = []
    callbacks = ordered_callbacks(category)
    for c in reversed(callbacks) if backwards else list(callbacks):
        try:
            res.append(c.callback(*args, **kwargs))
        except Exception:
            errors.report(f"Error executing callback {category} for {c.script}", exc_info=True)
    return res


def app_started_callback(demo: Any, app: Any) -> None:
    _fire("app_started", demo, app)


def app_reload_callback() -> None:
    _fire("on_reload")


def model_loaded_callback(sd_model: Any) -> None:
    _fire("model_loaded", sd_model)


def ui_tabs_callback() -> list[Any]:
    return [tab for tabs in _fire("ui_tabs") for tab in tabs or []]


def ui_settings_callback() -> None:
    _fire("ui_settings")


def before_image_saved_callback(params: ImageSaveParams) -> None:
    _fire("before_image_saved", params)


def image_saved_callback(params: ImageSaveParams) -> None:
    _fire("image_saved", params)


def before_component_callback(component: Any, **kwargs: Any) -> None:
    _fire("before_component", component, **kwargs)


def after_component_callback(component: Any, **kwargs: Any) -> None:
    _fire("after_component", component, **kwargs)


def image_grid_callback(params: ImageGridLoopParams) -> None:
    _fire("image_grid", params)


def infotext_pasted_callback(infotext: str, params: dict[str, Any]) -> None:
    _fire("infotext_pasted", infotext, params)


def script_unloaded_callback() -> None:
    _fire("script_unloaded", backwards=True)


def before_ui_callback() -> None:
    _fire("before_ui", backwards=True)


def _registration(category: str) -> Callable[..., None]:
    def register(callback: Any, *, name: str | None = None) -> None:
        add_callback(callback_map[f"callbacks_{category}"], callback, name=name, category=category)

    return register


on_app_started = _registration("app_started")
on_before_reload = _registration("on_reload")
on_model_loaded = _registration("model_loaded")
on_ui_tabs = _registration("ui_tabs")
on_ui_train_tabs = _registration("ui_train_tabs")
on_ui_settings = _registration("ui_settings")
on_before_image_saved = _registration("before_image_saved")
on_image_saved = _registration("image_saved")
on_extra_noise = _registration("extra_noise")
on_cfg_denoiser = _registration("cfg_denoiser")
on_cfg_denoised = _registration("cfg_denoised")
on_cfg_after_cfg = _registration("cfg_after_cfg")
on_before_component = _registration("before_component")
on_after_component = _registration("after_component")
on_image_grid = _registration("image_grid")
on_infotext_pasted = _registration("infotext_pasted")
on_script_unloaded = _registration("script_unloaded")
on_before_ui = _registration("before_ui")
on_list_optimizers = _registration("list_optimizers")
on_list_unets = _registration("list_unets")
on_before_token_counter = _registration("before_token_counter")
