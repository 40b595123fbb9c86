"""The scripts of one tab: their controls, and the calling of their hooks."""

from __future__ import annotations

import os
from typing import Any

import gradio as gr

from modules import errors, script_callbacks, scripts, shared


def wrap_call(func: Any, filename: str | None, funcname: str, *args: Any, default: Any = None) -> Any:
    try:
        return func(*args)
    except Exception:
        errors.report(f"Error calling: {filename}/{funcname}", exc_info=True)
    return default


class ScriptRunner:
    """ADetailer copies runners with `copy()`, so the attributes have the host's names and are plain."""

    def __init__(self) -> None:
        self.scripts: list[Any] = []
        self.selectable_scripts: list[Any] = []
        self.alwayson_scripts: list[Any] = []
        self.titles: list[str] = []
        self.title_map: dict[str, Any] = {}
        self.infotext_fields: list[Any] = []
        self.paste_field_names: list[str] = []
        self.inputs: list[Any] = [None]
        self.callback_map: dict[str, tuple[int, list[Any]]] = {}
        self.on_before_component_elem_id: dict[str, list[Any]] = {}
        self.on_after_component_elem_id: dict[str, list[Any]] = {}

    def initialize_scripts(self, is_img2img: bool) -> None:
        for old in (self.scripts, self.alwayson_scripts, self.selectable_scripts):
            old.clear()
        for data in scripts.scripts_data:
            try:
                script = data.script_class()
            except Exception:
                errors.report(f"Error: failed to initialize Script {data.module}", exc_info=True)
                continue
            script.filename = data.path
            script.is_txt2img, script.is_img2img = not is_img2img, is_img2img
            script.tabname = "img2img" if is_img2img else "txt2img"
            visibility = script.show(is_img2img)
            if not visibility:
                continue
            script.alwayson = visibility == scripts.AlwaysVisible
            self.scripts.append(script)
            (self.alwayson_scripts if script.alwayson else self.selectable_scripts).append(script)
        self.callback_map.clear()
        self.apply_on_before_component_callbacks()

    def apply_on_before_component_callbacks(self) -> None:
        for script in self.scripts:
            for wanted, known in ((script.on_before_component_elem_id, self.on_before_component_elem_id),
                                  (script.on_after_component_elem_id, self.on_after_component_elem_id)):
                for elem_id, callback in wanted or []:
                    known.setdefault(elem_id, []).append((callback, script))
                (wanted or []).clear()

    # --- controls ---

    def create_script_ui(self, script: Any) -> None:
        script.args_from = script.args_to = len(self.inputs)
        try:
            self._create_controls(script)
        except Exception:
            errors.report(f"Error creating UI for {script.name}", exc_info=True)

    def _create_controls(self, script: Any) -> None:
        controls = script.controls = wrap_call(script.ui, script.filename, "ui", script.is_img2img)
        if controls is None:
            return
        script.name = wrap_call(script.title, script.filename, "title", default=script.filename).lower()
        for control in controls:
            control.custom_script_source = os.path.basename(script.filename)
        script.api_info = {"name": script.name, "is_alwayson": script.alwayson, "is_img2img": script.is_img2img,
                           "args": [_api_arg(x) for x in controls]}
        self.infotext_fields += script.infotext_fields or []
        self.paste_field_names += script.paste_field_names or []
        self.inputs += controls
        script.args_to = len(self.inputs)

    def setup_ui_for_section(self, section: str | None, scriptlist: list[Any] | None = None) -> None:
        for script in self.alwayson_scripts if scriptlist is None else scriptlist:
            if script.alwayson and script.section != section:
                continue
            if not script.create_group:
                self.create_script_ui(script)
                continue
            with gr.Group(visible=script.alwayson) as group:
                self.create_script_ui(script)
            script.group = group

    def prepare_ui(self) -> None:
        self.inputs = [None]

    def setup_ui(self) -> list[Any]:
        """The controls of all scripts outside a section, and the dropdown of the selectable ones (argument 0)."""
        titles = [wrap_call(x.title, x.filename, "title") or x.filename for x in self.scripts]
        self.title_map = {title.lower(): script for title, script in zip(titles, self.scripts, strict=True)}
        self.titles = [wrap_call(x.title, x.filename, "title") or f"{x.filename} [error]"
                       for x in self.selectable_scripts]
        self.setup_ui_for_section(None)
        dropdown = gr.Dropdown(label="Script", elem_id="script_list", choices=["None", *self.titles], value="None",
                               type="index")
        self.inputs[0] = dropdown
        self.setup_ui_for_section(None, self.selectable_scripts)

        def select_script(index: int | None) -> Any:
            shown = [gr.update(visible=i == index) for i in range(1, len(self.selectable_scripts) + 1)]
            return shown[0] if len(shown) == 1 else shown

        groups = [x.group for x in self.selectable_scripts]
        if groups:
            dropdown.change(fn=select_script, inputs=[dropdown], outputs=groups)
        self.apply_on_before_component_callbacks()
        return self.inputs

    def script(self, title: str) -> Any:
        return self.title_map.get(title.lower())

    def run(self, p: Any, *args: Any) -> Any:
        """Run the selected script, if any; its Processed stands for the whole job."""
        index = args[0]
        if not index:
            return None
        script = self.selectable_scripts[index - 1]
        processed = script.run(p, *args[script.args_from:script.args_to])
        shared.total_tqdm.clear()
        return processed

    # --- hooks ---

    def list_scripts_for_method(self, method_name: str) -> list[Any]:
        return self.scripts if method_name in ("before_component", "after_component") else self.alwayson_scripts

    def ordered_callbacks(self, method_name: str, *, enable_user_sort: bool = True) -> list[Any]:
        category = f"script_{method_name}"
        candidates = self.list_scripts_for_method(method_name)
        length, callbacks = self.callback_map.get(category, (-1, []))
        if length == len(candidates):
            return callbacks
        found: list[Any] = []
        for script in candidates:
            if getattr(type(script), method_name, None) != getattr(scripts.Script, method_name, None):
                script_callbacks.add_callback(found, script, category=category, name=type(script).__name__,
                                              filename=script.filename)
        callbacks = script_callbacks.sort_callbacks(category, found, enable_user_sort=enable_user_sort)
        self.callback_map[category] = len(candidates), callbacks
        return callbacks

    def ordered_scripts(self, method_name: str) -> list[Any]:
        return [x.callback for x in self.ordered_callbacks(method_name)]

    def _fire(self, method_name: str, p: Any, *given: Any, **kwargs: Any) -> None:
        for script in self.ordered_scripts(method_name):
            try:
                args = p.script_args[script.args_from:script.args_to]
                getattr(script, method_name)(p, *given, *args, **kwargs)
            except Exception:
                errors.report(f"Error running {method_name}: {script.filename}", exc_info=True)

    def setup_scrips(self, p: Any, *, is_ui: bool = True) -> None:
        for script in self.ordered_scripts("setup"):
            if is_ui or not script.setup_for_ui_only:
                try:
                    script.setup(p, *p.script_args[script.args_from:script.args_to])
                except Exception:
                    errors.report(f"Error running setup: {script.filename}", exc_info=True)

    def before_process(self, p: Any) -> None:
        self._fire("before_process", p)

    def process(self, p: Any) -> None:
        self._fire("process", p)

    def before_process_batch(self, p: Any, **kwargs: Any) -> None:
        self._fire("before_process_batch", p, **kwargs)

    def after_extra_networks_activate(self, p: Any, **kwargs: Any) -> None:
        self._fire("after_extra_networks_activate", p, **kwargs)

    def process_before_every_sampling(self, p: Any, **kwargs: Any) -> None:
        self._fire("process_before_every_sampling", p, **kwargs)

    def process_batch(self, p: Any, **kwargs: Any) -> None:
        self._fire("process_batch", p, **kwargs)

    def before_hr(self, p: Any) -> None:
        self._fire("before_hr", p)

    def on_mask_blend(self, p: Any, mba: Any) -> None:
        self._fire("on_mask_blend", p, mba)

    def post_sample(self, p: Any, ps: Any) -> None:
        self._fire("post_sample", p, ps)

    def postprocess_batch(self, p: Any, images: Any, **kwargs: Any) -> None:
        self._fire("postprocess_batch", p, images=images, **kwargs)

    def postprocess_batch_list(self, p: Any, pp: Any, **kwargs: Any) -> None:
        self._fire("postprocess_batch_list", p, pp, **kwargs)

    def postprocess_image(self, p: Any, pp: Any) -> None:
        self._fire("postprocess_image", p, pp)

    def postprocess_maskoverlay(self, p: Any, ppmo: Any) -> None:
        self._fire("postprocess_maskoverlay", p, ppmo)

    def postprocess_image_after_composite(self, p: Any, pp: Any) -> None:
        self._fire("postprocess_image_after_composite", p, pp)

    def postprocess(self, p: Any, processed: Any) -> None:
        self._fire("postprocess", p, processed)

    def _component(self, when: str, elem_id: str | None, component: Any, kwargs: dict[str, Any]) -> None:
        for callback, script in getattr(self, f"on_{when}_component_elem_id").get(elem_id, []):
            wrap_call(callback, script.filename, f"on_{when}_component", scripts.OnComponent(component=component))
        for script in self.ordered_scripts(f"{when}_component"):
            try:
                getattr(script, f"{when}_component")(component, **kwargs)
            except Exception:
                errors.report(f"Error running {when}_component: {script.filename}", exc_info=True)

    def before_component(self, component: Any, **kwargs: Any) -> None:
        self._component("before", kwargs.get("elem_id"), component, kwargs)

    def after_component(self, component: Any, **kwargs: Any) -> None:
        self._component("after", getattr(component, "elem_id", None), component, kwargs)


def _api_arg(control: Any) -> dict[str, Any]:
    res = {"label": getattr(control, "label", None) or "", "value": None, "minimum": None, "maximum": None,
           "step": None, "choices": None}
    for field in ("value", "minimum", "maximum", "step"):
        value = getattr(control, field, None)
        res[field] = None if callable(value) else value
    choices = getattr(control, "choices", None)
    if choices is not None:
        res["choices"] = [x[0] if isinstance(x, (tuple, list)) else x for x in choices]
    return res
