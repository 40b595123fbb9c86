"""The host's own components. An InputAccordion is a checkbox that opens and closes an accordion (see script.js)."""

from __future__ import annotations

import itertools
from typing import Any

import gradio as gr

from modules.gradio_extensons import configured_like

_numbers = itertools.count()


@configured_like(gr.Button)
class ToolButton(gr.Button):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.pop("tooltip", None)
        super().__init__(*args, elem_classes=["tool", *kwargs.pop("elem_classes", [])], **kwargs)

    def get_block_name(self) -> str:
        return "button"


class FormRow(gr.Row):
    def get_block_name(self) -> str:
        return "row"


class FormColumn(gr.Column):
    def get_block_name(self) -> str:
        return "column"


class FormGroup(gr.Group):
    def get_block_name(self) -> str:
        return "group"


class FormHTML(gr.HTML):
    def get_block_name(self) -> str:
        return "html"


class ResizeHandleRow(FormRow):
    pass


@configured_like(gr.Checkbox)
class InputAccordion(gr.Checkbox):
    """Its value is whether it is open. The checkbox stays in the page, hidden by style, so that script.js finds it."""

    def __init__(self, value: bool = False, **kwargs: Any) -> None:
        self.accordion_id = kwargs.get("elem_id") or f"input-accordion-{next(_numbers)}"
        label = kwargs.get("label", "Accordion")
        super().__init__(value, label=label, elem_id=f"{self.accordion_id}-checkbox",
                         elem_classes=["input-accordion-checkbox"])
        self.accordion = gr.Accordion(label, open=value, elem_id=self.accordion_id, elem_classes=["input-accordion"],
                                      visible=kwargs.get("visible", True))

    def extra(self) -> Any:
        return gr.Column(elem_id=f"{self.accordion_id}-extra", elem_classes=["input-accordion-extra"], min_width=0)

    def __enter__(self) -> InputAccordion:
        self.accordion.__enter__()
        return self

    def __exit__(self, *exc_info: Any) -> None:
        self.accordion.__exit__(*exc_info)

    def get_block_name(self) -> str:
        return "checkbox"
