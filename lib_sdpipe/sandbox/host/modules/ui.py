"""The page: tabs of the host, tabs of extensions, Settings. Ids and order are those of the host."""

from __future__ import annotations

import html
import json
import os
from typing import Any

import gradio as gr

from modules import extensions, gradio_extensons, infotext_utils, paths, script_callbacks, scripts, shared
from modules.ui_common import plaintext_to_html  # noqa: F401
from modules.ui_generation import build_img2img, build_txt2img
from modules.ui_postprocessing import build_extras

BANNER = "Sandbox: pictures are drawn by a small program, not by a diffusion model"
txt2img_paste_fields: list[Any] = []
img2img_paste_fields: list[Any] = []


@gradio_extensons.without_apps()
def create_ui() -> gr.Blocks:
    gradio_extensons.head_html = _head
    infotext_utils.reset()
    script_callbacks.ui_settings_callback()
    interfaces: list[tuple[Any, str, str]] = []
    for runner, build, name in ((scripts.scripts_txt2img, build_txt2img, "txt2img"),
                                (scripts.scripts_img2img, build_img2img, "img2img")):
        scripts.scripts_current = runner
        runner.initialize_scripts(is_img2img=name == "img2img")
        with gr.Blocks(analytics_enabled=False) as interface:
            build()
        interfaces.append((interface, name, name))
    scripts.scripts_current = None
    with gr.Blocks(analytics_enabled=False) as interface:
        build_extras()
    interfaces.append((interface, "Extras", "extras"))
    interfaces += script_callbacks.ui_tabs_callback()
    with gr.Blocks(analytics_enabled=False) as interface:
        _settings()
    interfaces.append((interface, "Settings", "settings"))
    return _assemble(interfaces)


def _assemble(interfaces: list[tuple[Any, str, str]]) -> gr.Blocks:
    shared.tab_names[:] = [title for _, title, _ in interfaces]
    with gr.Blocks(analytics_enabled=False, title="Sandbox - Stable Diffusion") as demo:
        gr.HTML(f"<div id='sandbox_banner'>{BANNER}</div>")
        with gr.Row(elem_id="quicksettings"):
            checkpoint = _setting("sd_model_checkpoint", "setting_sd_model_checkpoint")
        with gr.Tabs(elem_id="tabs"):
            for interface, title, elem_id in interfaces:
                if title not in shared.opts.hidden_tabs:
                    with gradio_extensons.tab_item(title, id=elem_id, elem_id=f"tab_{elem_id}"):
                        interface.render()
        infotext_utils.connect_paste_params_buttons()
        checkpoint.change(lambda x: _store({"sd_model_checkpoint": x}), inputs=[checkpoint], outputs=[])
    return demo


def _store(values: dict[str, Any]) -> str:
    try:
        changed = [k for k, v in values.items() if shared.opts.set(k, v)]
        shared.opts.save(shared.config_filename)
    except (AssertionError, RuntimeError) as error:
        return html.escape(f"Not changed: {error}")
    return html.escape(f"{len(changed)} settings changed: {', '.join(changed)}." if changed else "Nothing changed.")


def _setting(key: str, elem_id: str) -> Any:
    """A component for one setting: the one it names, else one that fits its default."""
    info, value = shared.opts.data_labels[key], getattr(shared.opts, key)
    args = info.component_args() if callable(info.component_args) else info.component_args
    args = dict(args or {})
    kind = info.component
    if key == "sd_model_checkpoint":
        from modules import sd_models

        kind, args = gr.Dropdown, {"choices": sd_models.checkpoint_tiles()}
        value = sd_models.select_checkpoint().title
    elif kind is None:
        kind = {bool: gr.Checkbox, int: gr.Number, float: gr.Number}.get(type(info.default), gr.Textbox)
        if args.get("choices"):
            kind = gr.Radio
        if isinstance(info.default, list):
            kind, args = gr.Dropdown, {"choices": value, "multiselect": True, **args}
    return kind(label=info.label, value=value, elem_id=elem_id, **args)


def _settings() -> None:
    with gr.Row():
        apply = gr.Button("Apply settings", variant="primary", elem_id="settings_submit")
        reload = gr.Button("Reload UI", variant="primary", elem_id="settings_restart_gradio")
    result = gr.HTML(elem_id="settings_result")
    keys: list[str] = []
    components: list[Any] = []
    sections: dict[tuple[Any, Any], list[str]] = {}
    for key, info in shared.opts.data_labels.items():
        if info.section and info.section[0] is not None and key != "sd_model_checkpoint":
            sections.setdefault(tuple(info.section[:2]), []).append(key)
    for section, names in sections.items():
        with gr.Accordion(str(section[1]), open=False, elem_id=f"settings_{section[0]}"):
            for key in names:
                info = shared.opts.data_labels[key]
                if info.do_not_save:
                    gr.HTML(str(info.default))
                    continue
                component = _setting(key, f"setting_{key}")
                shared.settings_components[key] = component
                keys.append(key)
                components.append(component)
                if info.comment_before or info.comment_after:
                    gr.HTML(info.comment_before + info.comment_after, elem_classes=["settings-comment"])
    apply.click(lambda *values: _store(dict(zip(keys, values, strict=True))), inputs=components, outputs=[result])
    reload.click(fn=lambda: shared.state.request_restart(), inputs=[], outputs=[],
                 **gradio_extensons.js("() => { restartReload(); return []; }"))


def _head() -> str:
    """Scripts and styles of the sandbox and of the extensions, in the host's order."""
    res = [f"<script>{_own('script.js')}</script>", f"<style>{_own('style.css')}</style>",
           f"<script>window.opts = {json.dumps(json.loads(shared.opts.dumpjson())).replace('</', '<' + chr(92) + '/')};"
           f"</script>"]
    for extension, kind in ((".js", ""), (".mjs", ' type="module"')):
        res += [f'<script{kind} src="{file_address(x.path)}"></script>'
                for x in scripts.list_scripts("javascript", extension)]
    res += [f'<link rel="stylesheet" href="{file_address(x)}">'
            for x in scripts.list_files_with_name("style.css") if not x.startswith(paths.script_path)]
    return "\n".join(res)


def _own(name: str) -> str:
    with open(os.path.join(paths.script_path, name), encoding="utf8") as file:
        return file.read()


def file_address(path: str) -> str:
    """Where the page gets a file of an extension; the hosts use gradio's file route, which moved in gradio 5."""
    for extension in extensions.active():
        if path.startswith(extension.path + os.sep):
            relative = os.path.relpath(path, extension.path).replace(os.sep, "/")
            return f"sandbox-file/{extension.name}/{relative}?{os.path.getmtime(path)}"
    return ""
