"""Writes down every hook and callback. The log lives in sys.modules, so that it survives Reload UI."""

import sys
import threading
import types

import gradio as gr
from modules import infotext_utils, script_callbacks, scripts, shared

if "sandbox_probe_log" not in sys.modules:
    sys.modules["sandbox_probe_log"] = types.ModuleType("sandbox_probe_log")
    sys.modules["sandbox_probe_log"].events = []
EVENTS = sys.modules["sandbox_probe_log"].events
ROOT = scripts.basedir()


def note(event, **facts):
    EVENTS.append({"event": event, "thread": threading.current_thread().name, **facts})


note("import", basedir=ROOT, on_path=ROOT in sys.path, own_module=__name__ in sys.modules)


def facts_of(p):
    names = ("iteration", "batch_index", "is_hr_pass", "is_api", "user", "outpath_samples", "_ad_inner")
    return {"p": p, "type": type(p).__name__, **{x: getattr(p, x) for x in names if hasattr(p, x)}}


HOOKS = (
    "setup", "before_process", "process", "before_process_batch", "after_extra_networks_activate", "process_batch",
    "process_before_every_sampling", "before_hr", "post_sample", "postprocess_batch", "postprocess_batch_list",
    "postprocess_image", "postprocess_maskoverlay", "postprocess_image_after_composite", "on_mask_blend", "postprocess",
)


class Probe(scripts.Script):
    def title(self):
        return "Probe"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def ui(self, is_img2img):
        note("ui", is_img2img=is_img2img)
        self.checkbox = gr.Checkbox(label="Probe this", value=True, elem_id=self.elem_id("on"))
        self.infotext_fields = [(self.checkbox, "Probe")]
        return [self.checkbox, gr.Textbox(label="Probe text", value="default text", elem_id=self.elem_id("text"))]


def make_hook(name):
    def hook(self, p, *args, **kwargs):
        given = args[0] if args and not isinstance(args[0], (bool, str)) else None
        note(name, args=args, kwargs=kwargs, given=given, images=len(getattr(given, "images", [])),
             seeds=p.all_seeds, model=getattr(p, "sd_model_name", None), **facts_of(p))
        if name == "process" and "raise" in str(p.prompt):
            raise ValueError("the probe was told to raise")

    return hook


for hook_name in HOOKS:
    setattr(Probe, hook_name, make_hook(hook_name))


class Early(scripts.Script):
    """Ordered before ADetailer by metadata.ini."""

    def title(self):
        return "Early"

    def show(self, is_img2img):
        return scripts.AlwaysVisible

    def postprocess_image(self, p, pp, *args):
        note("early_postprocess_image", info=dict(pp.image.info))


class Selectable(scripts.Script):
    """A script for the dropdown: two passes on copies, then a grid saved with a Processed for `p`."""

    def title(self):
        return "Two passes"

    def ui(self, is_img2img):
        return [gr.Number(label="Second seed", value=2, elem_id=self.elem_id("second"))]

    def run(self, p, second):
        from copy import copy

        from modules import images, processing

        p.do_not_save_grid = True
        results = []
        for seed in (p.seed, int(second)):
            one = copy(p)
            one.seed = seed
            results.append(processing.process_images(one))
        grid = images.image_grid([x.images[0] for x in results], 2)
        images.save_image(grid, p.outpath_grids, "xyz_grid", info=results[0].infotexts[0], extension="png",
                          prompt=p.prompt, seed=results[0].seed, grid=True, p=results[0])
        results[0].images = [grid, *(x.images[0] for x in results)]
        return results[0]


def saved(name):
    def callback(params):
        import os

        note(name, filename=params.filename, exists=os.path.exists(params.filename), pnginfo=dict(params.pnginfo),
             image_info=dict(params.image.info), mode=params.image.mode,
             already=getattr(params.image, "already_saved_as", None), **facts_of(params.p))

    return callback


def on_ui_tabs():
    note("on_ui_tabs")
    with gr.Blocks(analytics_enabled=False) as tab:
        text = gr.Textbox(label="Infotext", elem_id="probe_infotext")
        image = gr.Image(label="Picture", type="pil", elem_id="probe_image")
        for name, button in infotext_utils.create_buttons(["txt2img", "img2img", "extras"]).items():
            infotext_utils.register_paste_params_button(infotext_utils.ParamBinding(
                button, name, source_text_component=text, source_image_component=image))
    return [(tab, "Probe tab", "probe_tab")]


def on_ui_settings():
    note("on_ui_settings")
    shared.opts.add_option("probe_option", shared.OptionInfo(3, "An option", gr.Number, section=("probe", "Probe"))
                           .info("counts").needs_reload_ui())


script_callbacks.on_before_ui(lambda: note("on_before_ui"))
script_callbacks.on_ui_settings(on_ui_settings)
script_callbacks.on_ui_tabs(on_ui_tabs)
script_callbacks.on_app_started(lambda demo, app: note("on_app_started", demo=demo, app=app))
script_callbacks.on_model_loaded(lambda model: note("on_model_loaded", model=model))
script_callbacks.on_before_image_saved(saved("on_before_image_saved"))
script_callbacks.on_image_saved(saved("on_image_saved"))
script_callbacks.on_image_grid(lambda params: note("on_image_grid", count=len(params.imgs)))
script_callbacks.on_before_reload(lambda: note("on_before_reload"))
script_callbacks.on_script_unloaded(lambda: note("on_script_unloaded"))
script_callbacks.on_infotext_pasted(lambda text, params: note("on_infotext_pasted", text=text, params=params))
script_callbacks.on_after_component(lambda component, **kwargs: note("component", **kwargs)
                                    if kwargs.get("elem_id") == "txt2img_generate" else None)
