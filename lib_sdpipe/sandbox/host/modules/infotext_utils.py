"""Reading infotexts back into values, and the buttons that send them to another tab."""

from __future__ import annotations

import os
import re
from typing import Any

import gradio as gr

from modules import errors, gradio_extensons, paths, script_callbacks, shared
from modules.infotext_quote import quote, unquote  # noqa: F401

# Keys have two characters or more, of letters, digits, space, "-" and "/"; values with separators are JSON strings.
_PARAMETER = re.compile(r'(\w[\w /-]+):[ \t]*("(?:[^"\\]|\\.)*"|[^,\n]*)')
_DEFAULTS: dict[str, Any] = {
    "Clip skip": "1", "Hires resize-1": 0, "Hires resize-2": 0, "Hires sampler": "Use same sampler",
    "Hires schedule type": "Use same scheduler", "Hires checkpoint": "Use same checkpoint", "Hires prompt": "",
    "Hires negative prompt": "", "Mask mode": "Inpaint masked", "Masked content": "original",
    "Inpaint area": "Whole picture", "Masked area padding": 32, "RNG": "GPU", "Schedule type": "Automatic",
    "Schedule max sigma": 0, "Schedule min sigma": 0, "Schedule rho": 0, "VAE Encoder": "Full", "VAE Decoder": "Full",
    "FP8 weight": "Disable", "Refiner switch by sampling steps": False,
}


class PasteField(tuple):  # type: ignore[type-arg]
    def __new__(cls, component: Any, target: Any, *, api: str | None = None) -> PasteField:
        return super().__new__(cls, (component, target))

    def __init__(self, component: Any, target: Any, *, api: str | None = None) -> None:
        self.component, self.api = component, api
        self.label = target if isinstance(target, str) else None
        self.function = target if callable(target) else None


class ParamBinding:
    def __init__(self, paste_button: Any, tabname: str, source_text_component: Any = None,
                 source_image_component: Any = None, source_tabname: str | None = None,
                 override_settings_component: Any = None, paste_field_names: list[str] | None = None) -> None:
        self.paste_button, self.tabname, self.source_tabname = paste_button, tabname, source_tabname
        self.source_text_component, self.source_image_component = source_text_component, source_image_component
        self.override_settings_component = override_settings_component
        self.paste_field_names = paste_field_names or []


paste_fields: dict[str, dict[str, Any]] = {}
registered_param_bindings: list[ParamBinding] = []


def reset() -> None:
    paste_fields.clear()
    registered_param_bindings.clear()


def parse_generation_parameters(x: str, skip_fields: list[str] | None = None) -> dict[str, Any]:
    """Values by label, all as text; sizes are split in two, and what is missing gets the host's defaults."""
    lines = x.strip().split("\n")
    last = lines.pop()
    if len(_PARAMETER.findall(last)) < 3:
        lines, last = [*lines, last], ""
    texts: dict[str, list[str]] = {"Prompt": [], "Negative prompt": []}
    target = "Prompt"
    for line in (line.strip() for line in lines):
        if line.startswith("Negative prompt:"):
            target, line = "Negative prompt", line[len("Negative prompt:"):].strip()
        texts[target].append(line)
    res: dict[str, Any] = {}
    for key, value in _PARAMETER.findall(last):
        width, separator, height = value.partition("x")
        sized = separator and width.isdigit() and height.isdigit()
        res.update({f"{key}-1": width, f"{key}-2": height} if sized else {key: unquote(value)})
    res.update({key: "\n".join(found) for key, found in texts.items()})
    res = res | {k: v for k, v in _DEFAULTS.items() if k not in res}
    for key in shared.opts.infotext_skip_pasting if skip_fields is None else skip_fields:
        res.pop(key, None)
    return res


def create_override_settings_dict(text_pairs: list[str]) -> dict[str, Any]:
    """`["Clip skip: 2"]` as options of the host."""
    given = {k: v.strip() for k, v in (pair.split(":", 1) for pair in text_pairs or [])}
    labels = {info.infotext: key for key, info in shared.opts.data_labels.items() if info.infotext}
    return {labels[k]: shared.opts.cast_value(labels[k], v) for k, v in given.items() if k in labels}


