"""The Browse section: the list on the left, what is open on the right."""

from __future__ import annotations

import gradio as gr

from lib_sdpipe.ui.browse import markup
from lib_sdpipe.ui.browse.events import BrowseEvents, Cursor
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.run import section as run


def build(frame: Frame) -> None:
    paused = frame.host.is_paused()
    with gr.Row(elem_id="sdpipe_head"):
        head = build_html(markup.show_head(None, None), elem_id="sdpipe_summary")
        pause = gr.Checkbox(
            value=paused, label="Pause recording", elem_id="sdpipe_pause", interactive=True, container=False, min_width=120,
            visible=frame.host.records(),
        )
        refresh = gr.Button("Refresh", elem_id="sdpipe_refresh", size="sm", min_width=90)
    with gr.Row(elem_id="sdpipe_columns"):
        with gr.Column(elem_id="sdpipe_runs_column", min_width=200):
            runs = build_html(markup.PENDING, elem_id="sdpipe_runs")
            with gr.Row(elem_id="sdpipe_pager"):
                newest = gr.Button("Newest", elem_id="sdpipe_newest", size="sm", interactive=False, min_width=60)
                older = gr.Button("Older", elem_id="sdpipe_older", size="sm", interactive=False, min_width=60)
        view = run.build(frame)
    cursor = gr.State(Cursor(paused=paused))
    events, listing = BrowseEvents(frame), [head, pause, runs, newest, older, cursor]
    frame.on_ask("look", events.look, listing, [cursor])
    frame.on(refresh.click, events.look, [cursor], listing)
    frame.on(refresh.click, view.events.refresh, [view.chosen], view.outputs)
    frame.on(newest.click, events.show_newest, [], listing)
    frame.on(older.click, events.show_older, [cursor], listing)
    frame.on(pause.input, events.pause, [pause], [pause])
