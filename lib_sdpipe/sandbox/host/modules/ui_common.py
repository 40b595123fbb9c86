"""What the tabs of the page have in common: texts as HTML, and the Save button."""

from __future__ import annotations

import html
import json
import os
from typing import Any

from modules import gradio_extensons, infotext_utils, shared
from modules import images as image_files


def plaintext_to_html(text: str, classname: str | None = None) -> str:
    content = "<br>\n".join(html.escape(x) for x in text.split("\n"))
    return f"<p class='{classname}'>{content}</p>" if classname else f"<p>{content}</p>"


def save_files(js_data: str, images: list[Any], do_make_zip: bool, index: int) -> str:
    """Save pictures of the gallery again. What callbacks get as `p` is a plain object, as in the host."""
    class MyObject:
        def __init__(self, d: dict[str, Any]) -> None:
            vars(self).update(d)

    data = json.loads(js_data)
    p: Any = MyObject(data)
    opts = shared.opts
    start = 0
    if index > -1 and opts.save_selected_only and index >= data["index_of_first_image"]:
        images, start = [images[index]], index
    os.makedirs(opts.outdir_save, exist_ok=True)
    saved = []
    for number, item in enumerate(images, start):
        p.batch_index = number - 1
        params = infotext_utils.parse_generation_parameters(data["infotexts"][number], [])
        full, _ = image_files.save_image(
            gradio_extensons.picture_of([item]), opts.outdir_save, "", seed=params["Seed"], prompt=params["Prompt"],
            extension=opts.samples_format, info=data["infotexts"][number], grid=number < data["index_of_first_image"],
            p=p, save_to_dirs=opts.use_save_to_dirs_for_ui)
        saved.append(os.path.basename(full))
    return plaintext_to_html("Saved: " + ", ".join(saved))
