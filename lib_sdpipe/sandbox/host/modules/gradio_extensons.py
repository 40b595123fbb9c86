"""Everything that differs between gradio 3.41, 4.40 and 6, and the patches that the host makes to gradio.

The name is the host's (spelled so in A1111). Installed once for the process; without a sandbox running they do nothing.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gradio as gr
from PIL import Image

MAJOR = int(gr.__version__.split(".")[0])
head_html: Callable[[], str] = str
"""What goes into the page's <head>; set by the page."""
_state = {"installed": False}
if hasattr(gr, "component_meta"):  # gradio from 4 on writes a .pyi beside every file that derives a component
    gr.component_meta.create_or_modify_pyi = lambda *_: None


def js(code: str) -> dict[str, str]:
    """The keyword for javascript of an event."""
    return {"_js" if MAJOR < 4 else "js": code}


def with_new_task(inputs: list[Any]) -> dict[str, str]:
    """Javascript that makes a task id as the first value; gradio hands it the outputs too, behind the inputs."""
    digits = "Math.random().toString(36).slice(2).padEnd(15, '0').slice(0, 15)"
    return js(f"(...args) => ['task(' + {digits} + ')', ...args.slice(1, {len(inputs)})]")


def supported(component: Any, **kwargs: Any) -> dict[str, Any]:
    """Those of the arguments that this gradio's component knows."""
    known = inspect.signature(component.__init__).parameters
    return {k: v for k, v in kwargs.items() if k in known}


def image_input(**kwargs: Any) -> Any:
    source = {"source": "upload"} if MAJOR < 4 else {"sources": ["upload", "clipboard"]}
    return gr.Image(type="pil", interactive=True, **source, **supported(gr.Image, format="png"), **kwargs)


def gallery(**kwargs: Any) -> Any:
    options = {"columns": 4, "preview": True, "object_fit": "contain", "format": "png", "height": 460,
               "interactive": False}
    return gr.Gallery(**supported(gr.Gallery, **options), **kwargs)


def tab_item(label: str, **kwargs: Any) -> Any:
    return gr.TabItem(label, **supported(gr.TabItem, render_children=True), **kwargs)


def configured_like(base: Any) -> Callable[[Any], Any]:
    """For a derived component: what it tells the page is read from the signature of its constructor."""
    def decorate(component: Any) -> Any:
        component.__init__.__signature__ = inspect.signature(base.__init__)
        return component

    return decorate


@contextmanager
def without_apps() -> Iterator[None]:
    """Inside, Blocks get no web app of their own: gradio from 4 on makes two for each, and only the launched one counts."""
    original = gr.routes.App.create_app
    if MAJOR >= 4:
        gr.routes.App.create_app = staticmethod(lambda *_, **__: None)
    try:
        yield
    finally:
        gr.routes.App.create_app = staticmethod(original)


def queue(demo: Any) -> None:
    demo.queue(64) if MAJOR < 4 else demo.queue()  # from 4 on the argument is another one; the limit is 1 per event


def launch(demo: Any, **kwargs: Any) -> tuple[Any, str]:
    """Start the server in its thread; return (app, address)."""
    options = {k: v for k, v in {"ssr_mode": False, "show_tips": False}.items()
               if k in inspect.signature(demo.launch).parameters}
    app, url, _ = demo.launch(prevent_thread_lock=True, quiet=True, show_error=True, **options, **kwargs)
    return app, url


def for_gallery(images: list[Any]) -> list[Any]:
    """Saved files instead of pictures where there are any: a browser then gets, and sends on, the very bytes."""
    paths = [getattr(x, "already_saved_as", None) for x in images]
    return [os.path.abspath(path) if path and os.path.isfile(path) else image for image, path in zip(images, paths, strict=True)]


def _item(value: Any, index: int | None) -> Any:
    if isinstance(value, list):
        value = value[min(index or 0, len(value) - 1)] if value else None
    if isinstance(value, tuple):
        value = value[0]
    return value.get("name") or value.get("path") if isinstance(value, dict) else value


def picture_of(value: Any, index: int | None = 0) -> Any:
    """A picture out of what a Gallery or Image hands to a function."""
    item = _item(value, index)
    return Image.open(item.split("?")[0]) if isinstance(item, str) else item


def chosen_of(value: Any, index: int | None) -> tuple[Any, Any]:
    """The chosen item (a path stays a path, so that nothing is encoded anew), and as a picture if it is one."""
    item = _item(value, index)
    picture = picture_of(item)
    return item, picture if isinstance(picture, Image.Image) else None


def _select(evt: gr.SelectData) -> int:
    return evt.index


def selected_index(component: Any, elem_id: str | None = None) -> Any:
    """A number that follows which picture of a gallery is selected; with an id it is on the page, unseen."""
    index = gr.State(0) if elem_id is None else gr.Number(0, precision=0, elem_id=elem_id, elem_classes=["unseen"])
    if isinstance(component, gr.Gallery):
        component.select(_select, inputs=None, outputs=[index], **({} if MAJOR < 4 else {"show_progress": "hidden"}))
    return index


def _announcing(original: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(original)
    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        from modules import script_callbacks, scripts

        runner = scripts.scripts_current
        if runner is not None:
            runner.before_component(self, **kwargs)
        script_callbacks.before_component_callback(self, **kwargs)
        original(self, *args, **kwargs)
        script_callbacks.after_component_callback(self, **kwargs)
        if runner is not None:
            runner.after_component(self, **kwargs)

    return init


def install() -> None:
    """Announce every component to scripts, and put our head into every page."""
    if _state["installed"]:
        return
    _state["installed"] = True
    base = getattr(gr.components, "IOComponent", gr.components.Component)
    base.__init__ = _announcing(base.__init__)
    gr.blocks.BlockContext.__init__ = _announcing(gr.blocks.BlockContext.__init__)
    original = gr.routes.templates.TemplateResponse

    def with_head(*args: Any, **kwargs: Any) -> Any:
        response = original(*args, **kwargs)
        response.body = response.body.replace(b"</head>", head_html().encode() + b"</head>", 1)
        response.headers["content-length"] = str(len(response.body))
        return response

    gr.routes.templates.TemplateResponse = with_head