def image_from_url_text(filedata: Any) -> Any:
    from modules import images  # which is loaded later than this

    return images.fix_image(gradio_extensons.picture_of(filedata))


def add_paste_fields(tabname: str, init_img: Any, fields: list[Any] | None, override_settings_component: Any = None) -> None:
    fields = fields and [x if isinstance(x, PasteField) else PasteField(*x) for x in fields]
    paste_fields[tabname] = {"init_img": init_img, "fields": fields,
                             "override_settings_component": override_settings_component}


def create_buttons(tabs_list: list[str]) -> dict[str, Any]:
    return {tab: gr.Button(f"Send to {tab}", elem_id=f"{tab}_tab") for tab in tabs_list}


def bind_buttons(buttons: dict[str, Any], send_image: Any, send_generate_info: Any) -> None:
    for tabname, button in buttons.items():
        named = isinstance(send_generate_info, str)
        register_paste_params_button(ParamBinding(
            button, tabname, source_image_component=send_image, source_tabname=send_generate_info if named else None,
            source_text_component=None if named else send_generate_info))


def register_paste_params_button(binding: ParamBinding) -> None:
    registered_param_bindings.append(binding)


def connect_paste_params_buttons() -> None:
    """Called when all tabs exist; an unknown tab name is a KeyError, as in the host."""
    for binding in registered_param_bindings:
        target = paste_fields[binding.tabname]
        if binding.source_image_component and target["init_img"]:
            _connect_image(binding, target)
        if binding.source_text_component is not None and target["fields"] is not None:
            connect_paste(binding.paste_button, target["fields"], binding.source_text_component)
        if binding.source_tabname is not None and target["fields"] is not None:
            names = ["Prompt", "Negative prompt", "Steps", "Seed", *binding.paste_field_names]
            source = [x for x, name in paste_fields[binding.source_tabname]["fields"] if name in names]
            outputs = [x for x, name in target["fields"] if name in names]
            binding.paste_button.click(lambda *x: x if len(x) > 1 else x[0], inputs=source, outputs=outputs)
        binding.paste_button.click(fn=None, inputs=[], outputs=[],
                                   **gradio_extensons.js(f"() => {{ switchToTab('{binding.tabname}'); }}"))


def _connect_image(binding: ParamBinding, target: dict[str, Any]) -> None:
    sizes = {name: x for x, name in target["fields"] or [] if name in ("Size-1", "Size-2")}
    outputs = [target["init_img"], *(sizes[x] for x in sorted(sizes) if binding.tabname != "inpaint")]

    def send(value: Any, index: Any) -> Any:
        sent, picture = gradio_extensons.chosen_of(value, index)
        if len(outputs) == 1:
            return sent
        resize = shared.opts.send_size and picture is not None
        return [sent, *([picture.width, picture.height] if resize else [gr.update(), gr.update()])]

    index = gradio_extensons.selected_index(binding.source_image_component)
    binding.paste_button.click(send, inputs=[binding.source_image_component, index], outputs=outputs)


def connect_paste(button: Any, fields: list[Any], input_comp: Any, override_settings_component: Any = None,
                  tabname: str | None = None) -> None:
    def value_of(component: Any, key: Any, params: dict[str, Any]) -> Any:
        try:
            value = key(params) if callable(key) else params.get(key)
            if value is None or isinstance(value, dict) or not hasattr(component, "value"):
                return gr.update() if value is None else value
            kind = type(component.value)
            if kind is bool and value == "False":
                return gr.update(value=False)
            return gr.update(value=value if kind is type(None) else float(value) if kind is int else kind(value))
        except Exception:
            errors.report(f"Error pasting {key}", exc_info=True)
            return gr.update()

    def paste(text: str) -> Any:
        if not text and not shared.cmd_opts.hide_ui_dir_config and not shared.cmd_opts.no_prompt_history:
            last = os.path.join(paths.data_path, "params.txt")
            if os.path.exists(last):
                with open(last, encoding="utf8") as file:
                    text = file.read()
        params = parse_generation_parameters(text or "")
        script_callbacks.infotext_pasted_callback(text, params)
        return [value_of(component, key, params) for component, key in fields]

    button.click(paste, inputs=[input_comp], outputs=[x[0] for x in fields])


