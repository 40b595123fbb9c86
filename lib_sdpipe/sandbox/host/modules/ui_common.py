"""What the tabs of the page have in common: texts as HTML, the gallery with its buttons, and what Save and Zip do."""

from __future__ import annotations

import html
import json
import os
from typing import Any
from zipfile import ZipFile

import gradio as gr

from modules import gradio_extensons, infotext_utils, shared
from modules import images as image_files
from modules.call_queue import wrap_gradio_call_no_job
from modules.infotext_utils import ParamBinding


def plaintext_to_html(text: str, classname: str | None = None) -> str:
    content = "<br>\n".join(html.escape(x) for x in text.split("\n"))
    return f"<p class='{classname}'>{content}</p>" if classname else f"<p>{content}</p>"


def save_files(js_data: str, images: list[Any], do_make_zip: bool, index: int) -> tuple[Any, str]:
    """Save pictures of the gallery again. What callbacks get as `p` is a plain object, as in the host."""
    class MyObject:
        def __init__(self, d: dict[str, Any]) -> None:
            vars(self).update(d)

    data = json.loads(js_data)
    p: Any = MyObject(data)
    path = shared.opts.outdir_save
    start_index = 0
    if index > -1 and shared.opts.save_selected_only and index >= data["index_of_first_image"]:
        images, start_index = [images[index]], index
    os.makedirs(path, exist_ok=True)
    filenames: list[str] = []
    fullfns: list[str] = []
    parsed_infotexts: list[dict[str, Any]] = []
    image: Any = None
    for image_index, filedata in enumerate(images, start_index):
        image = infotext_utils.image_from_url_text([filedata])
        p.batch_index = image_index - 1
        parameters = infotext_utils.parse_generation_parameters(data["infotexts"][image_index], [])
        parsed_infotexts.append(parameters)
        fullfn, txt_fullfn = image_files.save_image(
            image, path, "", seed=parameters["Seed"], prompt=parameters["Prompt"], extension=shared.opts.samples_format,
            info=p.infotexts[image_index], grid=image_index < p.index_of_first_image, p=p,
            save_to_dirs=shared.opts.use_save_to_dirs_for_ui)
        written = [fullfn, *([txt_fullfn] if txt_fullfn else [])]
        fullfns += written
        filenames += [os.path.relpath(x, path) for x in written]
    if do_make_zip:
        p.all_seeds = [x["Seed"] for x in parsed_infotexts]
        names = image_files.FilenameGenerator(p, p.all_seeds[0], parsed_infotexts[0]["Prompt"], image, True)
        pattern = shared.opts.grid_zip_filename_pattern or "[datetime]_[[model_name]]_[seed]-[seed_last]"
        fullfns.insert(0, os.path.join(path, f"{names.apply(pattern)}.zip"))
        with ZipFile(fullfns[0], "w") as zip_file:
            for full, name in zip(fullfns[1:], filenames, strict=True):
                zip_file.write(full, name)
    return gr.update(value=fullfns, visible=True), plaintext_to_html(f"Saved: {filenames[0]}")


class OutputPanel:
    """A gallery, its buttons and its texts. `outputs` are what a generating tab's job fills."""

    def __init__(self, tabname: str) -> None:
        self.button_upscale: Any = None
        with gr.Column(elem_id=f"{tabname}_results", scale=1):
            self.gallery = gradio_extensons.gallery(label="Output", show_label=False, elem_id=f"{tabname}_gallery")
            self.index = gradio_extensons.selected_index(self.gallery, f"{tabname}_gallery_index")
            with gr.Row(elem_id=f"image_buttons_{tabname}"):
                saving = [] if tabname == "extras" else [
                    (gr.Button("Save", elem_id=f"save_{tabname}", size="sm"), False),
                    (gr.Button("Zip", elem_id=f"save_zip_{tabname}", size="sm"), True)]
                buttons = {x: gr.Button(f"Send to {x}", elem_id=f"{tabname}_send_to_{x}", size="sm")
                           for x in ("txt2img", "img2img", "inpaint", "extras") if x != tabname}
                if tabname == "txt2img":
                    self.button_upscale = gr.Button("Hires. fix", elem_id="txt2img_upscale", size="sm")
            if tabname == "extras":
                self.generation_info = gr.HTML(elem_id="html_info_x_extras")
            else:
                self.generation_info = gr.Textbox(visible=False, elem_id=f"generation_info_{tabname}")
            self.infotext = gr.HTML(elem_id=f"html_info_{tabname}", elem_classes=["infotext"])
            self.html_log = gr.HTML(elem_id=f"html_log_{tabname}", elem_classes=["html-log"])
            if saving:
                files = gr.File(None, file_count="multiple", interactive=False, show_label=False, visible=False,
                                elem_id=f"download_files_{tabname}")
        for button, do_make_zip in saving:
            button.click(wrap_gradio_call_no_job(_saver(do_make_zip)), outputs=[files, self.html_log],
                         inputs=[self.generation_info, self.gallery, self.index])
        for target, button in buttons.items():
            infotext_utils.register_paste_params_button(ParamBinding(
                button, target, source_image_component=self.gallery,
                source_tabname=None if "extras" in (tabname, target) else tabname))

    @property
    def outputs(self) -> list[Any]:
        return [self.gallery, self.generation_info, self.infotext, self.html_log]


def _saver(do_make_zip: bool) -> Any:
    def save_selected(data: str, images: Any, index: Any) -> tuple[Any, str]:
        return save_files(data, images, do_make_zip, index or 0)

    return save_selected
