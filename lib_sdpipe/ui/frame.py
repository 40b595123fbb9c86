"""What all sections of the tab share: how they are asked, how a fault becomes a sentence, the notice at the top."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Union

import gradio as gr

from lib_sdpipe.errors import SdPipeError
from lib_sdpipe.ui.ask import Ask, parse_ask
from lib_sdpipe.ui.background import Background
from lib_sdpipe.ui.gradio_versions import build_html, quiet_event
from lib_sdpipe.ui.host import TabHost
from lib_sdpipe.ui.html_text import show_notice
from lib_sdpipe.ui.page_state import PageState
from lib_sdpipe.ui.visit import ELSEWHERE, is_from_elsewhere
from lib_sdpipe.workspace import Workspace

Updates = tuple[Any, ...]


@dataclass(frozen=True)
class Noted:
    """Updates with a sentence for the notice: what was asked was not done, and the page must be told how things are."""

    sentence: str
    updates: Updates


Work = Callable[..., Union[Updates, Noted]]
Answer = Callable[[gr.Request, dict[str, Any], Sequence[Any]], Updates]


class Frame:
    """Made inside the tab's Blocks, before its sections.

    An answer begins with the notice; the rest are the updates of the components that were named as outputs.
    """

    def __init__(self, host: TabHost, hides_folders: bool = False, background: Background | None = None) -> None:
        """`hides_folders`: the page must not say where folders are. `background` is for what takes long; whoever made it ends it."""
        self.host = host
        self.background = background or Background()
        self.hides_folders = hides_folders
        self._notice = build_html("", elem_id="sdpipe_notice")
        # Hidden by style.css, and outside the sections: an invisible button or one of a section that nobody has opened
        # yet may not be on the page at all.
        with gr.Row(elem_id="sdpipe_carriers") as self._carriers:
            pass

    def on_ask(self, name: str, work: Work, outputs: Sequence[Any], inputs: Sequence[Any] = ()) -> None:
        """What happens when an element of the page with `data-sdpipe-ask=NAME` is pressed: `work(ask, *inputs)`.

        Asks with the same first output are answered one after the other.
        """
        with self._carriers:
            carrier = gr.Textbox("", elem_id=f"sdpipe_asked_{name}", show_label=False)
            line = getattr(outputs[0], "elem_id", None) if outputs else None
            button = gr.Button(name, elem_id=f"sdpipe_ask_{name}", elem_classes=[f"sdpipe_line_{line or name}"])
        answer, inputs = self._build_answer(work, inputs, outputs)
        states = [f"a{number}" for number in range(len(inputs))]
        # javascript/sdpipe.js keeps what was pressed; states stay on the server and pass through unread.
        javascript = f"({', '.join(['asked', *states])}) => [{', '.join([f'window.sdpipe.take({json.dumps(name)})', *states])}]"

        def answer_ask(request: gr.Request, asked: str, *values: Any) -> Updates:
            if asked == "":  # pressed once more for what gradio had taken already
                return unchanged(2 + len(outputs))
            data = parse_ask(asked)
            return (str(data.get("asked", "")), *answer(request, data, values))

        button.click(answer_ask, [carrier, *inputs], [carrier, self._notice, *outputs], **quiet_event(javascript))

    def on(self, listen: Callable[..., Any], work: Work, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """What happens at an event of a gradio component, `button.click` for one: `work(ask, *inputs)`."""
        answer, inputs = self._build_answer(work, inputs, outputs)

        def answer_event(request: gr.Request, *values: Any) -> Updates:
            return answer(request, {}, values)

        listen(answer_event, list(inputs), [self._notice, *outputs], **quiet_event())

    def build_state(self, value: Any) -> gr.State:
        """What the server keeps of a page for a section: an input and output of its events, of each at most one."""
        return gr.State(PageState(value))

    def _build_answer(self, work: Work, inputs: Sequence[Any], outputs: Sequence[Any]) -> tuple[Answer, Sequence[Any]]:
        """What answers an event, and the inputs it needs: a state that is only written is an input too."""
        state = next((each for each in (*inputs, *outputs) if isinstance(each, gr.State)), None)
        count, needed = len(inputs), inputs if state is None or any(each is state for each in inputs) else [*inputs, state]

        def answer(request: gr.Request, data: dict[str, Any], values: Sequence[Any]) -> Updates:
            if is_from_elsewhere(request.headers):
                return (self._show_notice(ELSEWHERE), *unchanged(len(outputs)))
            user = getattr(request, "username", None)
            kept = next((value for value in values if isinstance(value, PageState)), None)
            if kept is None:
                return self.answer(work, len(outputs), data, user, values)
            with kept.lock:
                given = [kept.value if value is kept else value for value in values[:count]]
                notice, *updates = self.answer(work, len(outputs), data, user, given)
                return (notice, *(kept.take(update) if output is state else update for output, update in zip(outputs, updates)))

        return answer, needed

    def answer(self, work: Work, count: int, data: dict[str, Any], user: str | None, values: Sequence[Any] = ()) -> Updates:
        """The notice and the updates; a fault becomes the notice and changes nothing else.

        What a page asks `quietly`, by its clock and not by a press, leaves the notice as it is: somebody may be reading it.
        """
        try:
            done = work(open_ask(self.host, user, data), *values)
        except (SdPipeError, OSError) as fault:
            done = Noted(self.readable(str(fault)), unchanged(count))
        if isinstance(done, Noted):
            return (self._show_notice(done.sentence), *done.updates)
        return (gr.update() if data.get("quietly") is True else self._show_notice(), *done)

    def readable(self, sentence: str) -> str:
        """Sentences about files name them from the runs folder on: shorter, and it may have to stay unnamed."""
        folder = str(self.host.layout().runs)
        sentence = sentence.replace(folder + os.sep, "")
        return sentence.replace(folder, "the runs folder") if self.hides_folders else sentence

    def _show_notice(self, sentence: str | None = None) -> str:
        fault = self.host.fault()
        return show_notice([sentence or "", f"A recording fault: {self.readable(fault)}" if fault else ""])


def open_ask(host: TabHost, user: str | None, data: dict[str, Any]) -> Ask:
    """With the library as whoever asks may know it. Anew for each ask: its folder is a setting, and may be another by now."""
    return Ask(data, Workspace(host.layout(), viewer=user if host.shows_own_runs_only() else None), user)


def unchanged(count: int) -> Updates:
    return tuple(gr.update() for _ in range(count))
