"""The Runs tab: newest runs, their images, one image's lineage and manifest."""

from __future__ import annotations

from typing import Any

import gradio as gr

from lib_sdpipe.ui import markup
from lib_sdpipe.ui.gradio_versions import build_gallery, build_html, build_image, quiet_event
from lib_sdpipe.ui.tab_events import Chosen, Cursor, TabEvents, TabHost

__all__ = ["TabHost", "build_tab"]

# javascript/sdpipe.js keeps what was pressed; states stay on the server and pass through unread.
_TAKE_CHOICE = "(choice, chosen) => [window.sdpipeChoice ? window.sdpipeChoice() : '', chosen]"


def build_tab(host: TabHost, hides_folders: bool = False) -> Any:
    """The tab's Blocks. It reads nothing before it is looked at. `hides_folders`: it must not say where folders are."""
    with gr.Blocks(analytics_enabled=False) as tab, gr.Column(elem_id="sdpipe_tab"):
        page = _build_head(host)
        with gr.Row(elem_id="sdpipe_columns"):
            with gr.Column(elem_id="sdpipe_runs_column", min_width=200):
                page.update(_build_runs())
            with gr.Column(elem_id="sdpipe_run_column", min_width=200):
                page.update(_build_run())
            with gr.Column(elem_id="sdpipe_image_column", min_width=200):
                page.update(_build_image())
        page.update(_build_carriers(host.is_paused()))
        _connect(page, TabEvents(host, hides_folders))
    for component in tab.blocks.values():
        # What is shown is the library's, or a setting: a value stored in the host's ui-config.json would mask it.
        component.do_not_save_to_config = True
    return tab


def _build_head(host: TabHost) -> dict[str, Any]:
    notice = build_html("", elem_id="sdpipe_notice")
    with gr.Row(elem_id="sdpipe_head"):
        head = build_html(markup.show_head(None, None), elem_id="sdpipe_summary")
        pause = gr.Checkbox(
            value=host.is_paused(), label="Pause recording", elem_id="sdpipe_pause", interactive=True, container=False, min_width=120,
        )
        refresh = gr.Button("Refresh", elem_id="sdpipe_refresh", size="sm", min_width=90)
    return {"notice": notice, "head": head, "pause": pause, "refresh": refresh}


def _build_runs() -> dict[str, Any]:
    runs = build_html(markup.PENDING, elem_id="sdpipe_runs")
    with gr.Row(elem_id="sdpipe_pager"):
        newest = gr.Button("Newest", elem_id="sdpipe_newest", size="sm", interactive=False, min_width=60)
        older = gr.Button("Older", elem_id="sdpipe_older", size="sm", interactive=False, min_width=60)
    return {"runs": runs, "newest": newest, "older": older}


def _build_run() -> dict[str, Any]:
    run = build_html("", elem_id="sdpipe_run")
    # The host's own script looks for galleries whose id ends like this.
    gallery = build_gallery(elem_id="sdpipe_run_gallery", label="Images of the run", columns=3, object_fit="contain", visible=False)
    return {"run": run, "gallery": gallery}


def _build_image() -> dict[str, Any]:
    image = build_image(elem_id="sdpipe_image", label="Chosen image", visible=False)
    details = build_html("", elem_id="sdpipe_details")
    with gr.Accordion("Manifest", open=False, elem_id="sdpipe_manifest_panel"):
        manifest = gr.Code("", language="json", interactive=False, show_label=False, elem_id="sdpipe_manifest")
    return {"image": image, "details": details, "manifest": manifest}


def _build_carriers(is_paused: bool) -> dict[str, Any]:
    """What the script presses, hidden by style.css: an invisible button is not on the page at all."""
    with gr.Row(elem_id="sdpipe_carriers"):
        look = gr.Button("Look", elem_id="sdpipe_look")
        open_choice = gr.Button("Open", elem_id="sdpipe_open")
        choice = gr.Textbox("", elem_id="sdpipe_choice", show_label=False)
    return {"look": look, "open": open_choice, "choice": choice, "cursor": gr.State(Cursor(paused=is_paused)), "chosen": gr.State(Chosen())}


def _connect(page: dict[str, Any], events: TabEvents) -> None:
    notice, cursor, chosen = page["notice"], page["cursor"], page["chosen"]
    listing = [page[name] for name in ("head", "pause", "runs", "newest", "older", "cursor")]
    view = [page[name] for name in ("run", "gallery", "image", "details", "manifest", "chosen")]
    page["look"].click(events.look, [cursor, chosen], [notice, *listing, *view], **quiet_event())
    page["refresh"].click(events.refresh, [cursor, chosen], [notice, *listing, *view], **quiet_event())
    page["newest"].click(events.show_newest, [chosen], [notice, *listing], **quiet_event())
    page["older"].click(events.show_older, [cursor, chosen], [notice, *listing], **quiet_event())
    page["open"].click(events.open, [page["choice"], chosen], [notice, *view], **quiet_event(_TAKE_CHOICE))
    page["gallery"].select(events.select, [chosen], [notice, *view[2:]], **quiet_event())
    page["pause"].input(events.pause, [page["pause"]], [notice, page["pause"]], **quiet_event())
