"""The Browse section: the list on the left, what is open on the right."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_sdpipe.ui.browse import markup
from lib_sdpipe.ui.browse.events import BrowseEvents, Listed
from lib_sdpipe.ui.browse.place import Place
from lib_sdpipe.ui.frame import Frame
from lib_sdpipe.ui.gradio_versions import build_html
from lib_sdpipe.ui.run import section as run


def build(frame: Frame) -> None:
    paused = frame.host.is_paused()
    page = _build_head(paused, frame.host.records())
    with gr.Row(elem_id="sdpipe_columns"):
        with gr.Column(elem_id="sdpipe_runs_column", min_width=200):
            page.update(_build_search())
            page["runs"] = build_html(markup.PENDING, elem_id="sdpipe_runs")
            page.update(_build_pager())
        view = run.build(frame)
    page["listed"] = frame.build_state(Listed(paused=paused))
    events = BrowseEvents(frame)
    _connect(frame, events, page)
    frame.on(page["refresh"].click, view.events.refresh, [view.chosen], view.outputs)


def _build_head(paused: bool, records: bool) -> dict[str, Any]:
    with gr.Row(elem_id="sdpipe_head"):
        head = build_html(markup.show_head("Runs", None), elem_id="sdpipe_summary")
        pause = gr.Checkbox(
            value=paused, label="Pause recording", elem_id="sdpipe_pause", interactive=True, container=False, min_width=120,
            visible=records,
        )
        refresh = gr.Button("Refresh", elem_id="sdpipe_refresh", size="sm", min_width=90)
    return {"head": head, "pause": pause, "refresh": refresh}


def _build_search() -> dict[str, Any]:
    with gr.Row(elem_id="sdpipe_search_row"):
        views = build_html(markup.show_views(Place()), elem_id="sdpipe_views")
        query = gr.Textbox(
            "", label="Search for images", elem_id="sdpipe_query", show_label=False, container=False, max_lines=1, min_width=120,
            placeholder="Search: castle model:dream …",
        )
    fault = build_html("", elem_id="sdpipe_query_fault")
    searches = build_html("", elem_id="sdpipe_searches")
    with gr.Accordion("Filters", open=False, elem_id="sdpipe_filters_panel"):
        filters = build_html(markup.show_filters(None), elem_id="sdpipe_filters")
        with gr.Row(elem_id="sdpipe_save_row"):
            name = gr.Textbox("", label="Name of the search", elem_id="sdpipe_search_name", show_label=False, container=False, max_lines=1,
                              min_width=120, placeholder="Keep this search as …")
            save = gr.Button("Save search", elem_id="sdpipe_save_search", size="sm", min_width=90)
    with gr.Accordion("How to search", open=False, elem_id="sdpipe_help_panel"):
        build_html(markup.show_help(), elem_id="sdpipe_help")
    return {"views": views, "query": query, "fault": fault, "searches": searches, "filters": filters, "name": name, "save": save}


def _build_pager() -> dict[str, Any]:
    with gr.Row(elem_id="sdpipe_pager"):
        newest = gr.Button("Newest", elem_id="sdpipe_newest", size="sm", interactive=False, min_width=60)
        newer = gr.Button("Newer", elem_id="sdpipe_newer", size="sm", interactive=False, min_width=60)
        older = gr.Button("Older", elem_id="sdpipe_older", size="sm", interactive=False, min_width=60)
        build_html(markup.JUMP, elem_id="sdpipe_jump")
    return {"newest": newest, "newer": newer, "older": older}


def _connect(frame: Frame, events: BrowseEvents, page: dict[str, Any]) -> None:
    outputs = [page[name] for name in BrowseEvents.OUTPUTS]
    query, listed = page["query"], page["listed"]
    frame.on_ask("look", events.look, outputs, [listed])
    frame.on_ask("browse", events.browse, outputs, [query, listed])
    frame.on_ask("search", events.browse, outputs, [query, listed])
    frame.on_ask("forget_search", events.forget_search, [page["searches"]], [listed])
    frame.on(query.submit, events.search, [query, listed], outputs)
    frame.on(page["refresh"].click, events.refresh, [listed], outputs)
    frame.on(page["newest"].click, events.show_newest, [listed], outputs)
    frame.on(page["newer"].click, events.show_newer, [listed], outputs)
    frame.on(page["older"].click, events.show_older, [listed], outputs)
    saving = [page["name"], query], [page["searches"], page["name"]]
    frame.on(page["save"].click, events.save_search, *saving)
    frame.on(page["name"].submit, events.save_search, *saving)
    frame.on(page["pause"].input, events.pause, [page["pause"]], [page["pause"]])
