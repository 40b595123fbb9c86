"""The Extras tab's Upscale. Names, order and texts are the host's; the pictures are resampled."""

import gradio as gr
from modules import gradio_extensons, scripts_postprocessing, shared
from modules.ui_components import FormRow, InputAccordion
from PIL import Image

upscale_cache = {}


class ScriptPostprocessingUpscale(scripts_postprocessing.ScriptPostprocessing):
    name = "Upscale"
    order = 1000

    def ui(self):
        names = [x.name for x in shared.sd_upscalers]
        mode = gr.Number(value=0, visible=False)
        with InputAccordion(True, label="Upscale", elem_id="extras_upscale") as enabled:
            with FormRow():
                first = gr.Dropdown(label="Upscaler 1", elem_id="extras_upscaler_1", choices=names, value=names[0])
                second = gr.Dropdown(label="Upscaler 2", elem_id="extras_upscaler_2", choices=names, value=names[0])
                visibility = gr.Slider(minimum=0.0, maximum=1.0, step=0.001, label="Upscaler 2 visibility", value=0.0,
                                       elem_id="extras_upscaler_2_visibility")
            with gr.Tabs(elem_id="extras_resize_mode"):
                with gradio_extensons.tab_item("Scale by", elem_id="extras_scale_by_tab") as tab_by, FormRow():
                    by = gr.Slider(minimum=1.0, maximum=8.0, step=0.05, label="Resize", value=4,
                                   elem_id="extras_upscaling_resize")
                    limit = gr.Number(label="Max side length", value=0, elem_id="extras_upscale_max_side_length")
                with gradio_extensons.tab_item("Scale to", elem_id="extras_scale_to_tab") as tab_to, FormRow():
                    width = gr.Slider(minimum=64, maximum=8192, step=8, label="Width", value=512,
                                      elem_id="extras_upscaling_resize_w")
                    height = gr.Slider(minimum=64, maximum=8192, step=8, label="Height", value=512,
                                       elem_id="extras_upscaling_resize_h")
                    crop = gr.Checkbox(label="Crop to fit", value=True, elem_id="extras_upscaling_crop")
        tab_by.select(fn=lambda: 0, inputs=[], outputs=[mode])
        tab_to.select(fn=lambda: 1, inputs=[], outputs=[mode])
        return {
            "upscale_enabled": enabled, "upscale_mode": mode, "upscale_by": by, "max_side_length": limit,
            "upscale_to_width": width, "upscale_to_height": height, "upscale_crop": crop, "upscaler_1_name": first,
            "upscaler_2_name": second, "upscaler_2_visibility": visibility,
        }

    def process_firstpass(self, pp, upscale_mode=1, upscale_by=2.0, max_side_length=0, upscale_to_width=None,
                          upscale_to_height=None, **_):
        size = (upscale_to_width, upscale_to_height)
        if upscale_mode != 1:
            size = _limit(int(pp.image.width * upscale_by), int(pp.image.height * upscale_by), max_side_length)
        pp.shared.target_width, pp.shared.target_height = size

    def process(self, pp, upscale_enabled=True, upscaler_1_name=None, upscaler_2_name=None, upscaler_2_visibility=0.0,
                **how):
        first = _upscaler(upscaler_1_name) if upscale_enabled else None
        if first is None:
            return
        second = _upscaler(upscaler_2_name)
        image = self.upscale(pp.image, pp.info, first, **how)
        pp.info["Postprocess upscaler"] = first.name
        if second is not None and upscaler_2_visibility > 0:
            other = self.upscale(pp.image, pp.info, second, **how).convert(image.mode)
            image = Image.blend(image, other, upscaler_2_visibility)
            pp.info["Postprocess upscaler 2"] = second.name
        pp.image = image

    def image_changed(self):
        upscale_cache.clear()

    def upscale(self, image, info, upscaler, upscale_mode, upscale_by, max_side_length, upscale_to_width,
                upscale_to_height, upscale_crop):
        size, fits = (upscale_to_width, upscale_to_height), upscale_mode == 1
        if fits:
            info["Postprocess upscale to"] = f"{size[0]}x{size[1]}"
        else:
            info["Postprocess upscale by"] = upscale_by
            if max_side_length != 0 and max(*image.size) * upscale_by > max_side_length:
                size = _limit(image.width * upscale_by, image.height * upscale_by, max_side_length)
                fits, upscale_crop = True, False
                info["Max side length"] = max_side_length
        if fits:
            upscale_by = max(size[0] / image.width, size[1] / image.height)
        # The host keeps its last results, whatever became of them, and is not told of an interruption.
        key = (hash(image.tobytes()), upscaler.name, upscale_mode, upscale_by, upscale_to_width, upscale_to_height, upscale_crop)
        cached = upscale_cache.pop(key, None)
        image = upscaler.scaler.upscale(image, upscale_by, upscaler.data_path) if cached is None else cached
        upscale_cache[key] = image
        if len(upscale_cache) > 5:
            upscale_cache.pop(next(iter(upscale_cache)))
        if fits and upscale_crop:
            cropped = Image.new("RGB", size)
            cropped.paste(image, box=(size[0] // 2 - image.width // 2, size[1] // 2 - image.height // 2))
            image = cropped
            info["Postprocess crop to"] = f"{image.width}x{image.height}"
        return image


def _upscaler(name):
    if name in (None, "None"):
        return None
    found = next((x for x in shared.sd_upscalers if x.name == name), None)
    assert found is not None, f"could not find upscaler named {name}"
    return found


def _limit(width, height, limit):
    """As in the host a limit of 0 makes the wanted size 0 here; only other scripts look at it."""
    if height > width and height > limit:
        return int(limit * width // height), int(limit)
    return (int(limit), int(limit * height // width)) if width > limit else (int(width), int(height))
